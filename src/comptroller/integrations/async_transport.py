"""The transport of ``transport.py`` for async clients."""

from collections.abc import AsyncIterator
from types import ModuleType
from typing import Any

from comptroller.errors import LimitExceeded, RunHalted
from comptroller.integrations import wire
from comptroller.integrations.transport import NOTHING_RAN, STREAM, stream_usage
from comptroller.runtime.async_run import AsyncHold, AsyncRun
from comptroller.types.usage import Usage


def governed_async_transport(library: ModuleType, run: AsyncRun, inner: Any = None) -> Any:  # noqa: C901 — one class in it
    """Return a transport that holds each model call in a run before it is sent.

    Args:
        library: ``httpx`` or ``httpx2``, whichever the client is made of.
        run: The run in which the calls are made.
        inner: What sends them; the library's own transport unless given.

    Example:
        >>> transport = governed_async_transport(httpx2, run)  # doctest: +SKIP
        >>> client = openai.AsyncOpenAI(http_client=httpx2.AsyncClient(transport=transport))  # doctest: +SKIP
    """
    watched = _watched(library)

    class GovernedTransport(library.AsyncBaseTransport):  # type: ignore[name-defined,misc]  # of whichever library
        """Holds, sends, settles."""

        def __init__(self) -> None:
            self._inner = inner if inner is not None else library.AsyncHTTPTransport()

        async def handle_async_request(self, request: Any) -> Any:
            """Send a request; a model call is held before and settled after."""
            call = wire.read_request(request.url.host, await request.aread()) if request.method == "POST" else None
            if call is None:
                return await self._inner.handle_async_request(request)
            try:
                hold = await run.reserve_usage(**call.at_most())
            except (LimitExceeded, RunHalted) as refused:
                body = wire.refusal_body(str(refused), refused.breach_id)
                return library.Response(
                    wire.REFUSAL_STATUS, headers=wire.REFUSAL_HEADERS, content=body, request=request
                )
            is_answered = False
            try:
                response = await self._inner.handle_async_request(request)
                is_answered = True
            except library.ConnectError:
                await hold.release()  # nobody was there
                raise
            finally:
                if not is_answered and hold.ended is None:
                    await settle_async(hold, None)
            return await self._settled(response, call, hold)

        async def aclose(self) -> None:
            """Close what sends."""
            await self._inner.aclose()

        async def _settled(self, response: Any, call: wire.ModelCall, hold: AsyncHold) -> Any:
            if response.status_code in NOTHING_RAN:
                await hold.release()
                return response
            is_stream = response.headers.get("content-type", "").startswith(STREAM)
            if is_stream and response.is_closed:  # read already, by a transport that keeps whole answers
                await settle_async(hold, stream_usage(response.text.splitlines(), call))
                return response
            if is_stream:
                response.stream = watched(response.stream, call, hold)
                return response
            await response.aread()
            try:
                said = response.json()
            except ValueError:
                said = None
            await settle_async(hold, wire.read_usage(said, call))
            return response

    return GovernedTransport()


def _watched(library: ModuleType) -> Any:
    """Return the stream of a library that settles a hold when it is closed."""

    class Watched(library.AsyncByteStream):  # type: ignore[name-defined,misc]  # of whichever library
        """A stream that passes through, and whose usage is read on its way."""

        def __init__(self, stream: Any, call: wire.ModelCall, hold: AsyncHold) -> None:
            self._stream, self._call, self._hold = stream, call, hold
            self._usage: Usage | None = None
            self._rest = b""

        async def __aiter__(self) -> AsyncIterator[bytes]:
            async for chunk in self._stream:
                *lines, self._rest = (self._rest + chunk).split(b"\n")
                seen = stream_usage((line.decode(errors="replace") for line in lines), self._call)
                self._usage = wire.later(self._usage, seen)
                yield chunk

        async def aclose(self) -> None:
            """Settle by what the stream said; one that was cut off costs what was held."""
            try:
                await settle_async(self._hold, self._usage)
            finally:
                await self._stream.aclose()

    return Watched


async def settle_async(hold: AsyncHold, usage: Usage | None) -> None:
    """Settle a hold by a usage; an answer without one costs what was held, as an estimate."""
    if hold.ended is not None:
        return
    if usage is None:
        await hold.__aexit__(None, None, None)
        return
    await hold.settle_usage(**wire.said_of(usage))
