"""One file as a relation: its column names and, per column, SQL that gives the cell as text."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import duckdb

from comptroller.errors import BadFileError
from comptroller.ingest.blocks import MAX_LINE_BYTES, FileKind, refuse
from comptroller.ingest.files import SourceFile
from comptroller.ingest.values import literal

# The widest AWS reports have a few hundred columns, with all tags about a thousand.
MAX_COLUMNS: Final = 2_000
DELIMITERS: Final = ",;\t|"
# Literal texts that exports write for an absent value.
NULL_TEXTS: Final = ("", "NULL", "null")
# Parquet declares its sizes in the footer, so a bomb shows before a row is read.
MAX_PARQUET_RATIO: Final = 200
FREE_PARQUET_BYTES: Final = 1 << 30
MAX_PARQUET_ROWS_PER_BYTE: Final = 4
FREE_PARQUET_ROWS: Final = 5_000_000
# A log entry with its messages; DuckDB holds a few of this size.
MAX_OBJECT_BYTES: Final = 16 << 20
_JSON_SAMPLE: Final = 10_000
# Spans of OpenTelemetry keep what they know of a call one level down.
_ATTRIBUTES: Final = "attributes"
_NULLS: Final = ", ".join(literal(text) for text in NULL_TEXTS)
# Broken lines are kept whole in memory until they are reported; a file with more of them is no CSV.
MAX_BROKEN_ROWS: Final = 10_000
_RECORDING: Final = f"store_rejects=true, rejects_limit={MAX_BROKEN_ROWS}"
_SHAPE_SAMPLE: Final = 2_000
_FLOATS: Final = ("FLOAT", "DOUBLE")


@dataclass(frozen=True, slots=True)
class Table:
    """What a file offers to the formats.

    Args:
        file: The file.
        names: Column names as written in the file.
        texts: Per column, SQL over `relation` that gives the cell as text, NULL where absent.
        relation: SQL for the FROM clause.
        float_columns: Names of columns that are binary floats.
        is_csv: Rows have lines, and broken ones land in the rejects tables.
    """

    file: SourceFile
    names: tuple[str, ...]
    texts: tuple[str, ...]
    relation: str
    float_columns: frozenset[str] = frozenset()
    delimiter: str = ","
    skip: int = 0

    @property
    def plain_relation(self) -> str:
        """Return the relation for a look ahead, which leaves broken lines out and does not record them."""
        return self.relation.replace(_RECORDING, "ignore_errors=true")

    @property
    def is_csv(self) -> bool:
        """Say whether rows have lines."""
        return self.file.kind is FileKind.CSV

    def find(self, *aliases: str) -> str | None:
        """Return the name, as written, of the first alias the file has; letters' case and outer spaces are ignored."""
        known = {name.strip().lower(): name for name in reversed(self.names)}
        return next((known[alias.lower()] for alias in aliases if alias.lower() in known), None)

    def text(self, name: str) -> str:
        """Return the SQL that gives the named column's cell as text."""
        return self.texts[self.names.index(name)]


def open_table(connection: duckdb.DuckDBPyConnection, file: SourceFile) -> Table:
    """Read the columns of a file, not its rows.

    Raises:
        BadFileError: If there are none, too many, or the file's own description is broken.
    """
    match file.kind:
        case FileKind.CSV:
            return _csv_table(file)
        case FileKind.PARQUET:
            return _parquet_table(connection, file)
        case FileKind.JSON:
            return _json_table(connection, file)


def _csv_table(file: SourceFile) -> Table:
    text = _head_text(file.path, file.readable)
    delimiter = max(DELIMITERS, key=text.lstrip("\n").split("\n", 1)[0].count)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
    skip = 0
    try:
        names = next(reader, [])
        while not names:
            skip = reader.line_num
            names = next(reader)
    except (csv.Error, StopIteration) as error:
        why = "there are only blank lines" if isinstance(error, StopIteration) else str(error)
        raise refuse(file.path, f"has no header row: {why}") from error
    _check_width(file.path, len(names))
    _check_shape(file.path, reader, len(names))
    columns = ", ".join(f"c{index}: 'VARCHAR'" for index in range(len(names)))
    relation = (
        f"read_csv({literal(str(file.readable))}, columns={{{columns}}}, auto_detect=false, header=true, skip={skip}, "
        f"delim={literal(delimiter)}, quote='\"', escape='\"', compression='none', nullstr=[{_NULLS}], "
        f"max_line_size={2 * MAX_LINE_BYTES}, {_RECORDING})"
    )
    texts = tuple(f"c{index}" for index in range(len(names)))
    return Table(file, tuple(names), texts, relation, delimiter=delimiter, skip=skip)


def _head_text(path: Path, readable: Path) -> str:
    with readable.open("rb") as stream:
        head = stream.read(MAX_LINE_BYTES)
        is_whole = not stream.read(1)
    if not is_whole:
        head = head[: head.rfind(b"\n") + 1] or head[: head.rfind(b"\r") + 1] or head
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = head.count(b"\n", 0, error.start) + 1
        raise refuse(path, f"line {line}: not UTF-8 (byte 0x{head[error.start]:02x}): save it as UTF-8") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _check_shape(path: Path, reader: Iterator[list[str]], width: int) -> None:
    """Refuse a file whose first rows mostly do not fit its header, before each of them is kept as a broken one."""
    try:
        rows = [row for row in islice(reader, _SHAPE_SAMPLE) if row]
    except csv.Error:  # the reader proper says where
        return
    broken = sum(len(row) != width for row in rows)
    if broken > _SHAPE_SAMPLE // 2:
        raise refuse(path, f"{broken} of its first {len(rows)} rows do not have the header's {width} columns")


def _check_width(path: Path, width: int) -> None:
    if width > MAX_COLUMNS:
        raise refuse(path, f"has {width} columns, at most {MAX_COLUMNS} are read: this is no bill")


def _parquet_table(connection: duckdb.DuckDBPyConnection, file: SourceFile) -> Table:
    source = f"read_parquet({literal(str(file.readable))})"
    try:
        _check_parquet(connection, file)
        described = connection.execute(f"describe select * from {source}").fetchall()
    except duckdb.Error as error:
        raise refuse(file.path, f"is a damaged Parquet file ({first_line(error, file)}): fetch it again") from error
    _check_width(file.path, len(described))
    names = tuple(str(row[0]) for row in described)
    types = tuple(str(row[1]) for row in described)
    texts = tuple(_cell_text(f"c{index}", kind) for index, kind in enumerate(types))
    alias = ", ".join(f"c{index}" for index in range(len(names)))
    floats = frozenset(name for name, kind in zip(names, types, strict=True) if kind in _FLOATS)
    return Table(file, names, texts, f"(select * from {source}) as parquet({alias})", floats)


def _cell_text(column: str, kind: str) -> str:
    if kind.startswith(("MAP", "STRUCT")) or kind.endswith("]"):
        return f"to_json({column})::varchar"
    return f"case when {column}::varchar not in ({_NULLS}) then {column}::varchar end"


def _check_parquet(connection: duckdb.DuckDBPyConnection, file: SourceFile) -> None:
    name = literal(str(file.readable))
    rows = connection.execute(f"select coalesce(sum(num_rows), 0) from parquet_file_metadata({name})").fetchall()[0][0]
    declared = connection.execute(
        f"select coalesce(sum(total_uncompressed_size), 0) from parquet_metadata({name})"
    ).fetchall()[0][0]
    size = file.readable.stat().st_size
    if rows > max(FREE_PARQUET_ROWS, MAX_PARQUET_ROWS_PER_BYTE * size):
        raise refuse(file.path, f"declares {rows} rows in {size} bytes: this is no bill but a bomb")
    if declared > max(FREE_PARQUET_BYTES, MAX_PARQUET_RATIO * size):
        raise refuse(file.path, f"unpacks to more than {MAX_PARQUET_RATIO} times its size: this is no bill but a bomb")


def _json_table(connection: duckdb.DuckDBPyConnection, file: SourceFile) -> Table:
    source = f"read_json_objects({literal(str(file.readable))}, format='auto', maximum_object_size={MAX_OBJECT_BYTES})"
    try:
        paths = [[key] for key in _keys(connection, f"select json from {source}")]
        if [_ATTRIBUTES] in paths:
            inner = _keys(connection, f"select json -> '$.{_ATTRIBUTES}' as json from {source}")
            paths += [[_ATTRIBUTES, key] for key in inner]
    except duckdb.Error as error:
        raise bad_json(file, error) from error
    _check_width(file.path, len(paths))
    names = tuple(path[-1] for path in paths)
    texts = tuple(json_text("json", path) for path in paths)
    return Table(file, names, texts, source, frozenset(names))


def _keys(connection: duckdb.DuckDBPyConnection, objects: str) -> list[str]:
    sample = f"select unnest(json_keys(json)) as key from ({objects} limit {_JSON_SAMPLE})"
    return [
        str(row[0]) for row in connection.execute(f"select key from ({sample}) group by key order by key").fetchall()
    ]


def json_text(column: str, keys: Sequence[str]) -> str:
    """Return SQL for the text at a path of keys in a JSON column; the literal texts for nothing are NULL."""
    path = "$" + "".join('."' + key.replace("\\", "\\\\").replace('"', '\\"') + '"' for key in keys)
    cell = f"({column} ->> {literal(path)})"
    return f"case when {cell} not in ({_NULLS}) then {cell} end"


def bad_json(file: SourceFile, error: duckdb.Error) -> BadFileError:
    """Return the refusal of a file that begins like JSON and is none."""
    if "maximum_object_size" in str(error):
        return refuse(file.path, f"has an object of more than {MAX_OBJECT_BYTES} bytes: this is no usage log")
    return refuse(file.path, f"is no JSON that can be read ({first_line(error, file)})")


def first_line(error: duckdb.Error, file: SourceFile) -> str:
    """Return what DuckDB says in one line, with the file's own name in it."""
    text = str(error).split("\n", 1)[0].strip()
    return text.replace(str(file.readable), file.path.name)[:300]
