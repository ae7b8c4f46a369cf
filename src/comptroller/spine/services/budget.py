"""Limits on money as bills are checked against them."""

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from comptroller.domains.policies.driver import limits as driver
from comptroller.enums import Window
from comptroller.money import COUNT_UNITS
from comptroller.types.limits import Limit, PeriodLimit

_PERIODS: Final = frozenset({Window.DAY, Window.WEEK, Window.MONTH, Window.QUARTER, Window.YEAR})
_PAGE: Final = 1000


def period_limits(session: Session, tenant: str, now: datetime) -> list[PeriodLimit]:
    """Return the limits on money over a day or longer, with the ceilings that overrides give them now."""
    raised = {o.limit_id: o.ceiling for o in driver.list_overrides(session, tenant, since=now) if o.starts_at <= now}
    return [
        PeriodLimit(
            id=limit.id,
            name=limit.name,
            ceiling=raised.get(limit.id, limit.ceiling),
            every=limit.every,
            timezone=limit.timezone,
            where=limit.where,
            per=limit.per,
            mode=limit.mode,
            warn_at=limit.warn_at,
            opens_incident=limit.opens_incident,
        )
        for limit in _all(session, tenant)
        if limit.every in _PERIODS and limit.ceiling.unit not in COUNT_UNITS and _is_effective(limit, now)
    ]


def _all(session: Session, tenant: str) -> list[Limit]:
    found: list[Limit] = []
    while True:
        after = found[-1].name if found else None
        page = driver.list_limits(session, tenant, archived=False, after=after, count=_PAGE)
        found += page
        if len(page) < _PAGE:
            return found


def _is_effective(limit: Limit, now: datetime) -> bool:
    starts, ends = limit.effective_from, limit.effective_until
    return (starts is None or starts <= now) and (ends is None or now < ends)
