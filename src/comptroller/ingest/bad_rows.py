"""Rows that cannot be taken in: where they stand, what is wrong with them."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

import duckdb

from comptroller.ingest.checks import Check
from comptroller.ingest.load import IS_BAD, ROW_NO
from comptroller.ingest.reading import Reading
from comptroller.ingest.table import MAX_BROKEN_ROWS, Table

MAX_SHOWN: Final = 20
MAX_VALUE: Final = 80
_BLOCK: Final = 1 << 20
_PEEK: Final = 1 << 10
_BROKEN: Final = {
    "MISSING COLUMNS": "fewer columns than the header has",
    "TOO MANY COLUMNS": "more columns than the header has",
    "UNQUOTED VALUE": "a quote that is not closed, or text after a closing quote",
    "LINE SIZE OVER MAXIMUM": "longer than a line of a bill can be",
    "INVALID ENCODING": "not UTF-8: save the file as UTF-8",
    "INVALID STATE": "no CSV as RFC 4180 has it",
}


# After these the reader may have taken up again in the middle of a value: what follows cannot be trusted.
_DOUBTFUL: Final = ("UNQUOTED VALUE", "LINE SIZE OVER MAXIMUM", "INVALID STATE")


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was not taken in.

    Args:
        file: As given.
        line: Line of the file where the row begins, from 1; its number among the rows where a file has no lines.
        column: The column at fault, as the file names it; empty if it is the row as a whole.
        value: What stands there, cut at 80 characters; None if nothing does.
        reason: What is wrong, with the mend where there is one.
    """

    file: Path
    line: int
    column: str
    value: str | None
    reason: str

    def __str__(self) -> str:
        """Return the row as it is reported to a person."""
        where = f"{self.file}: line {self.line}" + (f", {self.column}" if self.column else "")
        shown = "" if self.value is None else f" {self.value!r}"
        return f"{where}{shown}: {self.reason}"


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """A file whose rows are in ``lines``, behind so many of other files."""

    table: Table
    reading: Reading
    rows_before: int
    row_count: int


def count_bad(connection: duckdb.DuckDBPyConnection) -> int:
    """Return how many rows were refused by a check or were too broken to be read."""
    refused = _number(connection, f"select count(*) from lines where {IS_BAD}")
    if not _has_rejects(connection):
        return refused
    return refused + _number(connection, "select count(distinct (scan_id, line_byte_position)) from reject_errors")


def has_doubtful(connection: duckdb.DuckDBPyConnection) -> bool:
    """Say whether a row is broken in a way that puts the rows behind it in doubt, so that it cannot be skipped.

    So many broken rows that they were no longer counted are in doubt altogether.
    """
    kinds = ", ".join(f"'{kind}'" for kind in _DOUBTFUL)
    if not _has_rejects(connection):
        return False
    per_file = "(select count(*) as rows from reject_errors group by scan_id)"
    most = _number(connection, f"select coalesce(max(rows), 0) from {per_file}")
    if most >= MAX_BROKEN_ROWS:
        return True
    return bool(_number(connection, f"select count(*) from reject_errors where error_type::varchar in ({kinds})"))


def first_bad(
    connection: duckdb.DuckDBPyConnection, files: Sequence[LoadedFile], checks: Sequence[Check]
) -> tuple[BadRow, ...]:
    """Return the first bad rows, in the order of files and lines."""
    rows: list[BadRow] = []
    for file_no, file in enumerate(files):
        if len(rows) >= MAX_SHOWN:
            break
        broken = _broken(connection, file)
        judged = _judged(connection, file_no, file, checks, {row.line for row in broken})
        rows += sorted([*broken, *judged], key=lambda row: row.line)
    return tuple(rows[:MAX_SHOWN])


def _number(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    return int(connection.execute(sql).fetchall()[0][0])


def _has_rejects(connection: duckdb.DuckDBPyConnection) -> bool:
    return _number(connection, "select count(*) from duckdb_tables() where table_name = 'reject_errors'") > 0


def _broken(connection: duckdb.DuckDBPyConnection, file: LoadedFile) -> list[BadRow]:
    if not file.table.is_csv or not _has_rejects(connection):
        return []
    found = connection.execute(
        "select errors.line_byte_position, first(errors.error_type::varchar), first(errors.csv_line) "
        "from reject_errors as errors join reject_scans as scans using (scan_id, file_id) "
        f"where scans.file_path = ? group by errors.line_byte_position order by 1 limit {MAX_SHOWN}",
        [str(file.table.file.readable)],
    ).fetchall()
    lines = _lines_at([row[0] for row in found], file.table.file.readable)
    return [
        BadRow(file.table.file.path, line, "", str(text or "").strip("\r\n")[:MAX_VALUE], _BROKEN.get(kind, kind))
        for line, (_, kind, text) in zip(lines, found, strict=True)
    ]


def _lines_at(positions: Sequence[int], path: Path) -> list[int]:
    """Count the lines before byte positions, which ascend; blank lines before a row are not part of it."""
    lines: list[int] = []
    line, offset = 1, 0
    with path.open("rb") as stream:
        for position in positions:
            while offset < position:
                block = stream.read(min(_BLOCK, position - offset))
                if not block:
                    break
                line += block.count(b"\n")
                offset += len(block)
            ahead = stream.read(_PEEK)
            lines.append(line + ahead[: len(ahead) - len(ahead.lstrip(b"\r\n"))].count(b"\n"))
            stream.seek(offset)
    return lines


def _judged(
    connection: duckdb.DuckDBPyConnection,
    file_no: int,
    file: LoadedFile,
    checks: Sequence[Check],
    broken_lines: set[int],
) -> list[BadRow]:
    found = connection.execute(
        f"select {ROW_NO}, bad_check, bad_value from lines where file_no = ? and {IS_BAD} order by 1 limit {MAX_SHOWN}",
        [file_no],
    ).fetchall()
    places = [row[0] - 1 - file.rows_before for row in found]
    lines = line_numbers(file.table, places, broken_lines)
    return [
        BadRow(
            file.table.file.path,
            line,
            file.reading.origin(checks[check].field),
            None if value is None else str(value)[:MAX_VALUE],
            checks[check].reason,
        )
        for line, (_, check, value) in zip(lines, found, strict=True)
    ]


def line_numbers(table: Table, places: Sequence[int], broken_lines: set[int]) -> list[int]:
    """Return the line on which each row begins; rows are counted from 0 without the broken ones, ascending.

    A row may span lines, so the file is read again up to the last of them. A file without lines has row numbers.
    """
    if not table.is_csv or not places:
        return [place + 1 for place in places]
    lines: list[int] = []
    with table.file.readable.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        try:
            for row, line in enumerate(_row_starts(stream, table, broken_lines)):
                if row == places[len(lines)]:
                    lines.append(line)
                if len(lines) == len(places):
                    break
        except csv.Error:  # a field beyond this reader's bound; the rows behind it go by their number
            pass
    return lines + [place + 2 + table.skip for place in places[len(lines) :]]


def _row_starts(stream: TextIO, table: Table, broken_lines: set[int]) -> Iterator[int]:
    reader = csv.reader(stream, delimiter=table.delimiter)
    start = 1
    is_header = True
    for record in reader:
        if record and start not in broken_lines:
            if not is_header:
                yield start
            is_header = False
        start = reader.line_num + 1
