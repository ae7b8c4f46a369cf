"""A caller's desk under test: one face over sync and async, SQLite and PostgreSQL, with a clock that tests turn."""

import asyncio
import inspect
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from sqlalchemy import text

from comptroller.clock import utc_now
from comptroller.database import create_async_engine, create_engine
from comptroller.face.binding import AsyncPlace
from comptroller.face.library import AsyncComptroller, Comptroller
from comptroller.runtime.async_run import AsyncHold, AsyncRun
from comptroller.spine.orchestrator.operation import Operation, Procedure
from comptroller.types.caller import Caller

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


class TurnedClock:
    """A clock that stands until a test turns it."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **by: float) -> None:
        """Set the clock forward."""
        self.now += timedelta(**by)


class Desk:
    """Runs operations for one tenant, sync or async.

    Args:
        url: The database's sync URL.
        is_async: Whether operations go through asyncio.
        runner: Runs the coroutines of this test.
    """

    def __init__(self, url: str, *, is_async: bool, runner: asyncio.Runner) -> None:
        self.url, self.is_async, self._runner = url, is_async, runner
        self.clock = TurnedClock()
        self.caller = Caller("acme", "ana", self.clock)
        self.engine: Any = create_async_engine(url) if is_async else create_engine(url)
        self._reader = create_engine(url)

    def result(self, value: Any) -> Any:
        """Return a value, awaited if it is a coroutine."""
        return self._runner.run(value) if inspect.iscoroutine(value) else value

    def __call__(self, use_case: Operation[..., Any] | Procedure[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run a use case in its own transaction."""
        return self.as_caller(self.caller, use_case, *args, **kwargs)

    def as_caller(self, caller: Caller, use_case: Any, *args: Any, **kwargs: Any) -> Any:
        """Run a use case for another caller."""
        run = use_case.run_async if self.is_async else use_case.run
        return self.result(run(self.engine, caller, *args, **kwargs))

    def rows(self, statement: str, **parameters: Any) -> list[Any]:
        """Return what is committed."""
        with self._reader.connect() as connection:
            return list(connection.execute(text(statement), parameters).all())

    def close(self) -> None:
        """Close every connection."""
        self._reader.dispose()
        self.result(self.engine.dispose())


class Synced:
    """An object of the async face as a test reads it: coroutines are run, contexts are entered by ``with``.

    Args:
        thing: The real object; nothing of it is replaced.
        runner: Runs the coroutines of this test.
    """

    def __init__(self, thing: Any, runner: asyncio.Runner) -> None:
        self._thing, self._runner = thing, runner

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._thing, name)
        if isinstance(value, AsyncPlace):
            return Synced(value, self._runner)
        return (lambda *args, **kwargs: self._done(value(*args, **kwargs))) if callable(value) else value

    def __enter__(self) -> Self:
        self._runner.run(self._thing.__aenter__())
        return self

    def __exit__(self, *error: object) -> None:
        self._runner.run(self._thing.__aexit__(*error))

    def _done(self, result: Any) -> Any:
        if inspect.isawaitable(result):
            result = self._runner.run(_awaited(result))
        return Synced(result, self._runner) if isinstance(result, AsyncRun | AsyncHold) else result


async def _awaited(result: Any) -> Any:
    return await result


def opened(url: str, runner: asyncio.Runner, *, is_async: bool, tenant: str = "acme", clock: Any = utc_now) -> Any:
    """Open the library's face over a database, sync or async, to be used alike."""
    caller = Caller(tenant, "ana", clock)
    if is_async:
        return Synced(AsyncComptroller(create_async_engine(url), caller), runner)
    return Comptroller(create_engine(url), caller)
