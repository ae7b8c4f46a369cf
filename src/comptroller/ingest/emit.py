"""The checked rows in the two forms in which databases take them: tuples for SQLite, COPY bytes for PostgreSQL."""

import os
import threading
import uuid
from collections.abc import Collection, Iterator
from datetime import date
from pathlib import Path
from typing import Final

import duckdb

from comptroller.ingest.columns import COST_ROW_COLUMNS, DAILY_COLUMNS, HOURLY_COLUMNS
from comptroller.ingest.values import literal

BATCH_ROWS: Final = 10_000
COPY_BLOCK_BYTES: Final = 1 << 18
_DESCRIPTORS: Final = Path("/dev/fd")
_TIMES: Final = frozenset({"charge_start", "charge_end", "hour_at"})
# What the caller gives, and what nearly always differs from row to row.
_VARYING: Final = frozenset({"tenant_id", "delivery_id", "row_no", "day", *_TIMES})
COST_LINES: Final = "cost_lines"
DAILY_SUMS: Final = "daily_sums"
HOURLY_SUMS: Final = "hourly_sums"
_TABLES: Final = {COST_LINES: COST_ROW_COLUMNS, DAILY_SUMS: DAILY_COLUMNS, HOURLY_SUMS: HOURLY_COLUMNS}


def of_part(table: str, part_no: int, billing_account: str, period_start: date) -> str:
    """Return the condition of one part's rows; what is implied lets DuckDB skip blocks of other accounts and months."""
    condition = f"part_no = {part_no}"
    if table != COST_LINES:
        return condition
    account, start = literal(billing_account), literal(period_start.isoformat())
    return f"{condition} and billing_account = {account} and period_start = {start}"


def constants(connection: duckdb.DuckDBPyConnection, where: str) -> dict[str, object]:
    """Return the cost-row columns in which all rows have one value (or none has any), with that value."""
    columns = [name for name in COST_ROW_COLUMNS if name not in _VARYING and not name.endswith("_quanta")]
    firsts = ", ".join(f"min({name}), max({name}), count({name})" for name in columns)
    found = connection.execute(f"select count(*), {firsts} from {COST_LINES} where {where}").fetchall()[0]
    rows, facts = found[0], zip(columns, found[1::3], found[2::3], found[3::3], strict=True)
    return {name: least for name, least, most, count in facts if least == most and count in (0, rows)}


def selection(
    table: str, *, tenant_id: str, delivery_id: str, where: str, as_sqlite: bool, leave_out: Collection[str] = ()
) -> str:
    """Return the SELECT of a table's columns in the order in which they are stored.

    Args:
        table: ``cost_lines``, ``daily_sums`` or ``hourly_sums``.
        tenant_id: Repeated in every row.
        delivery_id: Repeated in every row.
        where: Which rows.
        as_sqlite: Times and days as the text that SQLAlchemy keeps on SQLite, else as PostgreSQL reads them.
        leave_out: Columns that are not wanted.
    """
    fixed = {"tenant_id": f"{literal(tenant_id)}", "delivery_id": f"{literal(delivery_id)}"}
    wanted = [column for column in _TABLES[table] if column not in leave_out]
    columns = [fixed.get(column) or _column(column, as_sqlite=as_sqlite) for column in wanted]
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


def copy_bytes(connection: duckdb.DuckDBPyConnection, select: str, folder: Path) -> Iterator[bytes]:
    """Yield the rows as CSV for ``COPY … FROM STDIN (FORMAT csv)``, which DuckDB writes while they are read.

    Args:
        connection: The scratch database.
        select: What to copy.
        folder: Where the CSV may stand as a file, on a system whose pipes have no names.
    """
    if _DESCRIPTORS.exists():
        return _piped(connection, select)
    return _through_file(connection, select, folder / f"copy{uuid.uuid4().hex}.csv")


def _piped(connection: duckdb.DuckDBPyConnection, select: str) -> Iterator[bytes]:
    reading, writing = os.pipe()
    cursor = connection.cursor()
    cursor.execute("use bill")
    writer = _Writer(cursor, _copy_to(select, f"{_DESCRIPTORS}/{writing}"), writing)
    writer.start()
    try:
        with open(reading, "rb", buffering=0) as stream:  # noqa: PTH123 - a descriptor, not a path
            while block := stream.read(COPY_BLOCK_BYTES):
                yield block
    finally:
        writer.join()  # a reader that left early has closed the pipe, so the write has ended too
        cursor.close()
    writer.check()


def _through_file(connection: duckdb.DuckDBPyConnection, select: str, path: Path) -> Iterator[bytes]:
    connection.execute(_copy_to(select, str(path)))
    with path.open("rb", buffering=0) as stream:
        while block := stream.read(COPY_BLOCK_BYTES):
            yield block
    path.unlink()


def _copy_to(select: str, path: str) -> str:
    return f"copy ({select}) to {literal(path)} (format csv, header false)"


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

    def check(self) -> None:
        """Raise what the COPY met."""
        if self._error is not None:
            raise self._error
