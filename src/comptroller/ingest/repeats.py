"""Rows that come twice: the same use of a model once more, or a second cost for a day that has one."""

from collections.abc import Sequence
from typing import Final

import duckdb

from comptroller.ingest.bad_rows import LoadedFile, line_numbers
from comptroller.ingest.blocks import refuse
from comptroller.ingest.load import REPEATED, ROW_NO, line_columns

_CONTENT: Final = [
    column for column in line_columns() if column not in ("file_no", "given_no", "bad_check", "bad_value")
]


def drop_repeated_uses(connection: duckdb.DuckDBPyConnection, files: Sequence[LoadedFile]) -> int:
    """Leave out rows that repeat another with the same id, and return how many.

    Raises:
        BadFileError: If two rows have one id and different content.
    """
    numbers = [number for number, file in enumerate(files) if file.reading.has_unique_ids]
    if not numbers:
        return 0
    of_files = f"file_no in ({', '.join(map(str, numbers))}) and bad_check is null and usage_id is not null"
    connection.execute(
        f"create temp table repeats as select usage_id, min({ROW_NO}) as first_row from lines where {of_files} "
        "group by usage_id having count(*) > 1"
    )
    other = connection.execute(
        f"select usage_id from lines join repeats using (usage_id) where {of_files} group by usage_id "
        f"having count(distinct hash({', '.join(_CONTENT)})) > 1 order by min({ROW_NO}) limit 1"
    ).fetchall()
    if other:
        raise _contradiction(connection, files, numbers, str(other[0][0]))
    connection.execute(
        f"update lines set bad_check = {REPEATED} from repeats where lines.usage_id = repeats.usage_id "
        f"and {ROW_NO} <> repeats.first_row and {of_files.replace('usage_id', 'lines.usage_id')}"
    )
    return int(connection.execute(f"select count(*) from lines where bad_check = {REPEATED}").fetchall()[0][0])


def _contradiction(
    connection: duckdb.DuckDBPyConnection, files: Sequence[LoadedFile], numbers: Sequence[int], usage_id: str
) -> Exception:
    rows = connection.execute(
        f"select file_no, {ROW_NO} from lines where usage_id = ? and list_contains(?::integer[], file_no) order by 2",
        [usage_id, list(numbers)],
    ).fetchall()
    (first_file, first), (other_file, other) = rows[0], rows[-1]
    lines = [_line(files[number], row) for number, row in ((first_file, first), (other_file, other))]
    origin = files[other_file].reading.origin("id")
    elsewhere = "" if first_file == other_file else f" of {files[first_file].table.file.path}"
    return refuse(
        files[other_file].table.file.path,
        f"line {lines[1]}, {origin} {usage_id!r}: the same id has other content on line {lines[0]}{elsewhere}: "
        "remove the one that is wrong",
    )


def refuse_repeated_days(connection: duckdb.DuckDBPyConnection, files: Sequence[LoadedFile]) -> None:
    """Refuse a long form that gives one series two costs at one time.

    Raises:
        BadFileError: If it does; names both lines.
    """
    numbers = [number for number, file in enumerate(files) if file.reading.has_unique_days]
    if not numbers:
        return
    found = connection.execute(
        f"select service, charge_start, min({ROW_NO}), max({ROW_NO}), min(file_no), max(file_no) from lines "
        f"where file_no in ({', '.join(map(str, numbers))}) and bad_check is null "
        "group by service, account, currency, charge_start having count(*) > 1 order by 3 limit 1"
    ).fetchall()
    if not found:
        return
    series, start, first_row, row, first_file, file = found[0]
    first, second = _line(files[first_file], first_row), _line(files[file], row)
    elsewhere = "" if first_file == file else f" of {files[first_file].table.file.path}"
    raise refuse(
        files[file].table.file.path,
        f"line {second}: series {series!r} has {start} twice, first on line {first}{elsewhere}: give each day once",
    )


def _line(file: LoadedFile, row: int) -> int:
    return line_numbers(file.table, [row - 1 - file.rows_before], set())[0]
