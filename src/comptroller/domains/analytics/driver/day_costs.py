"""Read what was spent per day, from the sums that a delivery brings along."""

from datetime import date
from typing import Any, Final

from sqlalchemy import and_, func, select, tuple_
from sqlalchemy.orm import Session

from comptroller.enums import CostMetric, Dimension
from comptroller.models.costs import CostDelivery, DailyCost
from comptroller.money import Money
from comptroller.types.cost_query import DayCost

_METRICS: Final[dict[CostMetric, Any]] = {
    CostMetric.EFFECTIVE: DailyCost.effective_quanta,
    CostMetric.BILLED: DailyCost.billed_quanta,
    CostMetric.LIST: DailyCost.list_quanta,
    CostMetric.CONTRACTED: DailyCost.contracted_quanta,
}


def day_costs(
    session: Session,
    tenant_id: str,
    *,
    metric: CostMetric,
    dimension: Dimension,
    value: str | None,
    start: date,
    end: date,
    after: tuple[date, str, str] | None,
    limit: int,
) -> list[DayCost]:
    """Return sums by day, value and currency, in that order; deliveries outside [start, end) are not read."""
    place = (DailyCost.day, DailyCost.value, DailyCost.currency)
    quanta = func.sum(_METRICS[metric])
    same = and_(CostDelivery.tenant_id == DailyCost.tenant_id, CostDelivery.id == DailyCost.delivery_id)
    query = (
        select(*place, quanta)
        .join(CostDelivery, same)
        .where(
            CostDelivery.tenant_id == tenant_id,
            CostDelivery.superseded_at.is_(None),
            CostDelivery.period_start < end,
            CostDelivery.period_end > start,
            DailyCost.tenant_id == tenant_id,
            DailyCost.dimension == dimension.value,
            DailyCost.day >= start,
            DailyCost.day < end,
        )
    )
    if value is not None:
        query = query.where(DailyCost.value == value)
    if after is not None:
        query = query.where(tuple_(*place) > after)
    rows = session.execute(query.group_by(*place).having(quanta.is_not(None)).order_by(*place).limit(limit))
    return [
        DayCost(day, dimension.value, name, Money.of_quanta(int(amount), currency))
        for day, name, currency, amount in rows
    ]
