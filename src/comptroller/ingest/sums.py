"""A bill's own sums: that they fit int64, what rounding to quanta changed, what the parts add up to."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Self

import duckdb

from comptroller.errors import BadFileError
from comptroller.ingest.blocks import refuse
from comptroller.ingest.series import METRICS
from comptroller.money import MAX_QUANTA, from_quanta


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums of one currency and charge category.

    Args:
        currency: ISO 4217.
        charge_category: FOCUS's word.
        effective_quanta: Sum of effective cost.
        billed_quanta: Sum of billed cost.
        row_count: How many rows.
    """

    currency: str
    charge_category: str
    effective_quanta: int
    billed_quanta: int
    row_count: int

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection, part_no: int) -> tuple[Self, ...]:
        """Read a part's sums."""
        rows = connection.execute(
            "select currency, charge_category, sum(effective_quanta), sum(billed_quanta), sum(row_count) "
            "from daily_sums where dimension = 'total' and part_no = ? group by all order by all",
            [part_no],
        ).fetchall()
        return tuple(cls(currency, category, int(e), int(b), int(n)) for currency, category, e, b, n in rows)


def check_range(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Refuse sums that would not fit the database's integers.

    Raises:
        BadFileError: If a day's sum is out of range; names the day.
    """
    largest = ", ".join(f"abs({metric})" for metric in METRICS)
    found = connection.execute(
        f"select day, value, currency from daily_sums where greatest({largest}) > {MAX_QUANTA} order by all limit 1"
    ).fetchall()
    if found:
        day, value, currency = found[0]
        raise _out_of_range(path, f"{value} on {day} adds up to more {currency} than can be counted")


def _out_of_range(path: Path, why: str) -> BadFileError:
    return refuse(path, f"{why} ({MAX_QUANTA} quanta): this is no bill")


def rounding_differences(connection: duckdb.DuckDBPyConnection) -> dict[int, dict[str, Decimal]]:
    """Return per part and currency the exact sum of effective cost less that of its quanta."""
    rows = connection.execute(
        "select part_no, currency, sum(effective_cost::decimal(38, 18)), sum(effective_quanta) "
        "from cost_lines group by part_no, currency order by all"
    ).fetchall()
    result: dict[int, dict[str, Decimal]] = defaultdict(dict)
    for part_no, currency, exact, quanta in rows:
        result[part_no][currency] = Decimal(exact) - from_quanta(int(quanta), currency)
    return result
