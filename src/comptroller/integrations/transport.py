"""A transport for any httpx or httpx2 client: every model call that goes through it is held, then settled.

Each attempt reserves, retries too. A refusal never leaves the process: the client gets 402 with
``x-should-retry: false``, so that it costs one attempt under an SDK's own retries.
"""

from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any, Final

from comptroller.errors import LimitExceeded, RunHalted
from comptroller.integrations import wire
from comptroller.runtime.run import Hold, Run
from comptroller.types.usage import Usage

NOTHING_RAN: Final = range(400, 500)  # the provider refused the request itself
STREAM: Final = "text/event-stream"


def governed_transport(library: ModuleType, run: Run, inner: Any = None) -> Any:  # noqa: C901 — one class in it
    """Return a transport that holds each model call in a run before it is sent.

    Args:
        library: ``httpx`` or ``httpx2``, whichever the client is made of.
        run: The run in which the calls are made.
        inner: What sends them; the library's own transport unless given.

    Example:
        >>> client = openai.OpenAI(
        ...     http_client=httpx2.Client(transport=governed_transport(httpx2, run))
        ... )  # doctest: +SKIP
    """
    watched = _watched(library)

    class GovernedTransport(library.BaseTransport):  # type: ignore[name-defined,misc]  # of whichever library
        """Holds, sends, settles."""

        def __init__(self) -> None:
            self._inner = inner if inner is not None else library.HTTPTransport()

        def handle_request(self, request: Any) -> Any:
            """Send a request; a model call is held before and settled after."""
            call = wire.read_request(request.url.host, request.read()) if request.method == "POST" else None
            if call is None:
                return self._inner.handle_request(request)
            try:
                hold = run.reserve_usage(**call.at_most())
            except (LimitExceeded, RunHalted) as refused:
                body = wire.refusal_body(str(refused), refused.breach_id)
                return library.Response(
                    wire.REFUSAL_STATUS, headers=wire.REFUSAL_HEADERS, content=body, request=request
                )
            is_answered = False
            try:
                response = self._inner.handle_request(request)
                is_answered = True
            except library.ConnectError:
                hold.release()  # nobody was there
                raise
            finally:
                if not is_answered and hold.ended is None:
                    settle(hold, None)
            return self._settled(response, call, hold)

        def close(self) -> None:
            """Close what sends."""
            self._inner.close()

        def _settled(self, response: Any, call: wire.ModelCall, hold: Hold) -> Any:
            if response.status_code in NOTHING_RAN:
                hold.release()
                return response
            is_stream = response.headers.get("content-type", "").startswith(STREAM)
            if is_stream and response.is_closed:  # read already, by a transport that keeps whole answers
                settle(hold, stream_usage(response.text.splitlines(), call))
                return response
            if is_stream:
                response.stream = watched(response.stream, call, hold)
                return response
            response.read()
            try:
                said = response.json()
            except ValueError:
                said = None
            settle(hold, wire.read_usage(said, call))
            return response

    return GovernedTransport()


def _watched(library: ModuleType) -> Any:
    """Return the stream of a library that settles a hold when it is closed."""

    class Watched(library.SyncByteStream):  # type: ignore[name-defined,misc]  # of whichever library
        """A stream that passes through, and whose usage is read on its way."""

        def __init__(self, stream: Any, call: wire.ModelCall, hold: Hold) -> None:
            self._stream, self._call, self._hold = stream, call, hold
            self._usage: Usage | None = None
            self._rest = b""

        def __iter__(self) -> Iterator[bytes]:
            for chunk in self._stream:
                self._look(chunk)
                yield chunk

        def close(self) -> None:
            """Settle by what the stream said; one that was cut off costs what was held."""
            try:
                settle(self._hold, self._usage)
            finally:
                self._stream.close()

        def _look(self, chunk: bytes) -> None:
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            seen = stream_usage((line.decode(errors="replace") for line in lines), self._call)
            self._usage = wire.later(self._usage, seen)

    return Watched


def stream_usage(lines: Iterable[str], call: wire.ModelCall) -> Usage | None:
    """Return what the events among a stream's lines say together."""
    usage: Usage | None = None
    for event in wire.events(iter(lines)):
        usage = wire.later(usage, wire.read_usage(event, call))
    return usage


def settle(hold: Hold, usage: Usage | None) -> None:
    """Settle a hold by a usage; an answer without one costs what was held, as an estimate."""
    if hold.ended is not None:
        return
    if usage is None:
        hold.__exit__(None, None, None)
        return
    hold.settle_usage(**wire.said_of(usage))
