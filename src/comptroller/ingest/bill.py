"""Cost files opened as one bill: recognised, read, checked, split into parts, ready to be stored."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
from numpy.typing import NDArray

from comptroller.enums import BillFormat
from comptroller.errors import BadFileError
from comptroller.ingest import emit
from comptroller.ingest.assemble import Assembled, Progress, Request, assemble
from comptroller.ingest.files import joint_fingerprint
from comptroller.ingest.owners import OwnerRules
from comptroller.ingest.pricing import PriceList
from comptroller.ingest.scratch import Scratch
from comptroller.ingest.sums import Totals, check_range, rounding_differences

Batches = Iterator[list[tuple[object, ...]]]


@dataclass(frozen=True, slots=True)
class BillPart:
    """The rows of one source, billing account and billing period: what a delivery replaces.

    Args:
        number: Its place in the bill, from 1.
        source: As the caller named it, else the provider in lower case, else the format's name.
        billing_account: ``(none)`` where the file has none.
        period_start: First day of the billing period.
        period_end: Day after its last.
        row_count: Rows that are stored.
        currencies: In alphabetical order.
        first_day: Earliest UTC day of a charge.
        last_day: Latest.
        rounding_difference: Per currency, exact sum of effective cost less the sum of its quanta.
    """

    number: int
    source: str
    billing_account: str
    period_start: date
    period_end: date
    row_count: int
    currencies: tuple[str, ...]
    first_day: date
    last_day: date
    rounding_difference: Mapping[str, Decimal]


def open_bill(
    paths: Sequence[Path],
    *,
    source: str | None = None,
    format: BillFormat | None = None,  # noqa: A002 - the word its callers know
    column_map: Mapping[str, str] | None = None,
    prices: PriceList | None = None,
    owners: OwnerRules | None = None,
    skip_bad: bool = False,
    today: date,
    progress: Progress | None = None,
) -> "Bill":
    """Read and check cost files and folders; all of them are one bill.

    Args:
        paths: Files, or folders as AWS and Azure export them.
        source: Name of where the bill comes from; the provider unless given.
        format: The only format to try; found out from the columns unless given.
        column_map: Which column is what, as ``--map`` says it; over what the format found.
        prices: For usage without a cost; the installed catalogue unless given.
        owners: Rules that give rows their team and owner.
        skip_bad: Leave bad rows out and count them, instead of refusing the file.
        today: Bounds what date is plausible.
        progress: Called with a stage and the share that is done.

    Returns:
        The bill, to be closed (it is a context manager); it holds a temporary folder.

    Raises:
        BadFileError: One line that names the file, the place and the mend.
        InvalidInputError: If the column map is not understood.
    """
    request = Request(
        paths=paths,
        today=today,
        source=source,
        format=format,
        column_map=column_map or {},
        prices=prices,
        owners=owners or OwnerRules(),
        skip_bad=skip_bad,
        progress=progress or (lambda _stage, _share: None),
    )
    with ExitStack() as unless_opened:
        scratch = unless_opened.enter_context(closing(Scratch()))
        try:
            bill = Bill(scratch, assemble(scratch, request))
        except duckdb.Error as error:
            names = ", ".join(map(str, paths[:3]))
            raise BadFileError(f"{names}: cannot be taken in ({str(error).split(chr(10), 1)[0]})") from error
        unless_opened.pop_all()
    return bill


class Bill:
    """Checked rows of one command's files; holds a scratch database until closed.

    Rows leave in two forms, with the same columns in the same order: lists of tuples for ``executemany`` on SQLite
    (decimals and times as text), and CSV for PostgreSQL's ``COPY … FROM STDIN (FORMAT csv)``.
    """

    def __init__(self, scratch: Scratch, assembled: Assembled) -> None:
        self._scratch = scratch
        self.formats = assembled.formats
        self.format = assembled.formats[0]
        self.content_sha256 = joint_fingerprint(assembled.files)
        self.files = tuple(file.path for file in assembled.files)
        self.bad_rows = assembled.bad_rows
        self.bad_count = assembled.bad_count
        self.repeated_count = assembled.repeated_count
        self.left_out_tags = assembled.left_out_tags
        check_range(scratch.connection, self.files[0])
        self.parts = self._parts()
        self.source = self.parts[0].source

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the temporary folder back; calling it again does nothing."""
        self._scratch.close()

    def _parts(self) -> tuple[BillPart, ...]:
        rows = self._scratch.connection.execute(
            "select parts.part_no, source, billing_account, period_start, period_end, sum(row_count)::bigint, "
            "list(distinct currency order by currency), min(day), max(day) from daily_sums join parts using (part_no) "
            "where dimension = 'total' group by all order by part_no"
        ).fetchall()
        rounding = rounding_differences(self._scratch.connection)
        return tuple(
            BillPart(number, source, account, start, end, count, tuple(currencies), first, last, rounding[number])
            for number, source, account, start, end, count, currencies, first, last in rows
        )

    def totals(self, part: BillPart) -> tuple[Totals, ...]:
        """Return the part's sums per currency and charge category."""
        return Totals.of(self._scratch.connection, part.number)

    def usage_by_day(self) -> dict[str, NDArray[Any]]:
        """Return the bill's daily usage as columns: series (dimension, value, currency as one name), day, quanta."""
        return self._scratch.connection.execute(
            "select dimension || '=' || value || ' ' || currency as series, day::varchar as time, currency, "
            "epoch(day::timestamp)::bigint as seconds, sum(effective_quanta)::double as quanta "
            "from daily_sums where charge_category = 'Usage' group by all order by series, day"
        ).fetchnumpy()

    def coverage(self, part: BillPart) -> list[tuple[date, str]]:
        """Return the (day, service) pairs that the part has, in order."""
        return self._scratch.connection.execute(
            "select distinct day, value from daily_sums where dimension = 'service' and part_no = ? order by all",
            [part.number],
        ).fetchall()

    def constants(self, part: BillPart) -> dict[str, object]:
        """Return the cost-row columns that have one value in the whole part, which need not travel with every row."""
        where = emit.of_part(emit.COST_LINES, part.number, part.billing_account, part.period_start)
        return emit.constants(self._scratch.connection, where)

    def rows(
        self,
        part: BillPart,
        *,
        tenant_id: str,
        delivery_id: str,
        batch: int = emit.BATCH_ROWS,
        leave_out: Collection[str] = (),
    ) -> Batches:
        """Yield cost rows as tuples in the order of COST_ROW_COLUMNS, less those left out, for SQLite."""
        return self._batches(
            emit.COST_LINES, part, tenant_id=tenant_id, delivery_id=delivery_id, batch=batch, leave_out=leave_out
        )

    def daily(self, part: BillPart, *, tenant_id: str, delivery_id: str, batch: int = emit.BATCH_ROWS) -> Batches:
        """Yield daily sums as tuples in the order of DAILY_COLUMNS, for SQLite."""
        return self._batches(emit.DAILY_SUMS, part, tenant_id=tenant_id, delivery_id=delivery_id, batch=batch)

    def hourly(self, part: BillPart, *, tenant_id: str, delivery_id: str, batch: int = emit.BATCH_ROWS) -> Batches:
        """Yield hourly sums as tuples in the order of HOURLY_COLUMNS, for SQLite."""
        return self._batches(emit.HOURLY_SUMS, part, tenant_id=tenant_id, delivery_id=delivery_id, batch=batch)

    def copy_stream(self, part: BillPart, *, tenant_id: str, delivery_id: str) -> Iterator[bytes]:
        """Yield cost rows as CSV for PostgreSQL's COPY, columns in the order of COST_ROW_COLUMNS."""
        return self._copy(emit.COST_LINES, part, tenant_id=tenant_id, delivery_id=delivery_id)

    def daily_copy(self, part: BillPart, *, tenant_id: str, delivery_id: str) -> Iterator[bytes]:
        """Yield daily sums as CSV for PostgreSQL's COPY, columns in the order of DAILY_COLUMNS."""
        return self._copy(emit.DAILY_SUMS, part, tenant_id=tenant_id, delivery_id=delivery_id)

    def hourly_copy(self, part: BillPart, *, tenant_id: str, delivery_id: str) -> Iterator[bytes]:
        """Yield hourly sums as CSV for PostgreSQL's COPY, columns in the order of HOURLY_COLUMNS."""
        return self._copy(emit.HOURLY_SUMS, part, tenant_id=tenant_id, delivery_id=delivery_id)

    def _batches(
        self,
        table: str,
        part: BillPart,
        *,
        tenant_id: str,
        delivery_id: str,
        batch: int,
        leave_out: Collection[str] = (),
    ) -> Batches:
        where = emit.of_part(table, part.number, part.billing_account, part.period_start)
        select = emit.selection(
            table, tenant_id=tenant_id, delivery_id=delivery_id, where=where, as_sqlite=True, leave_out=leave_out
        )
        return emit.batches(self._scratch.connection, select, size=batch)

    def _copy(self, table: str, part: BillPart, *, tenant_id: str, delivery_id: str) -> Iterator[bytes]:
        where = emit.of_part(table, part.number, part.billing_account, part.period_start)
        select = emit.selection(table, tenant_id=tenant_id, delivery_id=delivery_id, where=where, as_sqlite=False)
        return emit.copy_bytes(self._scratch.connection, select, self._scratch.path)
