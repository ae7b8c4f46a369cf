"""Server-sent events: a page is told that something happened, and reads itself anew."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any, Final, cast

from litestar import Request
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream

from comptroller.api.incoming import Incoming, Scope
from comptroller.api.policy import Policy
from comptroller.api.service import Service
from comptroller.errors import ComptrollerError
from comptroller.spine.orchestrator import overview
from comptroller.types.caller import Caller

EVERY_SECONDS: Final = 1.0
STREAM_SECONDS: Final = 20.0  # then the browser connects anew, so that a server may stop
_HEADERS: Final = {"cache-control": "no-store", "x-accel-buffering": "no", "x-content-type-options": "nosniff"}


class Pulses:
    """What last happened for each tenant, asked at most once a second however many pages are open."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, asyncio.Task[str]]] = {}

    async def of(self, service: Service, caller: Caller) -> str:
        """Return a word that changes when something happens."""
        asked_at, task = self._known.get(caller.tenant, (0.0, None))
        if task is None or time.monotonic() - asked_at > EVERY_SECONDS * 0.9:
            task = asyncio.ensure_future(overview.pulse.run_async(service.engine, caller))
            self._known[caller.tenant] = (time.monotonic(), task)
        return await asyncio.shield(task)


async def events(pulses: Pulses, service: Service, caller: Caller, last: str) -> AsyncIterator[bytes]:
    """Yield an event whenever something happened since ``last``, for a bounded time."""
    end = time.monotonic() + STREAM_SECONDS
    yield b"retry: 1000\n\n"
    while time.monotonic() < end:
        word = await pulses.of(service, caller)
        if word != last:
            yield f"id: {word}\nevent: pulse\ndata: {{}}\n\n".encode()
        last = word
        await asyncio.sleep(EVERY_SECONDS)


def live_handler(service: Any) -> HTTPRouteHandler:
    """Return the stream's handler."""
    pulses = Pulses()

    async def handle(request: Request[Any, Any, Any]) -> Stream:
        current: Service = service()
        try:
            principal = await current.door.admit(
                Incoming(cast("Scope", request.scope), request.receive, {}), Policy.READ
            )
        except ComptrollerError:
            return Stream(_nothing(), status_code=401, headers=_HEADERS)
        assert principal is not None  # noqa: S101 — the policy lets nobody else in
        caller = Caller(principal.tenant, principal.actor, current.clock)
        last = str(request.headers.get("last-event-id") or request.query_params.get("last") or "")
        return Stream(events(pulses, current, caller, last), media_type="text/event-stream", headers=_HEADERS)

    return HTTPRouteHandler("/events", http_method="GET", opt={"policy": Policy.READ}, name="GET /events")(handle)


async def _nothing() -> AsyncIterator[bytes]:
    yield b""
