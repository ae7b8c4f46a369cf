"""A proxy before PostgreSQL's socket that cuts a connection at a chosen moment of a COMMIT."""

import contextlib
import socket
import tempfile
import threading
from pathlib import Path

from sqlalchemy.engine import make_url

_CHUNK = 65_536


class CuttingProxy:
    """Passes bytes on until it is told to cut.

    Args:
        url: The database behind it; it must be reached by a unix socket.
    """

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._target = str(Path(str(self._url.query["host"])) / ".s.PGSQL.5432")
        self._folder = tempfile.TemporaryDirectory(dir="/tmp")
        self.cuts = 0
        self.is_down = False
        self._cut_next: str | None = None
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(f"{self._folder.name}/.s.PGSQL.5432")
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Return the URL by which the database is reached through the proxy."""
        return self._url.set(query={"host": self._folder.name}).render_as_string(hide_password=False)

    def cut_next_commit(self, moment: str) -> None:
        """Cut the connection of the next COMMIT: ``before`` it reaches the server, or ``after``, before the reply."""
        self._cut_next = moment

    def close(self) -> None:
        """Stop accepting."""
        self._listener.close()
        self._folder.cleanup()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self.is_down:
                    client.close()
                    continue
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        server.connect(self._target)
        threading.Thread(target=self._answers, args=(server, client), daemon=True).start()
        with contextlib.suppress(OSError):
            while data := client.recv(_CHUNK):
                if self.is_down:
                    break
                if self._cut_next is not None and b"COMMIT" in data:
                    self._cut(data, client, server)
                    return
                server.sendall(data)
        close(client, server)

    def _cut(self, data: bytes, client: socket.socket, server: socket.socket) -> None:
        moment, self._cut_next = self._cut_next, None
        self.cuts += 1
        client.shutdown(socket.SHUT_RDWR)  # the reply will find nobody
        if moment == "after":
            server.sendall(data)
            with contextlib.suppress(OSError):
                server.recv(_CHUNK)
        close(client, server)

    def _answers(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(_CHUNK):
                client.sendall(data)
        close(client, server)


def close(*sockets: socket.socket) -> None:
    """Close sockets, whatever state they are in."""
    for each in sockets:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()
