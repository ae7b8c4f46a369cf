"""Daily and hourly series summed over current deliveries, as arrays."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from comptroller.domains.analytics.engine.grid import SeriesRows
from comptroller.enums import CostMetric
from comptroller.sql import Statement

_FROM: Final = """FROM {table} AS c JOIN cost_deliveries AS d ON d.tenant_id = c.tenant_id AND d.id = c.delivery_id
  WHERE c.tenant_id = :tenant_id AND d.superseded_at IS NULL AND c.charge_category = 'Usage'
    AND c.{step} >= :since AND c.{step} < :until
    AND NOT (c.dimension IN ('model', 'user') AND c.value = '(none)')"""
# SQLite sums integers exactly and raises on overflow; PostgreSQL sums BIGINT as NUMERIC, the cast raises.
_SUMS: Final = (
    "SELECT c.dimension, c.value, c.currency, c.{step} AS step, CAST(SUM(c.{metric}_quanta) AS BIGINT) AS quanta "
    + _FROM
    + " AND c.{metric}_quanta IS NOT NULL GROUP BY c.dimension, c.value, c.currency, c.{step} "
    "ORDER BY c.dimension, c.value, c.currency, c.{step}"
)
_SOURCES: Final = (
    "SELECT c.dimension, c.value, c.currency, d.source, d.billing_account, MAX(c.{step}) AS last_step "
    + _FROM
    + " GROUP BY c.dimension, c.value, c.currency, d.source, d.billing_account"
)
_COVERED: Final = (
    "SELECT DISTINCT d.source, d.billing_account, c.{step} AS step " + _FROM + " AND c.dimension = 'total'"
)


def _statements(table: str, step: str) -> dict[CostMetric, tuple[Statement, Statement, Statement]]:
    def made(text: str, metric: CostMetric) -> Statement:
        return Statement(text.format(table=table, step=step, metric=metric.value))

    return {metric: (made(_SUMS, metric), made(_SOURCES, metric), made(_COVERED, metric)) for metric in CostMetric}


_DAILY: Final = _statements("daily_costs", "day")
_HOURLY: Final = _statements("hourly_costs", "hour_at")


def daily_series(conn: Connection, tenant_id: str, *, metric: CostMetric, since: date, until: date) -> SeriesRows:
    """Return the tenant's daily series of Usage over [since, until)."""
    bounds = {"since": since.isoformat(), "until": until.isoformat()}
    return _read(conn, _DAILY[metric], {"tenant_id": tenant_id, **bounds}, unit="D")


def hourly_series(
    conn: Connection, tenant_id: str, *, metric: CostMetric, since: datetime, until: datetime
) -> SeriesRows:
    """Return the tenant's hourly series of Usage over [since, until)."""
    return _read(conn, _HOURLY[metric], {"tenant_id": tenant_id, "since": since, "until": until}, unit="h")


def _read(
    conn: Connection, statements: tuple[Statement, Statement, Statement], parameters: dict[str, Any], *, unit: str
) -> SeriesRows:
    sums, owners, covered = (statement.execute(conn, parameters).all() for statement in statements)
    keys, bounds = _bounds([row[:3] for row in sums])
    positions: dict[tuple[str, str], int] = {}
    steps_of: list[list[Any]] = []
    for source, account, step in covered:
        position = positions.setdefault((source, account), len(positions))
        if position == len(steps_of):
            steps_of.append([])
        steps_of[position].append(step)
    contributing: dict[tuple[str, str, str], list[int]] = {key: [] for key in keys}
    for dimension, value, currency, source, account, _last in owners:
        if (dimension, value, currency) in contributing and (source, account) in positions:
            contributing[dimension, value, currency].append(positions[source, account])
    return SeriesRows(
        keys=keys,
        bounds=bounds,
        steps=_numbers([row[3] for row in sums], unit),
        quanta=np.fromiter((row[4] for row in sums), dtype=np.int64, count=len(sums)),
        sources=tuple(tuple(sorted(contributing[key])) for key in keys),
        source_steps=tuple(np.sort(_numbers(steps, unit)) for steps in steps_of),
    )


def _bounds(names: Sequence[Any]) -> tuple[tuple[tuple[str, str, str], ...], NDArray[np.int64]]:
    keys: list[tuple[str, str, str]] = []
    bounds: list[int] = []
    for position, name in enumerate(map(tuple, names)):
        if not keys or keys[-1] != name:
            keys.append(name)
            bounds.append(position)
    return tuple(keys), np.array([*bounds, len(names)], dtype=np.int64)


def _numbers(moments: Sequence[Any], unit: str) -> NDArray[np.int64]:
    """Return days or hours since 1970 from what a driver returns: text on SQLite, dates and instants on PostgreSQL."""
    texts = [
        m[:19] if isinstance(m, str) else m.replace(tzinfo=None) if isinstance(m, datetime) else m for m in moments
    ]
    return (
        np.array(texts, dtype=f"datetime64[{'s' if unit == 'h' else 'D'}]")
        .astype(f"datetime64[{unit}]")
        .astype(np.int64)
    )


_LAST: Final = Statement(
    """SELECT MAX(c.day) FROM daily_costs AS c
  JOIN cost_deliveries AS d ON d.tenant_id = c.tenant_id AND d.id = c.delivery_id
  WHERE c.tenant_id = :tenant_id AND d.superseded_at IS NULL AND c.dimension = 'total'
    AND c.charge_category = 'Usage' AND c.day <= :today"""
)
_FILLING: Final = """SELECT d.source, d.billing_account, c.delivery_id, c.day, CAST(SUM(c.{metric}_quanta) AS BIGINT)
  FROM daily_costs AS c
  JOIN (SELECT id, source, billing_account, delivered_at FROM cost_deliveries WHERE tenant_id = :tenant_id
        ORDER BY delivered_at DESC, id DESC LIMIT :deliveries) AS d ON d.id = c.delivery_id
  WHERE c.tenant_id = :tenant_id AND c.dimension = 'total' AND c.charge_category = 'Usage'
    AND c.{metric}_quanta IS NOT NULL
  GROUP BY d.source, d.billing_account, d.delivered_at, c.delivery_id, c.day
  ORDER BY d.source, d.billing_account, d.delivered_at, c.delivery_id, c.day"""
_FILLINGS: Final = {metric: Statement(_FILLING.format(metric=metric.value)) for metric in CostMetric}
FILLING_DELIVERIES_MAX: Final = 200  # two months of three deliveries a day say how full days are


def last_day(conn: Connection, tenant_id: str, *, today: date) -> date | None:
    """Return the last day with Usage of any current delivery, days to come left out."""
    row = _LAST.execute(conn, {"tenant_id": tenant_id, "today": today.isoformat()}).first()
    value = None if row is None else row[0]
    return date.fromisoformat(value) if isinstance(value, str) else value


def filling(conn: Connection, tenant_id: str, *, metric: CostMetric) -> list[list[tuple[int, dict[int, int]]]]:
    """Return what each of the newest deliveries said of each day: (newest day, quanta per day), the oldest first.

    The deliveries of each (source, billing account) are a list of their own: one says nothing of another's days.
    """
    rows = _FILLINGS[metric].execute(conn, {"tenant_id": tenant_id, "deliveries": FILLING_DELIVERIES_MAX}).all()
    days = _numbers([row[3] for row in rows], "D").tolist()
    deliveries: dict[tuple[str, str], dict[str, dict[int, int]]] = {}
    for (source, account, delivery, _, quanta), day in zip(rows, days, strict=True):
        deliveries.setdefault((source, account), {}).setdefault(delivery, {})[day] = int(quanta)
    return [[(max(amounts), amounts) for amounts in of_source.values()] for of_source in deliveries.values()]
