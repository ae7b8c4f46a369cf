"""A request as it came over ASGI, with its body bounded, and the reply to it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final

from comptroller.api.problems import RequestError

BODY_MAX: Final = 1024 * 1024  # a batch of a thousand usage rows; files have a bound of their own
JSON: Final = "application/json"

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class Incoming:
    """One request.

    Attributes:
        method: Its method.
        path: The path's parameters.
        headers: By lower-case name; of a repeated one the last.
        query_string: As it was sent.
        client: The address that sent it.
    """

    __slots__ = ("_receive", "client", "headers", "method", "path", "query_string")

    def __init__(self, scope: Scope, receive: Receive, path: Mapping[str, str]) -> None:
        self.method: str = scope["method"]
        self.path = path
        self.headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        self.query_string: bytes = scope.get("query_string", b"")
        client = scope.get("client")
        self.client: str = client[0] if client else "unknown"
        self._receive = receive

    def cookie(self, name: str) -> str | None:
        """Return a cookie's value, or None."""
        try:
            found = SimpleCookie(self.headers.get("cookie", "")).get(name)
        except CookieError:
            return None
        return None if found is None else found.value

    async def chunks(self, longest: int) -> AsyncIterator[bytes]:
        """Yield the body as it arrives.

        Raises:
            RequestError: If it is longer than ``longest`` bytes, by its header or in truth.
        """
        declared = self.headers.get("content-length", "0")
        if not declared.isdigit() or int(declared) > longest:
            raise _too_large(longest)
        length, more = 0, True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise RequestError("invalid-input", "the body ended before its end")
            chunk: bytes = message.get("body", b"")
            more = message.get("more_body", False)
            length += len(chunk)
            if length > longest:
                raise _too_large(longest)
            yield chunk

    async def body(self) -> bytes:
        """Return the whole body of an ordinary request."""
        return b"".join([chunk async for chunk in self.chunks(BODY_MAX)])


@dataclass(slots=True)
class Reply:
    """What is sent back."""

    status: int
    body: bytes = b""
    media_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)

    async def send(self, send: Send) -> None:
        """Send it over ASGI."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.raw_headers()})
        await send({"type": "http.response.body", "body": self.body})

    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """Return the headers as ASGI has them."""
        headers = [*_ALWAYS, (b"content-length", str(len(self.body)).encode())]
        if self.body:
            headers.append((b"content-type", self.media_type.encode()))
        headers += [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in self.headers.items()]
        return headers


_ALWAYS: Final = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
]


def _too_large(longest: int) -> RequestError:
    return RequestError("too-large", f"the body may have {longest} bytes")
