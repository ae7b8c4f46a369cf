"""What one dimension's value cost per day, split by the other dimensions: what explains an anomaly sharply."""

from datetime import date
from typing import Any, Final, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from comptroller.domains.analytics.driver.spend import COLUMNS, NONE
from comptroller.enums import CostMetric, Dimension
from comptroller.models.costs import CostDelivery, CostRow

# Beyond, one explanation would read for seconds; the series' own sums explain then.
ROWS_MAX: Final = 2_000_000
CELLS_MAX: Final = 200_000
_SPLIT: Final = (
    Dimension.SERVICE,
    Dimension.ACCOUNT,
    Dimension.REGION,
    Dimension.MODEL,
    Dimension.USER,
    Dimension.TEAM,
)
_METRICS: Final = {
    CostMetric.EFFECTIVE: CostRow.effective_quanta,
    CostMetric.BILLED: CostRow.billed_quanta,
    CostMetric.LIST: CostRow.list_quanta,
    CostMetric.CONTRACTED: CostRow.contracted_quanta,
}


class Cell(NamedTuple):
    """One day's cost of one combination of the other dimensions' values."""

    day: date
    values: tuple[str, ...]
    quanta: int


def sliceable(dimension: Dimension) -> bool:
    """Tell whether rows carry the dimension in a column of their own."""
    return dimension in _SPLIT


def other_dimensions(dimension: Dimension) -> tuple[Dimension, ...]:
    """Return by which dimensions a slice is split."""
    return tuple(other for other in _SPLIT if other is not dimension)


def read_slice(
    session: Session,
    tenant_id: str,
    *,
    metric: CostMetric,
    dimension: Dimension,
    value: str,
    currency: str,
    start: date,
    end: date,
) -> list[Cell] | None:
    """Return the cells of [start, end), or None where there are too many rows to look through."""
    overlapping = select(CostDelivery.id, CostDelivery.row_count).where(
        CostDelivery.tenant_id == tenant_id,
        CostDelivery.superseded_at.is_(None),
        CostDelivery.period_start < end,
        CostDelivery.period_end > start,
    )
    deliveries = session.execute(overlapping).all()
    if not deliveries or sum(row.row_count for row in deliveries) > ROWS_MAX:
        return None
    others: list[Any] = [func.coalesce(COLUMNS[other], NONE) for other in other_dimensions(dimension)]
    query = (
        select(CostRow.day, func.sum(_METRICS[metric]), *others)
        .where(
            CostRow.tenant_id == tenant_id,
            CostRow.delivery_id.in_([row.id for row in deliveries]),
            CostRow.charge_category == "Usage",
            CostRow.currency == currency,
            func.coalesce(COLUMNS[dimension], NONE) == value,
            CostRow.day >= start,
            CostRow.day < end,
        )
        .group_by(CostRow.day, *others)
        .limit(CELLS_MAX + 1)
    )
    rows = session.execute(query).all()
    if len(rows) > CELLS_MAX:
        return None
    return [Cell(row[0], tuple(row[2:]), int(row[1] or 0)) for row in rows]
