"""Sums over days for pages: by value of a dimension, and what open anomalies have at stake."""

from datetime import date
from typing import Any

from sqlalchemy import Row, and_, func, select
from sqlalchemy.orm import Session

from comptroller.enums import Dimension
from comptroller.models.anomalies import Anomaly
from comptroller.models.costs import CostDelivery, DailyCost


def currencies(session: Session, tenant: str, start: date, end: date) -> list[str]:
    """Return the currencies of some days, the most rows first."""
    query = _current(select(DailyCost.currency), tenant, Dimension.TOTAL, start, end)
    rows = session.execute(query.group_by(DailyCost.currency).order_by(func.sum(DailyCost.row_count).desc()))
    return [row.currency for row in rows]


def value_sums(
    session: Session, tenant: str, dimension: Dimension, currency: str, *, start: date, end: date, count: int
) -> list[tuple[str, int]]:
    """Return the largest values of a dimension over some days."""
    quanta = func.sum(DailyCost.effective_quanta)
    query = _current(select(DailyCost.value, quanta), tenant, dimension, start, end)
    query = query.where(DailyCost.currency == currency).group_by(DailyCost.value).order_by(quanta.desc()).limit(count)
    return [(value, int(amount)) for value, amount in session.execute(query)]


def day_sums(
    session: Session, tenant: str, dimension: Dimension, *, start: date, end: date, values: list[str] | None = None
) -> list[tuple[date, str, str, int]]:
    """Return (day, value, currency, quanta), of some values or, summed under an empty name, of all."""
    quanta = func.sum(DailyCost.effective_quanta)
    if values is None:
        query = _current(select(DailyCost.day, DailyCost.currency, quanta), tenant, dimension, start, end)
        rows = session.execute(query.group_by(DailyCost.day, DailyCost.currency).order_by(DailyCost.day))
        return [(day, "", currency, int(amount)) for day, currency, amount in rows]
    place = (DailyCost.day, DailyCost.value, DailyCost.currency)
    query = _current(select(*place, quanta), tenant, dimension, start, end).where(DailyCost.value.in_(values))
    found = session.execute(query.group_by(*place).order_by(DailyCost.day))
    return [(day, value, currency, int(amount)) for day, value, currency, amount in found]


def last_day(session: Session, tenant: str) -> date | None:
    """Return the last day that has costs, by the newest periods."""
    periods = (
        select(CostDelivery.id)
        .where(CostDelivery.tenant_id == tenant, CostDelivery.superseded_at.is_(None))
        .order_by(CostDelivery.period_end.desc())
        .limit(5)
    )
    newest = select(func.max(DailyCost.day)).where(
        DailyCost.tenant_id == tenant,
        DailyCost.delivery_id.in_(list(session.scalars(periods))),
        DailyCost.dimension == Dimension.TOTAL.value,
    )
    return session.execute(newest).scalar()


def stakes(session: Session, tenant: str) -> list[Row[Any]]:
    """Return (currency, quanta) at stake in anomalies that are open and told."""
    row: Any = Anomaly.__table__
    query = select(row.c.currency, func.sum(row.c.stake_quanta).label("quanta")).where(
        row.c.tenant_id == tenant, row.c.is_open, row.c.suppressed_reason.is_(None), row.c.merged_into.is_(None)
    )
    return list(session.execute(query.group_by(row.c.currency).order_by(row.c.currency)))


def _current(query: Any, tenant: str, dimension: Dimension, start: date, end: date) -> Any:
    same = and_(CostDelivery.tenant_id == DailyCost.tenant_id, CostDelivery.id == DailyCost.delivery_id)
    return query.join(CostDelivery, same).where(
        CostDelivery.tenant_id == tenant,
        CostDelivery.superseded_at.is_(None),
        CostDelivery.period_start < end,
        CostDelivery.period_end > start,
        DailyCost.tenant_id == tenant,
        DailyCost.dimension == dimension.value,
        DailyCost.day >= start,
        DailyCost.day < end,
    )
