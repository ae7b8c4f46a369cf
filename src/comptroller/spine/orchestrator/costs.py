"""Use cases of asking what was spent."""

from datetime import date, timedelta
from typing import Final

from sqlalchemy.orm import Session

from comptroller.domains.analytics.driver import day_costs as driver
from comptroller.enums import CostMetric, Dimension
from comptroller.errors import InvalidInputError
from comptroller.spine.orchestrator.operation import reading
from comptroller.types.caller import Caller
from comptroller.types.cost_query import DayCost
from comptroller.words import member

PAGE_MAX: Final = 1000
PERIOD_MAX: Final = timedelta(days=400)  # a year and its comparison month
_PARTS: Final = 3


@reading
def query_costs(
    session: Session,
    caller: Caller,
    *,
    start: date,
    end: date,
    dimension: str = Dimension.SERVICE,
    value: str | None = None,
    cost: str = CostMetric.EFFECTIVE,
    after: str | None = None,
    count: int = 100,
) -> list[DayCost]:
    """Return what was spent per day, value of a dimension and currency, over at most 400 days, ``end`` excluded.

    Args:
        session: The transaction.
        caller: Whose costs.
        start: The first day.
        end: The day after the last one.
        dimension: One of ``Dimension``.
        value: Only this value of it.
        cost: ``effective``, ``billed``, ``list`` or ``contracted``.
        after: The place of the last one seen, by ``place_of``.
        count: At most so many, up to 1,000.
    """
    if not timedelta(0) < end - start <= PERIOD_MAX:
        raise InvalidInputError(f"end must be after start, by at most {PERIOD_MAX.days} days: {start} to {end}")
    if not 0 < count <= PAGE_MAX:
        raise InvalidInputError(f"count must be between 1 and {PAGE_MAX}: {count}")
    return driver.day_costs(
        session, caller.tenant, metric=member(CostMetric, "cost", cost),
        dimension=member(Dimension, "dimension", dimension), value=value, start=start, end=end,
        after=None if after is None else _place(after), limit=count,
    )  # fmt: skip


def place_of(one: DayCost) -> str:
    """Return where a list goes on after this one."""
    return f"{one.day.isoformat()}\n{one.cost.unit}\n{one.value}"


def _place(text: str) -> tuple[date, str, str]:
    parts = text.split("\n", _PARTS - 1)
    try:
        return date.fromisoformat(parts[0]), parts[2], parts[1]
    except (ValueError, IndexError) as error:
        raise InvalidInputError(f"after {text!r} is no place in a list of costs") from error
