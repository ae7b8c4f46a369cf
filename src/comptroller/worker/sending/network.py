"""Connections to addresses that were checked: a name is resolved once, and what was checked is what is connected to."""

import http.client
import io
import ipaddress
import socket
import ssl
import time
from typing import Any, Final

from comptroller.errors import ComptrollerError
from comptroller.spine.orchestrator.targets import is_public

SECONDS: Final = 10.0  # for one message, from the name's resolution to the last byte of the answer
RESPONSE_MAX: Final = 64 * 1024


class SendError(ComptrollerError):
    """A message was not taken; says why, without the target's secrets."""


def checked_addresses(host: str, port: int, *, allows_private: bool) -> list[tuple[int, tuple[Any, ...]]]:
    """Return the addresses of a name, in the order to try them.

    Raises:
        SendError: If it has none, or if any of them is not public where only public ones are allowed.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise SendError(f"{host} has no address") from error
    addresses = [(int(family), address) for family, _, _, _, address in found]
    if not allows_private:
        for _, address in addresses:
            if not is_public(ipaddress.ip_address(str(address[0]))):
                raise SendError(f"{host} is at {address[0]}, which is not a public address")
    return addresses


class Deadline:
    """One message's time."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left.

        Raises:
            SendError: If there are none.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise SendError("it took too long")
        return left


def connect(host: str, port: int, deadline: Deadline, *, allows_private: bool) -> socket.socket:
    """Return a connection to one of a name's checked addresses.

    Raises:
        SendError: If none of them answers.
    """
    last: OSError | None = None
    for family, address in checked_addresses(host, port, allows_private=allows_private):
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(deadline.left())
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            sock.close()
            last = error
        else:
            return sock
    raise SendError(f"{host} does not answer: {last}")


class _Timed(io.RawIOBase):
    """Reads from a socket, each time with what is left of the deadline."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock, self._deadline = sock, deadline

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what has arrived."""
        self._sock.settimeout(self._deadline.left())
        return self._sock.recv_into(buffer)


class _Stream:
    """A socket as http.client uses one, whose reads heed the deadline of the message in flight."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.deadline = Deadline()

    def sendall(self, data: Any) -> None:
        self._sock.settimeout(self.deadline.left())
        self._sock.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Timed(self._sock, self.deadline))

    def close(self) -> None:
        self._sock.close()


class Connection:
    """An HTTP connection to one host that stays open between messages; follows no redirect, heeds no proxy.

    Args:
        scheme: ``https`` or ``http``.
        host: Its name; what it resolves to is checked at each connect.
        port: Its port.
        allows_private: Whether private addresses may be connected to.
    """

    def __init__(self, scheme: str, host: str, port: int, *, allows_private: bool) -> None:
        self._http = http.client.HTTPConnection(host, port)
        self._scheme, self._host, self._port, self._allows = scheme, host, port, allows_private
        self._stream: _Stream | None = None

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> int:
        """Send a request and return the status of its answer, which is read up to a bound.

        Raises:
            SendError: If the connection or the time fails.
        """
        deadline = Deadline()
        is_reused = self._stream is not None
        try:
            return self._post(path, body, headers, deadline)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            if not is_reused:
                raise SendError(f"{self._host}: {type(error).__name__}: {error}"[:300]) from error
        try:  # the other side had closed the idle connection; the id tells it of a repeat
            return self._post(path, body, headers, deadline)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise SendError(f"{self._host}: {type(error).__name__}: {error}"[:300]) from error

    def _post(self, path: str, body: bytes, headers: dict[str, str], deadline: Deadline) -> int:
        if self._stream is None:
            self._stream = self._open(deadline)
            self._http.sock = self._stream
        self._stream.deadline = deadline
        self._http.request("POST", path, body, headers)
        response = self._http.getresponse()
        rest = response.read(RESPONSE_MAX + 1)
        if len(rest) > RESPONSE_MAX or response.will_close:
            self.close()
        return response.status

    def _open(self, deadline: Deadline) -> _Stream:
        sock = connect(self._host, self._port, deadline, allows_private=self._allows)
        if self._scheme == "https":
            sock.settimeout(deadline.left())
            sock = tls_context().wrap_socket(sock, server_hostname=self._host)
        return _Stream(sock)

    def close(self) -> None:
        """Close the connection."""
        if self._stream is not None:
            self._stream.close()
        self._stream = None
        self._http.close()


def tls_context() -> ssl.SSLContext:
    """Return the settings of TLS: the system's authorities, names checked, 1.2 or newer."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
