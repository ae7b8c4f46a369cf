"""What the ledger books at present, and where balances stand in their windows."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select, tuple_

from comptroller.domains.policies.driver.kills import first_id
from comptroller.enums import EntryKind
from comptroller.models.ledger import Balance, Entry, Route
from comptroller.models.policy_control_plane import LimitBreach

_ENTRIES: Any = Entry.__table__
_ROUTES: Any = Route.__table__
_BALANCES: Any = Balance.__table__
_BREACHES: Any = LimitBreach.__table__
_SPENT: Final = (EntryKind.SETTLE.value, EntryKind.EXPIRE.value, EntryKind.TRUE_UP.value, EntryKind.CHARGE.value)
SUBJECTS_MAX: Final = 3  # of one limit in a list
COUNT_MAX: Final = 10_000


def spent_since(conn: Connection, tenant: str, since: datetime) -> list[Row[Any]]:
    """Return (currency, dimensions, quanta) of each route that was spent on since an instant."""
    sums = (
        select(_ENTRIES.c.route_id, func.sum(_ENTRIES.c.amount).label("amount"))
        .where(
            _ENTRIES.c.tenant_id == tenant,
            _ENTRIES.c.hold_id >= first_id(since - timedelta(hours=1)),
            _ENTRIES.c.at >= since,
            _ENTRIES.c.kind.in_(_SPENT),
        )
        .group_by(_ENTRIES.c.route_id)
        .subquery()
    )
    found = select(_ROUTES.c.currency, _ROUTES.c.dimensions, sums.c.amount).join(
        sums, (_ROUTES.c.tenant_id == tenant) & (_ROUTES.c.id == sums.c.route_id)
    )
    return list(conn.execute(found.where(_ROUTES.c.currency.is_not(None))))


def fullest_balances(conn: Connection, tenant: str, windows: Sequence[tuple[str, datetime]]) -> list[Row[Any]]:
    """Return the fullest balances, at most three of each limit, in the given (limit id, window start)."""
    if not windows:
        return []
    used = _BALANCES.c.spent + _BALANCES.c.held
    rank = func.row_number().over(partition_by=_BALANCES.c.limit_id, order_by=used.desc()).label("rank")
    ranked = (
        select(_BALANCES, rank)
        .where(
            _BALANCES.c.tenant_id == tenant,
            tuple_(_BALANCES.c.limit_id, _BALANCES.c.window_start).in_(list(windows)),
        )
        .subquery()
    )
    return list(conn.execute(select(ranked).where(ranked.c.rank <= SUBJECTS_MAX)))


def refusals_since(conn: Connection, tenant: str, since: datetime) -> int:
    """Return how many breach rows were written since an instant; the count stops at 10,000."""
    begin = first_id(since)
    some = (
        select(_BREACHES.c.id)
        .where(_BREACHES.c.tenant_id == tenant, _BREACHES.c.id >= f"{begin[:8]}-{begin[8:12]}-0")
        .limit(COUNT_MAX)
    )
    return conn.execute(select(func.count()).select_from(some.subquery())).scalar_one()
