"""Bulk loading: COPY on PostgreSQL, ``executemany`` on SQLite; nothing per row in Python."""

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from sqlalchemy import Connection
from sqlalchemy.util import await_only


def copy_into(conn: Connection, table: str, columns: Sequence[str], blocks: Iterable[bytes]) -> None:
    """Send CSV blocks to a PostgreSQL table over the session's own connection, in its transaction."""
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT csv)"
    driver: Any = conn.connection.driver_connection
    if isinstance(driver, psycopg.AsyncConnection):
        await_only(_copy_async(driver, statement, blocks))
        return
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for block in blocks:
            copy.write(block)


async def _copy_async(driver: "psycopg.AsyncConnection[Any]", statement: str, blocks: Iterable[bytes]) -> None:
    async with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for block in blocks:
            await copy.write(block)


def insert_into(conn: Connection, table: str, columns: Sequence[str], batches: Iterable[list[tuple[Any, ...]]]) -> None:
    """Insert batches of tuples into an SQLite table, in the session's transaction."""
    marks = ", ".join("?" * len(columns))
    statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
    for batch in batches:
        conn.exec_driver_sql(statement, batch)
