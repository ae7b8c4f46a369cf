"""What a scope cost per day, from the rows of current deliveries."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Boolean, ColumnElement, and_, case, func, literal_column, select
from sqlalchemy.orm import Session

from comptroller.enums import CostMetric
from comptroller.models.costs import CostDelivery, CostRow

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
_COVERS_A_DAY: Final = {
    "postgresql": "cost_rows.charge_end >= cost_rows.charge_start + interval '1 day'",
    "sqlite": "cost_rows.charge_end >= datetime(cost_rows.charge_start, '+1 day')",
}
_METRICS: Final = {
    CostMetric.EFFECTIVE: CostRow.effective_quanta,
    CostMetric.BILLED: CostRow.billed_quanta,
    CostMetric.LIST: CostRow.list_quanta,
    CostMetric.CONTRACTED: CostRow.contracted_quanta,
}


def data_period(session: Session, tenant_id: str, currency: str) -> tuple[date, date] | None:
    """Return the first and last day with Usage in a currency, or None."""
    query = select(func.min(CostRow.day), func.max(CostRow.day)).where(*_usage(tenant_id, currency))
    first, last = session.execute(_current(query)).one()
    return None if first is None else (first, last)


def spend_by_day(
    session: Session,
    tenant_id: str,
    *,
    metric: CostMetric,
    currency: str,
    scope: Mapping[str, str],
    per: Sequence[str],
    start: datetime,
    end: datetime,
) -> dict[tuple[str, ...], dict[date, int]]:
    """Return quanta per day for each combination of ``per``'s values; an absent value is ``(none)``.

    A row that covers a whole day or more counts on the day it names, between the dates of ``start`` and ``end`` in
    their own zone; a finer one by its instant in [start, end).
    """
    groups = [func.coalesce(COLUMNS[name], NONE) for name in per]
    where = [*_usage(tenant_id, currency), _within(session, start, end)]
    where += [func.coalesce(COLUMNS[name], NONE) == value for name, value in scope.items()]
    query = select(CostRow.day, func.sum(_METRICS[metric]), *groups).where(*where).group_by(CostRow.day, *groups)
    answer: dict[tuple[str, ...], dict[date, int]] = {}
    for day, quanta, *values in session.execute(_current(query)):
        if quanta is not None:
            answer.setdefault(tuple(values), {})[day] = int(quanta)
    return answer


def _usage(tenant_id: str, currency: str) -> list[ColumnElement[bool]]:
    return [CostRow.tenant_id == tenant_id, CostRow.currency == currency, CostRow.charge_category == "Usage"]


def _current(query: Any) -> Any:
    same = and_(CostDelivery.tenant_id == CostRow.tenant_id, CostDelivery.id == CostRow.delivery_id)
    return query.join(CostDelivery, same).where(CostDelivery.superseded_at.is_(None))


def _within(session: Session, start: datetime, end: datetime) -> ColumnElement[bool]:
    is_postgres = session.connection().dialect.name == "postgresql"
    covers_a_day = literal_column(_COVERS_A_DAY["postgresql" if is_postgres else "sqlite"], Boolean)
    by_day = and_(CostRow.day >= start.date(), CostRow.day < end.date())
    by_instant = and_(CostRow.charge_start >= start, CostRow.charge_start < end)
    return case((covers_a_day, by_day), else_=by_instant)
