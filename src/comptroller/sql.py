"""Statements written once with ``:name`` parameters, kept ready for each driver."""

import re
from asyncio import CancelledError
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, CursorResult
from sqlalchemy.engine.interfaces import DBAPICursor

_PARAMETER: Final = re.compile(r"(?<!:):([a-z_]+)")
_JSON_CAST: Final = re.compile(r"CAST\((:[a-z_]+|'[^']*') AS JSONB\)")

_PLAIN: Final = frozenset({str, int})


class Statement:
    """One statement in both dialects; executing it skips compilation and never flushes the session.

    Args:
        postgresql: The statement with ``:name`` parameters.
        sqlite: SQLite's wording where it differs by more than ``CAST(… AS JSONB)``.
    """

    def __init__(self, postgresql: str, sqlite: str | None = None) -> None:
        self._texts = {
            "postgresql": _PARAMETER.sub(r"%(\1)s", postgresql),
            "sqlite": _JSON_CAST.sub(r"\1", sqlite or postgresql),
        }

    def execute(self, conn: Connection, parameters: Mapping[str, Any]) -> CursorResult[*tuple[Any, ...]]:
        """Execute over the connection; instants and decimals take the form in which SQLite stores them."""
        return self.execute_bound(conn, bound(conn, parameters))

    def execute_bound(self, conn: Connection, parameters: Mapping[str, Any]) -> CursorResult[*tuple[Any, ...]]:
        """Execute with parameters that ``bound`` has prepared, for several statements that share them."""
        return conn.exec_driver_sql(self._texts[conn.dialect.name], parameters)

    def text(self, dialect_name: str) -> str:
        """Return the statement as the dialect's driver takes it."""
        return self._texts[dialect_name]


def bound(conn: Connection, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the parameters as the connection's driver takes them."""
    return as_lite(parameters) if conn.dialect.name == "sqlite" else parameters


def write_in_turn(conn: Connection, statements: Sequence[Statement], parameters: Mapping[str, Any]) -> bool:
    """Execute statements that share their bound parameters, the others only if the first one wrote a row.

    The first one may answer with rows (``RETURNING``) or a count. All share one cursor of the driver: SQLAlchemy's
    result objects, and with an async driver the cursors' openings, cost more than the rows. Where somebody listens
    to statements (tracing, echo) each is executed in SQLAlchemy's own way, so that nothing is hidden.

    Returns:
        Whether the first one wrote a row.
    """
    if _is_watched(conn):
        return _write_each(conn, statements, parameters)
    cursor = conn.connection.cursor()
    try:
        for at, statement in enumerate(statements):
            _execute_on(cursor, conn, statement, parameters)
            if at == 0 and cursor.rowcount == 0:
                return False
    finally:
        cursor.close()
    return True


def _is_watched(conn: Connection) -> bool:
    ours = 1
    return bool(
        conn._echo  # noqa: SLF001 — no public way
        or len(conn.dispatch.before_cursor_execute) > ours
        or len(conn.dispatch.after_cursor_execute)
    )


def _write_each(conn: Connection, statements: Sequence[Statement], parameters: Mapping[str, Any]) -> bool:
    first, *others = statements
    result = first.execute_bound(conn, parameters)
    if (result.first() is None) if result.returns_rows else (result.rowcount == 0):
        return False
    for statement in others:
        statement.execute_bound(conn, parameters)
    return True


def _execute_on(cursor: DBAPICursor, conn: Connection, statement: Statement, parameters: Mapping[str, Any]) -> None:
    text = statement.text(conn.dialect.name)
    try:
        cursor.execute(text, parameters)
    except (conn.dialect.loaded_dbapi.Error, CancelledError) as error:
        # SQLAlchemy's own handler wraps it, tells listeners, gives up a dead connection, and never returns.
        conn._handle_dbapi_exception(error, text, dict(parameters), cursor, None)  # noqa: SLF001 — no public way


def as_lite(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters as SQLite's driver takes them."""
    return {
        name: value if value is None or type(value) in _PLAIN else lite_value(value)
        for name, value in parameters.items()
    }


def lite_value(value: Any) -> Any:
    """Return one value as SQLite stores it: instants as UTC text, decimals as plain digits."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(" ", "microseconds").removesuffix("+00:00")
    return format(value, "f") if isinstance(value, Decimal) else value
