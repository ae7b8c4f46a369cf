"""Cost files opened as one bill: recognised, read, checked, split into parts, ready to be stored."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Self

from comptroller.enums import BillFormat
from comptroller.errors import BadFileError
from comptroller.ingest import emit
from comptroller.ingest.checks import checks
from comptroller.ingest.files import SourceFile, inspect, joint_fingerprint
from comptroller.ingest.focus import read_focus
from comptroller.ingest.load import LINES, load
from comptroller.ingest.scratch import Scratch
from comptroller.ingest.series import make_series
from comptroller.ingest.table import open_table
from comptroller.ingest.tags import left_out_keys, take_tags_apart

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class BillPart:
    """The rows of one billing account and billing period: what a delivery replaces."""

    number: int
    billing_account: str
    period_start: date
    period_end: date
    row_count: int
    currencies: tuple[str, ...]
    first_day: date
    last_day: date
    rounding_difference: Mapping[str, Decimal]


def open_bill(paths: Sequence[Path], *, source: str | None = None, today: date) -> "Bill":
    """Read and check cost files."""
    scratch = Scratch()
    try:
        return _open(scratch, paths, source=source, today=today)
    except BaseException:
        scratch.close()
        raise


def _open(scratch: Scratch, paths: Sequence[Path], *, source: str | None, today: date) -> "Bill":
    connection = scratch.connection
    connection.execute(LINES)
    files = [inspect(path, scratch=scratch.path, number=number) for number, path in enumerate(paths)]
    for number, file in enumerate(files):
        table = open_table(connection, file)
        reading = read_focus(table)
        if reading is None:
            raise BadFileError(f"{file.path}: is no bill")
        load(connection, reading, relation=table.relation, file_no=number, checks=checks(today))
    take_tags_apart(connection)
    connection.execute(_PARTS)
    connection.execute(_COST_LINES)
    left_out = left_out_keys(connection)
    make_series(connection, left_out=left_out)
    return Bill(scratch, files=files, source=source, left_out_tags=left_out)


_PARTS = """
create table parts as
select row_number() over (order by billing_account, period_start, period_end) as part_no, *
from (select distinct billing_account, period_start, period_end from lines where bad_check is null)
"""
_COST_LINES = """
create view cost_lines as
select lines.rowid + 1 as row_no, lines.* exclude (tags, team), charge_start::date as day,
    date_trunc('hour', charge_start) as hour_at, parts.part_no, tag_canonical.tags, tag_canonical.tag_set,
    coalesce(lines.team, tag_canonical.team, '(unowned)') as team
from lines join parts using (billing_account, period_start, period_end)
left join tag_canonical on tag_canonical.raw = lines.tags
where bad_check is null
"""


class Bill:
    """Checked rows of one command's files; holds a scratch database until closed."""

    def __init__(
        self, scratch: Scratch, *, files: Sequence[SourceFile], source: str | None, left_out_tags: tuple[str, ...]
    ) -> None:
        self._scratch = scratch
        self.format = BillFormat.FOCUS
        self.content_sha256 = joint_fingerprint(files)
        self.files = tuple(file.path for file in files)
        self.left_out_tags = left_out_tags
        provider = self._one("select min(provider) from lines")
        self.source = source or str(provider).lower()
        self.parts = self._parts()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._scratch.close()

    def _one(self, sql: str) -> object:
        return self._scratch.connection.execute(sql).fetchall()[0][0]

    def _parts(self) -> tuple[BillPart, ...]:
        rows = self._scratch.connection.execute(
            "select part_no, billing_account, period_start, period_end, count(*), list(distinct currency), "
            "min(day), max(day) from cost_lines group by all order by part_no"
        ).fetchall()
        return tuple(
            BillPart(
                number=number,
                billing_account=account,
                period_start=start,
                period_end=end,
                row_count=count,
                currencies=tuple(sorted(currencies)),
                first_day=first,
                last_day=last,
                rounding_difference={},
            )
            for number, account, start, end, count, currencies, first, last in rows
        )

    def coverage(self, part: BillPart) -> list[tuple[date, str]]:
        """Return the (day, service) pairs that the part has."""
        return self._scratch.connection.execute(
            "select distinct day, value from daily_sums where dimension = 'service' and part_no = ? order by all",
            [part.number],
        ).fetchall()

    def rows(
        self, part: BillPart, *, tenant_id: str, delivery_id: str, batch: int = emit.BATCH_ROWS
    ) -> Iterator[list[tuple[object, ...]]]:
        """Yield cost rows as tuples in the order of COST_ROW_COLUMNS, for SQLite."""
        return self._batches("cost_lines", part, tenant_id=tenant_id, delivery_id=delivery_id, batch=batch)

    def daily(
        self, part: BillPart, *, tenant_id: str, delivery_id: str, batch: int = emit.BATCH_ROWS
    ) -> Iterator[list[tuple[object, ...]]]:
        """Yield daily sums as tuples in the order of DAILY_COLUMNS, for SQLite."""
        return self._batches("daily_sums", part, tenant_id=tenant_id, delivery_id=delivery_id, batch=batch)

    def hourly(
        self, part: BillPart, *, tenant_id: str, delivery_id: str, batch: int = emit.BATCH_ROWS
    ) -> Iterator[list[tuple[object, ...]]]:
        """Yield hourly sums as tuples in the order of HOURLY_COLUMNS, for SQLite."""
        return self._batches("hourly_sums", part, tenant_id=tenant_id, delivery_id=delivery_id, batch=batch)

    def copy_stream(self, part: BillPart, *, tenant_id: str, delivery_id: str) -> Iterator[bytes]:
        """Yield cost rows as CSV for PostgreSQL's COPY, columns in the order of COST_ROW_COLUMNS."""
        return self._copy("cost_lines", part, tenant_id=tenant_id, delivery_id=delivery_id)

    def daily_copy(self, part: BillPart, *, tenant_id: str, delivery_id: str) -> Iterator[bytes]:
        """Yield daily sums as CSV for PostgreSQL's COPY, columns in the order of DAILY_COLUMNS."""
        return self._copy("daily_sums", part, tenant_id=tenant_id, delivery_id=delivery_id)

    def hourly_copy(self, part: BillPart, *, tenant_id: str, delivery_id: str) -> Iterator[bytes]:
        """Yield hourly sums as CSV for PostgreSQL's COPY, columns in the order of HOURLY_COLUMNS."""
        return self._copy("hourly_sums", part, tenant_id=tenant_id, delivery_id=delivery_id)

    def _batches(
        self, table: str, part: BillPart, *, tenant_id: str, delivery_id: str, batch: int
    ) -> Iterator[list[tuple[object, ...]]]:
        where = f"part_no = {part.number}"
        select = emit.selection(table, tenant_id=tenant_id, delivery_id=delivery_id, where=where, as_sqlite=True)
        return emit.batches(self._scratch.connection, select, size=batch)

    def _copy(self, table: str, part: BillPart, *, tenant_id: str, delivery_id: str) -> Iterator[bytes]:
        where = f"part_no = {part.number}"
        select = emit.selection(table, tenant_id=tenant_id, delivery_id=delivery_id, where=where, as_sqlite=False)
        return emit.copy_bytes(self._scratch.connection, select)
