"""SQL of how fast money goes: by route and hour, held now, ungoverned, held and settled; reads only."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, case, func, select

from comptroller.domains.policies.driver.holds import key_of
from comptroller.domains.policies.driver.kills import first_id
from comptroller.enums import EntryKind
from comptroller.models.ledger import Entry, OpenHold
from comptroller.models.ledger import Route as RouteRow
from comptroller.models.policy_control_plane import LimitBreach

_ENTRIES = Entry.__table__
_ROUTES = RouteRow.__table__
_OPEN = OpenHold.__table__
_BREACHES = LimitBreach.__table__
# A hold may have been made this long before what it spends is booked; its id begins with when it was made.
_LONGEST_HOLD: Final = timedelta(hours=2)
_SPENT: Final = (EntryKind.SETTLE.value, EntryKind.EXPIRE.value, EntryKind.TRUE_UP.value, EntryKind.CHARGE.value)
_BY_ROUTE = (_ROUTES.c.tenant_id == _ENTRIES.c.tenant_id) & (_ROUTES.c.id == _ENTRIES.c.route_id)


@dataclass(frozen=True, slots=True)
class RouteHour:
    """What one route spent in one hour: amount, requests, tokens, runs."""

    hour: datetime
    currency: str | None
    dimensions: Mapping[str, str]
    balances: tuple[str, ...]
    amounts: tuple[int, int, int, int]


def spent_by_hour(conn: Connection, tenant: str, since: datetime) -> list[RouteHour]:
    """Return what each route spent in each hour since an instant."""
    if conn.dialect.name == "postgresql":
        hour: Any = func.date_trunc("hour", _ENTRIES.c.at, "UTC")
    else:
        hour = func.substr(_ENTRIES.c.at, 1, 13)
    spent = (
        select(
            _ENTRIES.c.route_id,
            hour.label("hour"),
            func.sum(_ENTRIES.c.amount).label("amount"),
            func.sum(_ENTRIES.c.requests).label("requests"),
            func.sum(_ENTRIES.c.tokens).label("tokens"),
        )
        .where(
            _ENTRIES.c.tenant_id == tenant,
            _ENTRIES.c.hold_id >= first_id(since - _LONGEST_HOLD),
            _ENTRIES.c.at >= since,
            _ENTRIES.c.kind.in_(_SPENT),
        )
        .group_by(_ENTRIES.c.route_id, hour)
    )
    rows = conn.execute(spent).all()
    routes = _routes(conn, tenant, {row.route_id for row in rows})
    return [_route_hour(row, routes[row.route_id]) for row in rows]


def held_now(conn: Connection, tenant: str) -> list[tuple[str | None, Mapping[str, str], int]]:
    """Return what each route holds in money now: currency, dimensions, quanta."""
    held = (
        select(_ENTRIES.c.route_id, func.sum(_ENTRIES.c.amount).label("held"))
        .join(_OPEN, (_OPEN.c.tenant_id == _ENTRIES.c.tenant_id) & (_OPEN.c.id == _ENTRIES.c.hold_id))
        .where(_ENTRIES.c.tenant_id == tenant, _ENTRIES.c.step == 0)
        .group_by(_ENTRIES.c.route_id)
    )
    rows = conn.execute(held).all()
    routes = _routes(conn, tenant, {row.route_id for row in rows})
    return [(routes[row.route_id].currency, routes[row.route_id].dimensions, int(row.held)) for row in rows]


def refusals_since(conn: Connection, tenant: str, since: datetime) -> list[tuple[Mapping[str, Any], int]]:
    """Return the details of breaches that happened since an instant, and how often each happened in all."""
    found = select(_BREACHES.c.details, _BREACHES.c.occurrences).where(
        _BREACHES.c.tenant_id == tenant, _BREACHES.c.last_at >= since
    )
    return [(row.details or {}, row.occurrences) for row in conn.execute(found)]


def ungoverned_since(conn: Connection, tenant: str, since: datetime) -> list[tuple[str | None, Mapping[str, str], int]]:
    """Return what was spent without a limit since an instant: currency, dimensions, quanta."""
    spent = (
        select(_ROUTES.c.id, func.sum(_ENTRIES.c.amount).label("amount"))
        .join(_ENTRIES, _BY_ROUTE)
        .where(
            _ENTRIES.c.tenant_id == tenant,
            _ROUTES.c.is_ungoverned.is_(True),
            _ENTRIES.c.hold_id >= first_id(since - _LONGEST_HOLD),
            _ENTRIES.c.at >= since,
            _ENTRIES.c.kind.in_(_SPENT),
        )
        .group_by(_ROUTES.c.id)
    )
    rows = conn.execute(spent).all()
    routes = _routes(conn, tenant, {row.id for row in rows})
    return [(routes[row.id].currency, routes[row.id].dimensions, int(row.amount)) for row in rows]


def held_and_settled(conn: Connection, tenant: str, since: datetime) -> list[tuple[Mapping[str, str], int, int, int]]:
    """Return of each route's ended holds since an instant: dimensions, how many, held, charged."""
    ended = _ENTRIES.alias("ended")
    pairs = (
        select(
            _ENTRIES.c.route_id,
            func.count().label("holds"),
            func.sum(_ENTRIES.c.amount).label("held"),
            func.sum(case((ended.c.kind == EntryKind.SETTLE.value, ended.c.amount), else_=0)).label("charged"),
        )
        .join(
            ended,
            (ended.c.tenant_id == _ENTRIES.c.tenant_id) & (ended.c.hold_id == _ENTRIES.c.hold_id) & (ended.c.step == 1),
        )
        .where(_ENTRIES.c.tenant_id == tenant, _ENTRIES.c.step == 0, _ENTRIES.c.hold_id >= first_id(since))
        .group_by(_ENTRIES.c.route_id)
    )
    rows = conn.execute(pairs).all()
    routes = _routes(conn, tenant, {row.route_id for row in rows})
    return [(routes[row.route_id].dimensions, row.holds, int(row.held), int(row.charged)) for row in rows]


def overdue_holds(conn: Connection, tenant: str, before: datetime) -> int:
    """Return how many open holds should have been expired before an instant."""
    over = select(func.count()).where(_OPEN.c.tenant_id == tenant, _OPEN.c.expires_at < before)
    return int(conn.execute(over).scalar_one())


def _routes(conn: Connection, tenant: str, ids: Iterable[str]) -> dict[str, Row[Any]]:
    found = select(_ROUTES).where(_ROUTES.c.tenant_id == tenant, _ROUTES.c.id.in_(list(ids)))
    return {row.id: row for row in conn.execute(found)}


def _route_hour(row: Any, route: Row[Any]) -> RouteHour:
    hour = (
        row.hour if isinstance(row.hour, datetime) else datetime.strptime(row.hour, "%Y-%m-%d %H").replace(tzinfo=UTC)
    )
    return RouteHour(
        hour=hour.astimezone(UTC),
        currency=route.currency,
        dimensions=route.dimensions,
        balances=tuple(key_of(balance) for balance, _ in route.balances),
        amounts=(int(row.amount), int(row.requests), int(row.tokens), 0),
    )
