"""How a kill reaches a running worker: the policy's version, heard of or asked for.

On PostgreSQL one thread of the process listens; elsewhere, and while nobody listens, a checkpoint asks, at most ten
times a second for all runs of a tenant.
"""

import threading
import time
from contextlib import closing
from typing import Any, Final

import psycopg
from sqlalchemy import URL

from comptroller import settings

POLL_SECONDS: Final = 0.1
LISTENED_POLL_SECONDS: Final = 5.0  # a notice that is lost must not be missed for long
_RETRY_SECONDS: Final = 5.0
_CHANNEL: Final = "comptroller_policy"


class Watch:
    """What is known of the tenants' policy versions, and when it must be asked for again.

    Args:
        url: The database's URL.
    """

    def __init__(self, url: URL) -> None:
        self._url = url
        self._asked: dict[str, float] = {}
        self._versions: dict[str, int] = {}
        self._listener: threading.Thread | None = None
        self._is_listening = False
        self._closing = threading.Event()
        self._retry_at = 0.0

    def is_due(self, tenant: str) -> bool:
        """Tell whether the version has to be asked for: something was heard, or too much time is over."""
        self._listen()
        patience = LISTENED_POLL_SECONDS if self._is_listening else POLL_SECONDS
        return time.monotonic() - self._asked.get(tenant, -patience) >= patience

    def learn(self, tenant: str, version: int, asked_at: float) -> None:
        """Remember a version and the moment before it was asked for."""
        self._versions[tenant] = version
        self._asked[tenant] = asked_at

    def version(self, tenant: str) -> int:
        """Return the version last learned."""
        return self._versions.get(tenant, -1)

    def close(self) -> None:
        """Stop listening."""
        self._closing.set()
        if self._listener is not None:
            self._listener.join()

    def _listen(self) -> None:
        if self._url.get_backend_name() != "postgresql" or self._closing.is_set():
            return
        if self._listener is None or (not self._listener.is_alive() and time.monotonic() > self._retry_at):
            self._retry_at = time.monotonic() + _RETRY_SECONDS
            self._listener = threading.Thread(target=self._hear, name="comptroller-watch", daemon=True)
            self._listener.start()

    def _hear(self) -> None:
        url = settings.listen_url() or self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        try:
            with closing(psycopg.connect(url, autocommit=True)) as connection:
                if is_pooled(connection):
                    return  # a pooler in transaction mode forgets who listens: go on asking
                connection.execute(f"LISTEN {_CHANNEL}")
                self._asked.clear()
                self._is_listening = True
                while not self._closing.is_set():
                    for notice in connection.notifies(timeout=0.2, stop_after=1):
                        self._asked.pop(notice.payload, None)
        except psycopg.Error:
            pass  # asking goes on, and listening is tried again
        finally:
            self._is_listening = False


def is_pooled(connection: psycopg.Connection[Any]) -> bool:
    """Tell whether a pooler stands between: then the backend is another than the one that greeted us."""
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    return row is None or row[0] != connection.info.backend_pid
