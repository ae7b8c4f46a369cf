"""A server as a user starts it: ``comptroller serve`` in a process of its own."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

import httpx2

from comptroller.database import create_engine
from comptroller.enums import Role
from comptroller.peppers import Peppers
from comptroller.spine.orchestrator import access
from comptroller.types.access import Principal
from comptroller.types.caller import Caller

PEPPERS = f"1:{'5e' * 32}"
_START_SECONDS = 60
_TOKEN = re.compile(r"/welcome\?token=(\w+)")


class ServerProcess:
    """Starts at once; stop it, or use it as a context manager.

    Args:
        folder: Where it runs; nothing is configured, so that its database is made there.
        url: The database's URL, where it is not that file.
        processes: How many.
    """

    def __init__(self, folder: Path, url: str | None = None, *, processes: int = 1) -> None:
        self.folder, self.url = folder, url
        self.port = _free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._log = folder / "server.log"
        command = [
            sys.executable,
            "-m",
            "comptroller",
            "serve",
            "--port",
            str(self.port),
            "--processes",
            str(processes),
        ]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, *self._database()],
                cwd=folder,
                env=self._environment(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait()

    def _database(self) -> list[str]:
        return [] if self.url is None else ["--database", self.url]

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("COMPTROLLER_")}
        more = {"COMPTROLLER_REQUESTS_PER_SECOND": "100000"}
        return {**kept, **more, **({} if self.url is None else {"COMPTROLLER_PEPPERS": PEPPERS})}

    def _wait(self) -> None:
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(self.log)
            try:
                if httpx2.get(f"{self.address}/readyz", timeout=5).status_code == 200:
                    return
            except httpx2.TransportError:
                time.sleep(0.05)
        raise TimeoutError(self.log)

    @property
    def log(self) -> str:
        """Return what it said."""
        return self._log.read_text()

    @property
    def token(self) -> str:
        """Return the first admin's one-time token, as it was printed."""
        found = _TOKEN.search(self.log)
        assert found is not None, self.log
        return found[1]

    def key(self, role: str = "admin") -> str:
        """Make a key of the home tenant."""
        url = self.url or f"sqlite:///{self.folder / 'comptroller.db'}"
        engine = create_engine(url)
        said = PEPPERS if self.url else (self.folder / "comptroller.db.pepper").read_text().strip()
        name, _, digits = said.partition(":")
        peppers = Peppers(((name, bytes.fromhex(digits)),))
        caller, giver = Caller("default", "test"), Principal("default", "test", Role.ADMIN)
        made = access.create_key.run(engine, caller, giver, peppers, name="k", role=role)
        engine.dispose()
        return made.secret

    def key_by_command(self) -> str:
        """Make an admin's key by the command line."""
        command = [sys.executable, "-m", "comptroller", "keys", "create", "k", "--role", "admin", *self._database()]
        made = subprocess.run(
            command, cwd=self.folder, env=self._environment(), capture_output=True, text=True, check=True
        )  # fmt: skip
        return made.stdout.strip()

    def workers(self) -> list[int]:
        """Return the ids of the processes that answer."""
        text = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        named = {int(pid): Path(f"/proc/{pid}/cmdline").read_text() for pid in text.split()}
        return [pid for pid, command in named.items() if "resource_tracker" not in command]

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Tell it to stop and return its exit status; whatever is left of it is killed."""
        self.process.send_signal(how)
        try:
            return self.process.wait(60)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self.process.poll() is None:
            self.stop()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
