"""One test body over every kind of session that an application may bring.

``Governed`` shows a sync or async session of SQLAlchemy or SQLModel under one face; what it calls is the real session.
"""

import asyncio
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

import sqlmodel
import sqlmodel.ext.asyncio.session
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.sql import Executable

Parameters = Mapping[str, Any] | list[Mapping[str, Any]]


class SessionKind(StrEnum):
    """The kinds of session that the contract accepts."""

    SQLALCHEMY = "session"
    SQLMODEL = "sqlmodel"
    SQLALCHEMY_ASYNC = "async-session"
    SQLMODEL_ASYNC = "sqlmodel-async"

    @property
    def is_async(self) -> bool:
        """Tell whether its methods are coroutines."""
        return self in {SessionKind.SQLALCHEMY_ASYNC, SessionKind.SQLMODEL_ASYNC}


SESSION_CLASSES: dict[SessionKind, type] = {
    SessionKind.SQLALCHEMY: Session,
    SessionKind.SQLMODEL: sqlmodel.Session,
    SessionKind.SQLALCHEMY_ASYNC: AsyncSession,
    SessionKind.SQLMODEL_ASYNC: sqlmodel.ext.asyncio.session.AsyncSession,
}


def async_url(url: str | URL) -> URL:
    """Return the same database's URL for an async engine."""
    parsed = make_url(url)
    return parsed.set(drivername="sqlite+aiosqlite") if parsed.get_backend_name() == "sqlite" else parsed


def bare_engine(url: str, *, is_async: bool) -> Engine | AsyncEngine:
    """Make an engine as an application does that knows nothing of comptroller."""
    return create_async_engine(async_url(url)) if is_async else create_engine(url)


class Governed:
    """One session under test.

    Args:
        kind: Which class of session to open.
        engine: A sync or async engine, as the kind needs.
        runner: Runs the coroutines of this test; one for all its sessions.
        url: The database's sync URL.
    """

    def __init__(self, kind: SessionKind, engine: Engine | AsyncEngine, runner: asyncio.Runner, url: str) -> None:
        self.kind = kind
        self.url = url
        self.engine = engine
        self._runner = runner
        self._others: list[Governed] = []
        self.session: Any = SESSION_CLASSES[kind](engine)

    @property
    def is_async(self) -> bool:
        """Tell whether the session's methods are coroutines."""
        return self.kind.is_async

    @property
    def dialect(self) -> str:
        """Return ``sqlite`` or ``postgresql``."""
        return make_url(self.url).get_backend_name()

    def result(self, value: Any) -> Any:
        """Return a value, awaited if it is a coroutine."""
        return self._runner.run(value) if inspect.iscoroutine(value) else value

    def call(self, sync_function: Callable[..., Any], async_function: Callable[..., Any], /, **arguments: Any) -> Any:
        """Call the twin that fits the session, with the session as its ``session`` argument."""
        function = async_function if self.is_async else sync_function
        return self.result(function(session=self.session, **arguments))

    def run(self, body: Callable[[Session], Any]) -> Any:
        """Run a sync body over the session, bridged if it is async."""
        return self.result(self.session.run_sync(body)) if self.is_async else body(self.session)

    def on_connection(self, body: Callable[[Connection], Any]) -> Any:
        """Run a sync body over the connection on which the session works."""
        return self.run(lambda session: body(session.connection()))

    def execute(self, statement: str | Executable, parameters: Parameters | None = None) -> list[Any]:
        """Execute in the session and return the rows, if it gives any."""
        prepared = text(statement) if isinstance(statement, str) else statement

        def body(session: Session) -> list[Any]:
            result = Session.execute(session, prepared, parameters)
            return list(result.all()) if result.returns_rows else []  # type: ignore[attr-defined]  # CursorResult has it

        rows: list[Any] = self.run(body)
        return rows

    def scalar(self, statement: str | Executable, parameters: Parameters | None = None) -> Any:
        """Execute in the session and return the first row's first value; None without a row."""
        rows = self.execute(statement, parameters)
        return rows[0][0] if rows else None

    def add(self, *rows: object) -> None:
        """Put mapped rows into the session."""
        self.session.add_all(rows)

    def flush(self) -> None:
        """Flush the session."""
        self.result(self.session.flush())

    def commit(self) -> None:
        """Commit by the session."""
        self.result(self.session.commit())

    def commit_connection(self) -> None:
        """Commit as ``session.connection().commit()`` does."""
        self.on_connection(lambda connection: connection.commit())

    def rollback(self) -> None:
        """Roll the session back."""
        self.result(self.session.rollback())

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Run a block under a savepoint: released at its end, rolled back by an exception."""
        transaction = self.run(lambda session: session.begin_nested())
        try:
            yield
        except BaseException:
            self.run(lambda _: transaction.rollback())
            raise
        self.run(lambda _: transaction.commit())

    def another(self) -> "Governed":
        """Open a second session of the same kind on the same engine; closed with this one."""
        other = Governed(self.kind, self.engine, self._runner, self.url)
        self._others.append(other)
        return other

    def committed(self, statement: str, parameters: Mapping[str, Any] | None = None) -> list[Any]:
        """Return what a stranger's connection reads, so only what is committed."""
        stranger = create_engine(self.url)
        try:
            with stranger.connect() as connection:
                return list(connection.execute(text(statement), parameters or {}).all())
        finally:
            stranger.dispose()

    def close(self) -> None:
        """Close the session and those opened beside it."""
        for other in self._others:
            other.close()
        self.result(self.session.close())


@contextmanager
def governed_session(kind: SessionKind, engine: Engine | AsyncEngine, url: str) -> Iterator[Governed]:
    """Open a session under test and clear away after it."""
    with asyncio.Runner() as runner:
        governed = Governed(kind, engine, runner, url)
        try:
            yield governed
        finally:
            governed.close()
            governed.result(engine.dispose())
