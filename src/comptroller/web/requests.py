"""One log event for each request, with an id that every event in between carries; paths only, no queries, no bodies."""

import re
import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, Final

import structlog

from comptroller.ids import uuid7

_logger = structlog.get_logger("comptroller.requests")
_GIVEN: Final = re.compile(rb"[\w.-]{8,64}")
_QUIET: Final = ("/static/", "/healthz", "/readyz", "/metrics", "/v1/holds")


class Logged:
    """What is known of a request once it is answered."""

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.status = 0

    def heard(self, send: Any) -> Any:
        """Return a send that tells the id to the client and remembers the status."""

        async def heard(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", self.request_id.encode())]
            await send(message)

        return heard


@contextmanager
def request_logged(scope: MutableMapping[str, Any]) -> Iterator[Logged]:
    """Bind a request's id, the client's own where it is plain, and log how it was answered."""
    given = dict(scope["headers"]).get(b"x-request-id", b"")
    logged = Logged(given.decode() if _GIVEN.fullmatch(given) else uuid7())
    begun = time.perf_counter()
    with structlog.contextvars.bound_contextvars(request_id=logged.request_id):
        try:
            yield logged
        finally:
            if not scope["path"].startswith(_QUIET):
                took = round((time.perf_counter() - begun) * 1000)
                _logger.info(
                    "request", method=scope["method"], path=scope["path"], status=logged.status, took_ms=took
                )  # fmt: skip
