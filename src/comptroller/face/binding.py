"""How a name of the library reaches its operation: sync, async, or inside the caller's own transaction.

Each area of the face is declared once, as a class whose attributes are ``verb(operation)``. Mixed with a place it
becomes the sync, the async or the in-session form of that area, with the operation's own arguments.
"""

from collections.abc import Callable, Coroutine
from typing import Any, Generic, ParamSpec, TypeVar, overload

from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import Session

from comptroller.spine.orchestrator.operation import Operation, Procedure
from comptroller.types.caller import Caller

P = ParamSpec("P")
R = TypeVar("R")


class SyncPlace:
    """Runs each verb in a transaction of its own."""

    def __init__(self, engine: Engine, caller: Caller) -> None:
        self.engine = engine
        self.caller = caller


class AsyncPlace:
    """Runs each verb in a transaction of its own, as a coroutine."""

    def __init__(self, engine: AsyncEngine, caller: Caller) -> None:
        self.engine = engine
        self.caller = caller


class SessionPlace:
    """Runs each verb inside the caller's transaction: flushes, never commits."""

    def __init__(self, session: Session, caller: Caller) -> None:
        self.session = session
        self.caller = caller


class RemotePlace:
    """Asks a server to run each verb."""

    def call(self, use_case: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Have a use case run there and return its answer."""
        raise NotImplementedError


class Verb(Generic[P, R]):
    """One name of the face; reading it from an area gives a function with the operation's own arguments."""

    def __init__(self, use_case: Operation[P, R] | Procedure[P, R]) -> None:
        self._use_case = use_case
        self.__doc__ = use_case.__doc__

    @overload
    def __get__(self, place: None, owner: type[Any]) -> "Verb[P, R]": ...
    @overload
    def __get__(self, place: SyncPlace, owner: type[Any]) -> Callable[P, R]: ...
    @overload
    def __get__(self, place: AsyncPlace, owner: type[Any]) -> Callable[P, Coroutine[Any, Any, R]]: ...
    @overload
    def __get__(self, place: RemotePlace, owner: type[Any]) -> Callable[P, R]: ...
    @overload
    def __get__(self, place: SessionPlace, owner: type[Any]) -> Callable[P, R]: ...
    def __get__(self, place: Any, owner: type[Any]) -> Any:
        if place is None:
            return self

        def bound(*args: P.args, **kwargs: P.kwargs) -> Any:
            if isinstance(place, RemotePlace):
                return place.call(self._use_case, args, kwargs)
            if isinstance(place, AsyncPlace):
                return self._use_case.run_async(place.engine, place.caller, *args, **kwargs)
            if isinstance(place, SyncPlace):
                return self._use_case.run(place.engine, place.caller, *args, **kwargs)
            if isinstance(self._use_case, Procedure):
                raise TypeError(f"{self._use_case.__name__} owns its transactions: call it outside in_session")
            return self._use_case.within(place.session, place.caller, *args, **kwargs)

        bound.__doc__, bound.__name__ = self.__doc__, self._use_case.__name__
        return bound


def verb(use_case: Operation[P, R] | Procedure[P, R]) -> Verb[P, R]:
    """Name an operation or procedure in the face."""
    return Verb(use_case)
