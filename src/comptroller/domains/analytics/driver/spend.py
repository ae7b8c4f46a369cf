"""What a scope cost per day of a zone, from current deliveries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Final

from sqlalchemy import Boolean, ColumnElement, Date, and_, case, func, literal_column, select
from sqlalchemy.orm import Session

from comptroller.enums import CostMetric, Dimension
from comptroller.models.costs import CostDelivery, CostRow, DailyCost

# The dimensions of a limit that a bill's rows have; a limit on others (agent, run) is kept by holds alone.
COLUMNS: Final[dict[str, Any]] = {
    "service": CostRow.service,
    "account": CostRow.account,
    "region": CostRow.region,
    "model": CostRow.model,
    "user": CostRow.user_id,
    "team": CostRow.team,
    "owner": CostRow.owner,
    "provider": CostRow.provider,
    "key": CostRow.key_alias,
}
NONE: Final = "(none)"
# Those that have a daily series of their own.
_SERIES: Final = frozenset({"service", "account", "region", "model", "user", "team"})
_COVERS_A_DAY: Final = {
    "postgresql": "cost_rows.charge_end >= cost_rows.charge_start + interval '1 day'",
    "sqlite": "cost_rows.charge_end >= datetime(cost_rows.charge_start, '+1 day')",
}
_LOCAL_DAY: Final = {
    "postgresql": "CAST(cost_rows.charge_start AT TIME ZONE 'UTC' + interval '{seconds} seconds' AS DATE)",
    "sqlite": "date(cost_rows.charge_start, '{seconds:+d} seconds')",
}
_DAY: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)
Spend = dict[tuple[str, ...], dict[date, int]]


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose spend, in which currency, by which cost; ``per`` keeps the values of some dimensions apart."""

    metric: CostMetric
    currency: str
    where: Mapping[str, str]
    per: Sequence[str]


def data_period(session: Session, tenant_id: str, currency: str) -> tuple[date, date] | None:
    """Return the first and last day with Usage in a currency, or None."""
    days = select(func.min(DailyCost.day), func.max(DailyCost.day)).where(
        DailyCost.dimension == Dimension.TOTAL.value, *_usage(DailyCost, tenant_id, currency)
    )
    first, last = session.execute(_current(DailyCost, days)).one()
    return None if first is None else (first, last)


def spend_by_day(
    session: Session,
    tenant_id: str,
    scope: Scope,
    *,
    place: tzinfo,
    since: date,
    until: date,
) -> Spend:
    """Return quanta per day for each combination of ``per``'s values; an absent value is ``(none)``.

    A row that covers a whole day or more counts on the day it names; a finer one on the day of its instant in
    ``place``. Days before ``since`` or after ``until`` may be there too.
    """
    offsets = _offsets(place, since - 2 * _DAY, until + 2 * _DAY)
    named = set(scope.where) | set(scope.per)
    if offsets == [(None, 0)] and len(named) <= 1 and named <= _SERIES:
        query = _from_series(tenant_id, scope)
        days = (DailyCost.day >= since - _DAY, DailyCost.day <= until + _DAY)
    else:
        query = _from_rows(session, tenant_id, scope, offsets)
        days = (CostRow.day >= since - _DAY, CostRow.day <= until + _DAY)
    answer: Spend = {}
    for day, quanta, *values in session.execute(query.where(*days)):
        if quanta is not None:
            answer.setdefault(tuple(values), {})[day] = int(quanta)
    return answer


def _from_series(tenant_id: str, scope: Scope) -> Any:
    """Sum the daily series of the one dimension: a row for each day and value, however many rows the bill has."""
    dimension = next(iter((*scope.where, *scope.per)), Dimension.TOTAL.value)
    groups = [DailyCost.value for _ in scope.per]
    where = [DailyCost.dimension == dimension, *_usage(DailyCost, tenant_id, scope.currency)]
    where += [DailyCost.value == value for value in scope.where.values()]
    quanta = func.sum(getattr(DailyCost, f"{scope.metric.value}_quanta"))
    query = select(DailyCost.day, quanta, *groups).where(*where).group_by(DailyCost.day, *groups)
    return _current(DailyCost, query)


def _from_rows(session: Session, tenant_id: str, scope: Scope, offsets: Sequence[tuple[datetime | None, int]]) -> Any:
    day = _local_day(session, offsets).label("local_day")
    groups = [func.coalesce(COLUMNS[name], NONE) for name in scope.per]
    where = _usage(CostRow, tenant_id, scope.currency)
    where += [func.coalesce(COLUMNS[name], NONE) == value for name, value in scope.where.items()]
    quanta = func.sum(getattr(CostRow, f"{scope.metric.value}_quanta"))
    return _current(CostRow, select(day, quanta, *groups).where(*where).group_by(day, *groups))


def _usage(table: Any, tenant_id: str, currency: str) -> list[ColumnElement[bool]]:
    return [table.tenant_id == tenant_id, table.currency == currency, table.charge_category == "Usage"]


def _current(table: Any, query: Any) -> Any:
    same = and_(CostDelivery.tenant_id == table.tenant_id, CostDelivery.id == table.delivery_id)
    return query.join(CostDelivery, same).where(CostDelivery.superseded_at.is_(None))


def _local_day(session: Session, offsets: Sequence[tuple[datetime | None, int]]) -> ColumnElement[date]:
    name = session.connection().dialect.name
    covers_a_day = literal_column(_COVERS_A_DAY[name], Boolean)
    shifted = [(until, literal_column(_LOCAL_DAY[name].format(seconds=seconds), Date)) for until, seconds in offsets]
    before = [(CostRow.charge_start < until, day) for until, day in shifted if until is not None]
    return case((covers_a_day, CostRow.day), *before, else_=shifted[-1][1])


def _offsets(place: tzinfo, first: date, last: date) -> list[tuple[datetime | None, int]]:
    """Return a zone's offsets over some days, in order: until which instant, seconds east of UTC."""
    at = datetime(first.year, first.month, first.day, tzinfo=UTC)
    found: list[tuple[datetime | None, int]] = []
    while at.date() < last:
        if _offset(place, at + _DAY) != _offset(place, at):
            found.append((_change(place, at, at + _DAY), _offset(place, at)))
        at += _DAY
    return [*found, (None, _offset(place, at))]


def _offset(place: tzinfo, at: datetime) -> int:
    shift = at.astimezone(place).utcoffset()
    return 0 if shift is None else int(shift.total_seconds())


def _change(place: tzinfo, low: datetime, high: datetime) -> datetime:
    """Return the instant between two at which the zone's offset changes."""
    while high - low > _SECOND:
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        if _offset(place, middle) == _offset(place, low):
            low = middle
        else:
            high = middle
    return high
