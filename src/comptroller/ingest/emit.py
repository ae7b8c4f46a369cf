"""The checked rows in the two forms in which databases take them: tuples for SQLite, COPY bytes for PostgreSQL."""

import os
import threading
from collections.abc import Iterator
from typing import Final

import duckdb

from comptroller.ingest.columns import COST_ROW_COLUMNS, DAILY_COLUMNS, HOURLY_COLUMNS
from comptroller.ingest.values import literal

BATCH_ROWS: Final = 10_000
COPY_BLOCK_BYTES: Final = 1 << 18
_TIMES: Final = frozenset({"charge_start", "charge_end", "hour_at"})
_TABLES: Final = {"cost_lines": COST_ROW_COLUMNS, "daily_sums": DAILY_COLUMNS, "hourly_sums": HOURLY_COLUMNS}


def selection(table: str, *, tenant_id: str, delivery_id: str, where: str, as_sqlite: bool) -> str:
    """Return the SELECT of a table's columns in the order in which they are stored.

    Args:
        table: ``cost_lines``, ``daily_sums`` or ``hourly_sums``.
        tenant_id: Repeated in every row.
        delivery_id: Repeated in every row.
        where: Which rows.
        as_sqlite: Times and days as the text that SQLAlchemy keeps on SQLite, else as PostgreSQL reads them.
    """
    fixed = {"tenant_id": f"{literal(tenant_id)}", "delivery_id": f"{literal(delivery_id)}"}
    columns = [fixed.get(column) or _column(column, as_sqlite=as_sqlite) for column in _TABLES[table]]
    return f"select {', '.join(columns)} from {table} where {where}"


def _column(column: str, *, as_sqlite: bool) -> str:
    if column in _TIMES:
        return f"strftime({column}, '%Y-%m-%d %H:%M:%S.%f')" if as_sqlite else f"{column}::varchar || '+00'"
    if column == "day":
        return "day::varchar"
    if column.endswith("_quanta") or column == "row_count":
        return f"{column}::bigint"
    return column


def batches(connection: duckdb.DuckDBPyConnection, select: str, *, size: int) -> Iterator[list[tuple[object, ...]]]:
    """Yield the rows as lists of tuples for ``executemany``."""
    cursor = connection.cursor()
    cursor.execute("use bill")
    try:
        cursor.execute(select)
        while batch := cursor.fetchmany(size):
            yield batch
    finally:
        cursor.close()


def copy_bytes(connection: duckdb.DuckDBPyConnection, select: str) -> Iterator[bytes]:
    """Yield the rows as CSV for ``COPY … FROM STDIN (FORMAT csv)``; DuckDB writes them into a pipe as they are read."""
    reading, writing = os.pipe()
    cursor = connection.cursor()
    cursor.execute("use bill")
    writer = _Writer(cursor, f"copy ({select}) to '/dev/fd/{writing}' (format csv, header false)", writing)
    writer.start()
    try:
        with open(reading, "rb", buffering=0) as stream:  # noqa: PTH123 - a descriptor, not a path
            while block := stream.read(COPY_BLOCK_BYTES):
                yield block
    finally:
        writer.finish()
        cursor.close()
    writer.check()


class _Writer(threading.Thread):
    """Runs one COPY into a pipe; the reader's going away ends it."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, statement: str, descriptor: int) -> None:
        super().__init__(name="comptroller-copy", daemon=True)
        self._cursor = cursor
        self._statement = statement
        self._descriptor = descriptor
        self._error: duckdb.Error | None = None

    def run(self) -> None:
        try:
            self._cursor.execute(self._statement)
        except duckdb.Error as error:
            self._error = error
        finally:
            os.close(self._descriptor)

    def finish(self) -> None:
        """Wait for the end; a reader that left early has closed the pipe, so the write fails."""
        self.join()

    def check(self) -> None:
        """Raise what the COPY met."""
        if self._error is not None:
            raise self._error
