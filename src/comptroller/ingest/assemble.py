"""The steps from files to a checked scratch database: read, price, check, drop repeats, split into parts, sum."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import duckdb

from comptroller.enums import BillFormat
from comptroller.errors import BadFileError
from comptroller.ingest.bad_rows import BadRow, LoadedFile, count_bad, first_bad, has_doubtful
from comptroller.ingest.blocks import FileKind, refuse
from comptroller.ingest.catalogue import catalogue
from comptroller.ingest.checks import checks
from comptroller.ingest.columns import NONE
from comptroller.ingest.files import SourceFile, inspect
from comptroller.ingest.layouts import bill_files
from comptroller.ingest.load import LINES, ROW_NO, load
from comptroller.ingest.owners import OwnerRules, team_columns, team_joins, write_owners
from comptroller.ingest.pricing import PRICES, PricedName, PriceList, mend, write_prices
from comptroller.ingest.reading import Reading
from comptroller.ingest.repeats import drop_repeated_uses, refuse_repeated_days
from comptroller.ingest.scratch import Scratch
from comptroller.ingest.series import make_series
from comptroller.ingest.sniff import recognise
from comptroller.ingest.table import Table, bad_json, first_line, open_table
from comptroller.ingest.tags import left_out_keys, mark_bad_tags, take_tags_apart
from comptroller.ingest.values import literal

Progress = Callable[[str, float], None]
# Broken lines named in the one-line refusal.
_NAMED_ROWS = 3
_NAMED_MODELS = 5


@dataclass(frozen=True, slots=True)
class Request:
    """What the caller wants read, and with what."""

    paths: Sequence[Path]
    today: date
    source: str | None = None
    format: BillFormat | None = None
    column_map: Mapping[str, str] = field(default_factory=dict)
    prices: PriceList | None = None
    owners: OwnerRules = field(default_factory=OwnerRules)
    skip_bad: bool = False
    progress: Progress = lambda _stage, _share: None


@dataclass(frozen=True, slots=True)
class Assembled:
    """What a scratch database then holds."""

    files: tuple[SourceFile, ...]
    formats: tuple[BillFormat, ...]
    bad_rows: tuple[BadRow, ...]
    bad_count: int
    repeated_count: int
    left_out_tags: tuple[str, ...]


def assemble(scratch: Scratch, request: Request) -> Assembled:
    """Fill the scratch database with ``cost_lines``, ``parts``, ``daily_sums`` and ``hourly_sums``.

    Raises:
        BadFileError: If a file is no bill, or has bad rows that may not be skipped.
    """
    connection = scratch.connection
    connection.execute(LINES)
    connection.execute(PRICES)
    files = _inspected(scratch, request)
    loaded = _loaded(connection, files, request)
    take_tags_apart(connection)
    bad_rows, bad_count = _judge(connection, loaded, request)
    repeated = drop_repeated_uses(connection, loaded)
    refuse_repeated_days(connection, loaded)
    request.progress("summing", 0.9)
    _split(connection, request, loaded[0].reading.format)
    left_out = left_out_keys(connection)
    make_series(connection, left_out=left_out)
    formats = tuple(dict.fromkeys(file.reading.format for file in loaded))
    return Assembled(tuple(files), formats, bad_rows, bad_count, repeated, left_out)


def _inspected(scratch: Scratch, request: Request) -> list[SourceFile]:
    """Look at every file; one whose bytes were seen already is the same file under another name."""
    files: dict[str, SourceFile] = {}
    paths = bill_files(request.paths)
    if not paths:
        raise BadFileError("no file given: name a cost file or a folder")
    for number, path in enumerate(paths):
        request.progress(f"looking at {path.name}", 0.2 * number / len(paths))
        file = inspect(path, scratch=scratch.path, number=number)
        files.setdefault(file.sha256, file)
    return list(files.values())


def _loaded(connection: duckdb.DuckDBPyConnection, files: Sequence[SourceFile], request: Request) -> list[LoadedFile]:
    loaded: list[LoadedFile] = []
    rows = 0
    for number, file in enumerate(files):
        request.progress(f"reading {file.path.name}", 0.2 + 0.7 * number / len(files))
        table = open_table(connection, file)
        reading = recognise(table, wanted=request.format, column_map=request.column_map)
        if reading.is_priced_here:
            _price(connection, table, reading, request.prices)
        try:
            rules = checks(request.today, is_counted=reading.format is BillFormat.LONG_FORM)
            load(connection, reading, relation=table.relation, file_no=number, rows_before=rows, checks=rules)
        except duckdb.Error as error:
            raise _unreadable(table, error) from error
        total = int(connection.execute("select count(*) from lines").fetchall()[0][0])
        loaded.append(LoadedFile(table, reading, rows, total - rows))
        rows = total
    return loaded


def _unreadable(table: Table, error: duckdb.Error) -> BadFileError:
    if table.file.kind is FileKind.JSON:
        return bad_json(table.file, error)
    return refuse(table.file.path, f"cannot be read ({first_line(error, table.file)})")


def _price(connection: duckdb.DuckDBPyConnection, table: Table, reading: Reading, prices: PriceList | None) -> None:
    """Find the prices of the models that the file names; a few names, however many rows."""
    fields = {name: reading.fields.get(name, "null::varchar") for name in ("model", "provider", "billed", "effective")}
    found = connection.execute(
        f"select {fields['model']}, {fields['provider']}, count(*) from {table.plain_relation} "
        f"where coalesce({fields['billed']}, {fields['effective']}) is null and {fields['model']} is not null "
        f"and {reading.where} group by all order by all"
    ).fetchall()
    names: list[PricedName] = []
    if found:
        known = prices if prices is not None else PriceList(catalogue())
        names = [PricedName(model, provider, known.find(model, provider)) for model, provider, _ in found]
    unknown = list(dict.fromkeys(name.model for name in names if not name.rows))
    if unknown:
        counts = {model: sum(row[2] for row in found if row[0] == model) for model in unknown}
        raise _unpriced(table.file.path, counts)
    write_prices(connection, names)


def _unpriced(path: Path, counts: Mapping[str, int]) -> BadFileError:
    named = list(counts)[:_NAMED_MODELS]
    models = ", ".join(f"{model!r} ({counts[model]} rows)" for model in named)
    more = f" and {len(counts) - len(named)} more" if len(counts) > len(named) else ""
    return refuse(path, f"no price is known for {models}{more}: {'; '.join(mend(model) for model in named)}")


def _judge(
    connection: duckdb.DuckDBPyConnection, loaded: Sequence[LoadedFile], request: Request
) -> tuple[tuple[BadRow, ...], int]:
    rules = checks(request.today)
    mark_bad_tags(connection, next(number for number, check in enumerate(rules) if check.field == "tags"))
    bad_count = count_bad(connection)
    total = sum(file.row_count for file in loaded)
    bad_rows = first_bad(connection, loaded, rules) if bad_count else ()
    if bad_count and (not request.skip_bad or has_doubtful(connection)):
        raise _refused(bad_rows, bad_count, is_skippable=not request.skip_bad)
    good = int(connection.execute("select count(*) from lines where bad_check is null").fetchall()[0][0])
    if not good:
        first = loaded[0].table.file.path
        if total or bad_count:
            raise refuse(first, f"has no row that can be taken in: {bad_rows[0]}")
        raise refuse(first, "has a header and no rows: nothing to take in")
    return bad_rows, bad_count


def _refused(bad_rows: Sequence[BadRow], bad_count: int, *, is_skippable: bool) -> BadFileError:
    shown = "; ".join(str(row) for row in bad_rows[:_NAMED_ROWS])
    more = f"; {bad_count - _NAMED_ROWS} more" if bad_count > _NAMED_ROWS else ""
    rows = "1 bad row" if bad_count == 1 else f"{bad_count} bad rows"
    end = "mend them, or take the others in with --skip-bad" if is_skippable else "what follows is in doubt: mend them"
    return BadFileError(f"{shown}{more} ({rows}: {end})")


def _split(connection: duckdb.DuckDBPyConnection, request: Request, format_: BillFormat) -> None:
    own = f"case when provider = '{NONE}' then '{format_}' else lower(provider) end"
    source = literal(request.source) if request.source else own
    connection.execute(
        f"create table parts as select row_number() over (order by source, billing_account, period_start) as part_no, "
        f"* from (select {source} as source, billing_account, period_start, max(period_end) as period_end "
        f"from lines where bad_check is null group by all)"
    )
    write_owners(connection, request.owners)
    connection.execute(
        "create view cost_lines as select lines.* exclude (tags, team, owner), "
        "charge_start::date as day, date_trunc('hour', charge_start) as hour_at, parts.part_no, "
        f"tag_canonical.tags, tag_canonical.tag_set, {team_columns(request.owners)} "
        f"from (select {ROW_NO} as row_no, *, {source} as source from lines where bad_check is null) as lines "
        "join parts on lines.source = parts.source and lines.billing_account = parts.billing_account "
        "and lines.period_start = parts.period_start "
        f"left join tag_canonical on tag_canonical.raw = lines.tags {team_joins(request.owners)}"
    )
