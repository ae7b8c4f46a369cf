"""Daily and hourly sums per dimension value, in exact integers."""

from typing import Final

import duckdb

from comptroller.enums import Dimension
from comptroller.ingest.columns import NONE

METRICS: Final = ("billed_quanta", "effective_quanta", "list_quanta", "contracted_quanta")
# The column of each dimension; the total has none, tags have many.
_COLUMNS: Final = {
    Dimension.SERVICE: "service",
    Dimension.ACCOUNT: "account",
    Dimension.REGION: "region",
    Dimension.MODEL: "model",
    Dimension.USER: "user_id",
    Dimension.TEAM: "team",
}
_GROUPED: Final = (*_COLUMNS.values(), "tag_set")
_ALL_LEVELS: Final = (1 << len(_GROUPED)) - 1


def make_series(connection: duckdb.DuckDBPyConnection, *, left_out: tuple[str, ...]) -> None:
    """Make ``daily_sums`` and ``hourly_sums`` from ``cost_lines``: one row per part, bucket and dimension value.

    Hourly sums hold only rows whose charge period is an hour or less. Tag keys in `left_out` become no series.
    """
    _make(connection, "daily_sums", bucket="day", condition="true", left_out=left_out)
    is_short = "charge_end <= charge_start + interval 1 hour"
    _make(connection, "hourly_sums", bucket="hour_at", condition=is_short, left_out=left_out)


def _make(
    connection: duckdb.DuckDBPyConnection, name: str, *, bucket: str, condition: str, left_out: tuple[str, ...]
) -> None:
    keys = f"part_no, {bucket}, charge_category, currency"
    values = ", ".join(f"coalesce({column}, '{NONE}') as {column}" for column in _COLUMNS.values())
    sets = ", ".join(f"({keys}, {column})" for column in _GROUPED)
    sums = ", ".join(f"sum({metric}) as {metric}" for metric in METRICS)
    connection.execute(
        f"create temp table grouped as "
        f"select {keys}, {', '.join(_GROUPED)}, grouping_id({', '.join(_GROUPED)}) as level, {sums}, "
        f"count(*) as row_count "
        f"from (select {keys}, {values}, tag_set, {', '.join(METRICS)} from cost_lines where {condition}) "
        f"group by grouping sets (({keys}), {sets})"
    )
    connection.execute(f"create table {name} as {_series(keys)}", [list(left_out)])
    connection.execute("drop table grouped")


def _series(keys: str) -> str:
    rest = f"{keys}, {', '.join(METRICS)}, row_count from grouped where level ="
    parts = [f"select '{Dimension.TOTAL}' as dimension, '(total)' as value, {rest} {_ALL_LEVELS}"]
    parts += [f"select '{word}', {column}, {rest} {_level(column)}" for word, column in _COLUMNS.items()]
    sums = ", ".join(f"sum({metric})" for metric in METRICS)
    parts.append(
        f"select '{Dimension.TAG}', key || '=' || tag_pairs.value, {keys}, {sums}, sum(row_count)::bigint "
        f"from grouped join tag_pairs using (tag_set) "
        f"where level = {_level('tag_set')} and not list_contains(?::varchar[], key) group by all"
    )
    return " union all ".join(parts)


def _level(column: str) -> int:
    """GROUPING_ID of the set that has this one column: its bit, counted from the right, is clear."""
    return _ALL_LEVELS & ~(1 << (len(_GROUPED) - 1 - _GROUPED.index(column)))
