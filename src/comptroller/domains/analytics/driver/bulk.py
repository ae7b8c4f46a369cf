"""Bulk loading: COPY on PostgreSQL, ``executemany`` on SQLite; nothing per row in Python."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import psycopg
from sqlalchemy import Connection
from sqlalchemy.util import await_only

from comptroller.errors import StorageError


def copy_into(conn: Connection, table: str, columns: Sequence[str], blocks: Iterable[bytes]) -> None:
    """Send CSV blocks to a PostgreSQL table over the session's own connection, in its transaction.

    Raises:
        StorageError: If the database does not take them.
    """
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT csv)"
    driver: Any = conn.connection.driver_connection
    try:
        if isinstance(driver, psycopg.AsyncConnection):
            await_only(_copy_async(driver, statement, blocks))
        else:
            _copy(driver, statement, blocks)
    except psycopg.Error as error:  # SQLAlchemy does not see what the driver is told directly
        raise StorageError(f"the database did not take the rows of {table}: {' '.join(str(error).split())}") from error


def _copy(driver: "psycopg.Connection[Any]", statement: str, blocks: Iterable[bytes]) -> None:
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for block in blocks:
            copy.write(block)


async def _copy_async(driver: "psycopg.AsyncConnection[Any]", statement: str, blocks: Iterable[bytes]) -> None:
    async with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for block in blocks:
            await copy.write(block)


def insert_into(
    conn: Connection,
    table: str,
    columns: Sequence[str],
    batches: Iterable[list[tuple[Any, ...]]],
    constants: Mapping[str, object] | None = None,
) -> None:
    """Insert batches of tuples into an SQLite table, in the session's transaction.

    Args:
        conn: The session's connection.
        table: Its name.
        columns: All columns, in the order of the tuples.
        batches: The rows, without the columns that ``constants`` has.
        constants: Values that every row has: they stand in the statement once, which halves the work per row.
    """
    written = {name: _literal(value) for name, value in (constants or {}).items()}
    values = ", ".join(written.get(name, "?") for name in columns)
    statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})"
    for batch in batches:
        conn.exec_driver_sql(statement, batch)


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str) and "\0" not in value:
        return "'" + value.replace("'", "''") + "'"
    raise TypeError(f"{value!r} cannot stand in a statement")
