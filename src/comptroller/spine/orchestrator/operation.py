"""Operations own the transaction: the only commit of the package stands here.

An ``Operation`` is one use case in one transaction, written once as a function over a sync ``Session`` and a
``Caller``. A ``Procedure`` strings operations and outside work (files, sums) together, with no transaction open
between its steps. Both run sync and async from one body.
"""

import asyncio
import inspect
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Concatenate, Final, Generic, NoReturn, ParamSpec, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import Session

from comptroller.database import bind_tenant
from comptroller.errors import ConflictError, StorageError
from comptroller.transaction import begin_immediate
from comptroller.types.caller import Caller

P = ParamSpec("P")
R = TypeVar("R")
ATTEMPTS: Final = 5  # a serialization failure or deadlock that repeats five times is no accident
_RETRYABLE: Final = frozenset({"40001", "40P01"})


class Operation(Generic[P, R]):
    """One use case in one transaction.

    Args:
        body: Takes a session that it neither opened nor ends, the caller, and the use case's own arguments.
        reads: True if it writes nothing; SQLite then takes no write lock.
    """

    def __init__(self, body: Callable[Concatenate[Session, Caller, P], R], *, reads: bool = False) -> None:
        self._body = body
        self._reads = reads
        self.__signature__ = _callers_part(body, 2)
        self.__doc__ = body.__doc__
        self.__name__ = getattr(body, "__name__", "operation")

    def run(self, engine: Engine, caller: Caller, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Begin, do, commit; the whole body again after a serialization failure or a deadlock."""
        for left in range(ATTEMPTS, 0, -1):
            with Session(engine, expire_on_commit=False) as session:
                try:
                    result = self._begun(session, caller, *args, **kwargs)
                    session.commit()
                except DBAPIError as error:
                    session.rollback()
                    if left == 1 or not is_retryable(error):
                        raise_translated(error)
                else:
                    return result
        raise AssertionError  # pragma: no cover — the last attempt returns or raises

    async def run_async(self, engine: AsyncEngine, caller: Caller, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Do the same as ``run`` from asyncio."""
        for left in range(ATTEMPTS, 0, -1):
            async with AsyncSession(engine, expire_on_commit=False) as session:
                try:
                    result = await session.run_sync(self._begun, caller, *args, **kwargs)
                    await session.commit()
                except DBAPIError as error:
                    await session.rollback()
                    if left == 1 or not is_retryable(error):
                        raise_translated(error)
                else:
                    return result
        raise AssertionError  # pragma: no cover — the last attempt returns or raises

    def within(self, session: Session, caller: Caller, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Do it inside the caller's own transaction: begins and ends nothing."""
        return self._body(session, caller, *args, **kwargs)

    def _begun(self, session: Session, caller: Caller, /, *args: P.args, **kwargs: P.kwargs) -> R:
        conn = session.connection()
        if not self._reads:
            begin_immediate(conn)
        bind_tenant(conn, caller.tenant)
        return self._body(session, caller, *args, **kwargs)


def operation(body: Callable[Concatenate[Session, Caller, P], R]) -> Operation[P, R]:
    """Make a use case that writes."""
    return Operation(body)


def reading(body: Callable[Concatenate[Session, Caller, P], R]) -> Operation[P, R]:
    """Make a use case that only reads."""
    return Operation(body, reads=True)


def _callers_part(body: Callable[..., Any], given: int) -> inspect.Signature:
    """Return a body's signature without what an operation gives it."""
    signature = inspect.signature(body)
    return signature.replace(parameters=list(signature.parameters.values())[given:])


def is_retryable(error: BaseException | None) -> bool:
    """Tell whether a serialization failure or a deadlock stands anywhere in the chain of causes."""
    while error is not None:
        if getattr(getattr(error, "orig", error), "sqlstate", None) in _RETRYABLE:
            return True
        error = error.__cause__
    return False


def raise_translated(error: DBAPIError) -> NoReturn:
    """Raise StorageError where the database could not do it, ConflictError where a rule of it was broken."""
    why = " ".join(str(error.orig).split())
    if isinstance(error, IntegrityError):
        raise ConflictError(f"somebody else wrote the same at this moment, begin again: {why}") from error
    raise StorageError(f"the database could not do it: {why}") from error


@dataclass(frozen=True, slots=True)
class Do:
    """A procedure's step: an operation in a transaction of its own."""

    operation: Operation[Any, Any]
    args: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Work:
    """A procedure's step outside any transaction: reading files, sums over arrays."""

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()


Steps = Generator[Do | Work, Any, R]


class Procedure(Generic[P, R]):
    """A use case of several transactions; each step is durable before the next begins.

    Args:
        body: A generator function over the caller and the use case's arguments; it yields ``Do`` and ``Work``.
    """

    def __init__(self, body: Callable[Concatenate[Caller, P], Steps[R]]) -> None:
        self._body = body
        self.__signature__ = _callers_part(body, 1)
        self.__doc__ = body.__doc__
        self.__name__ = getattr(body, "__name__", "procedure")

    def run(self, engine: Engine, caller: Caller, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Take the steps one after the other; a failed step closes the body, which gives back what it holds."""
        return self._take(
            self.steps(caller, *args, **kwargs), lambda step: step.operation.run(engine, caller, *step.args)
        )

    def rehearse(self, engine: Engine, caller: Caller, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Do everything in one transaction and roll it back: the answer of ``run``, and nothing written."""
        with Session(engine, expire_on_commit=False) as session:
            try:
                return self._take(
                    self.steps(caller, *args, **kwargs), lambda step: step.operation.within(session, caller, *step.args)
                )
            except DBAPIError as error:
                raise_translated(error)
            finally:
                session.rollback()

    def steps(self, caller: Caller, /, *args: P.args, **kwargs: P.kwargs) -> Steps[R]:
        """Return the steps, for a procedure that is made of others (``yield from``)."""
        return self._body(caller, *args, **kwargs)

    def _take(self, steps: Steps[R], do: Callable[["Do"], Any]) -> R:
        result: Any = None
        with closing(steps):
            while True:
                try:
                    step = steps.send(result)
                except StopIteration as end:
                    return end.value  # type: ignore[no-any-return]  # a generator's return value is untyped here
                result = do(step) if isinstance(step, Do) else step.function(*step.args)

    async def run_async(self, engine: AsyncEngine, caller: Caller, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Do the same as ``run`` from asyncio; outside work goes to a thread."""
        steps = self._body(caller, *args, **kwargs)
        result: Any = None
        with closing(steps):
            while True:
                try:
                    step = steps.send(result)
                except StopIteration as end:
                    return end.value  # type: ignore[no-any-return]  # a generator's return value is untyped here
                if isinstance(step, Do):
                    result = await step.operation.run_async(engine, caller, *step.args)
                else:
                    result = await asyncio.to_thread(step.function, *step.args)


def procedure(body: Callable[Concatenate[Caller, P], Steps[R]]) -> Procedure[P, R]:
    """Make a use case of several transactions."""
    return Procedure(body)
