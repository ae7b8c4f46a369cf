"""A real PostgreSQL for the tests: no root, no package manager, nothing left running.

One server per pytest run, shared by its workers, owned by a keeper process (``postgres_keeper.py``); one migrated
template in it; a database of its own for each test that asks.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from postgres_keeper import NoPostgresError, native

LONGEST_FOLDER = 60  # a socket's path may have 107 bytes
ENOUGH_BYTES = 2 * 1024**3  # a server takes 0.1 GB, a test's database 9 MB


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_suitable(folder: Path) -> bool:
    """Tell whether the server's user can walk there and run programs there, and a socket's path is not too long."""
    if not folder.is_dir() or len(str(folder)) > LONGEST_FOLDER:
        return False
    enterable = all(place.stat().st_mode & 0o001 for place in (folder, *folder.parents))
    return enterable and not os.statvfs(folder).f_flag & getattr(os, "ST_NOEXEC", 0)


def run_folder() -> Path:
    """Name the folder that one pytest run shares: in memory where there is plenty, since a disk costs 20 times more."""
    memory = Path("/dev/shm")  # noqa: S108 — the name cannot be guessed
    roomy = memory.is_dir() and shutil.disk_usage(memory).free >= ENOUGH_BYTES
    candidates = [*([memory] if roomy else []), Path(tempfile.gettempdir()).resolve()]
    parent = next((folder for folder in candidates if is_suitable(folder)), Path("/tmp"))  # noqa: S108
    return parent / f"comptroller-tests-{uuid.uuid4().hex}"


class PostgresServer:
    """A test process's view of the run's server; starts it when it is the first to ask.

    Args:
        folder: The folder that all processes of the run share.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)  # the server runs as another user, who must be able to enter
        with ExitStack() as unless_done:
            lease = unless_done.enter_context((folder / "lease").open("a"))
            fcntl.flock(lease, fcntl.LOCK_SH)
            known = self._find_or_start(folder / "state.json")
            self.url, self.prefix = known["url"], known["prefix"]
            self._admin = unless_done.enter_context(psycopg.connect(native(self.url), autocommit=True))
            self._closing = unless_done.pop_all()

    def _find_or_start(self, state: Path) -> dict[str, str]:
        with locked(self.folder / "start.lock"):
            if not state.exists():
                self._start_keeper(state)
            known: dict[str, str] = json.loads(state.read_text())
            return known

    def _start_keeper(self, state: Path) -> None:
        log = self.folder / "keeper.log"
        if log.exists():  # another process of this run has tried and failed
            raise NoPostgresError(log.read_text())
        with log.open("wb") as output:
            keeper = subprocess.Popen(
                [sys.executable, Path(__file__).with_name("postgres_keeper.py"), self.folder],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        while not state.exists():
            if keeper.poll() is not None:
                raise NoPostgresError(log.read_text())
            time.sleep(0.01)
        keeper.returncode = 0  # it outlives this process: nobody is to wait for it, nor to warn that nobody did

    def _execute(self, statement: str, **names: str) -> None:
        self._admin.execute(sql.SQL(statement).format(**{key: sql.Identifier(name) for key, name in names.items()}))

    def create(self, name: str | None = None, *, like: str = "template0") -> str:
        """Create a database, empty or like another, and return its SQLAlchemy URL."""
        name = name or f"{self.prefix}{uuid.uuid4().hex[:12]}"
        self._execute("CREATE DATABASE {name} TEMPLATE {like} STRATEGY file_copy", name=name, like=like)
        changed = make_url(self.url).set(drivername="postgresql+psycopg", database=name)
        return changed.render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Drop a database and whatever still talks to it."""
        self._execute("DROP DATABASE IF EXISTS {name} WITH (FORCE)", name=str(make_url(url).database))

    def migrated_template(self) -> str:
        """Return the name of the run's one migrated database, made by whoever comes first."""
        name = f"{self.prefix}template"
        with locked(self.folder / "template.lock"):
            done = self.folder / "template.done"
            if not done.exists():
                from comptroller.database import upgrade

                upgrade(self.create(name))
                done.touch()
        return name

    def close(self) -> None:
        """Give the lease back; the keeper ends the server after the last one."""
        self._closing.close()
