"""SQL of what people look at: balances, holds, spend by dimension; reads only."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, Row, select

from comptroller.domains.policies.driver.holds import key_of
from comptroller.domains.policies.driver.limits import as_limit
from comptroller.enums import EntryKind
from comptroller.models.ledger import Balance, Entry
from comptroller.models.ledger import Route as RouteRow
from comptroller.models.policy_control_plane import Limit as LimitRow
from comptroller.money import Money
from comptroller.types.limits import Limit
from comptroller.types.sight import HoldExplanation, HoldStep

_BALANCES = Balance.__table__
_ENTRIES = Entry.__table__
_ROUTES = RouteRow.__table__
_LIMITS = LimitRow.__table__


def read_tally(conn: Connection, tenant: str, balance_ids: Collection[str]) -> Mapping[str, tuple[int, int]]:
    """Return what is spent and held of balances; those that nobody used yet are left out."""
    found = select(_BALANCES.c.id, _BALANCES.c.spent, _BALANCES.c.held).where(
        _BALANCES.c.tenant_id == tenant, _BALANCES.c.id.in_(list(balance_ids))
    )
    return {key_of(row.id): (row.spent, row.held) for row in conn.execute(found)}


def read_limits(conn: Connection, tenant: str, limit_ids: Collection[str]) -> Mapping[str, Limit]:
    """Return limits by id, archived ones too."""
    found = select(_LIMITS).where(_LIMITS.c.tenant_id == tenant, _LIMITS.c.id.in_(list(limit_ids)))
    return {row.id: as_limit(row) for row in conn.execute(found)}


def read_hold(conn: Connection, tenant: str, hold_id: str) -> HoldExplanation:
    """Return what is on record of a hold that exists."""
    entries = select(_ENTRIES).where(_ENTRIES.c.tenant_id == tenant, _ENTRIES.c.hold_id == hold_id)
    rows = list(conn.execute(entries.order_by(_ENTRIES.c.step)))
    route = conn.execute(select(_ROUTES).where(_ROUTES.c.tenant_id == tenant, _ROUTES.c.id == rows[0].route_id)).one()
    return HoldExplanation(
        hold_id=hold_id,
        dimensions=route.dimensions,
        run_id=route.run_id,
        steps=tuple(_step(row, route.currency) for row in rows),
        limits=_limit_names(conn, tenant, [balance for balance, _ in route.balances]),
        is_open=len(rows) == 1 and rows[0].kind == EntryKind.RESERVE,
        is_ungoverned=route.is_ungoverned,
        settled_ratio=_ratio(rows),
    )


def _limit_names(conn: Connection, tenant: str, balance_ids: list[str]) -> tuple[str, ...]:
    found = (
        select(_LIMITS.c.name)
        .join(_BALANCES, (_BALANCES.c.tenant_id == _LIMITS.c.tenant_id) & (_BALANCES.c.limit_id == _LIMITS.c.id))
        .where(_BALANCES.c.tenant_id == tenant, _BALANCES.c.id.in_(balance_ids))
        .distinct()
        .order_by(_LIMITS.c.name)
    )
    return tuple(row.name for row in conn.execute(found))


def _step(row: Row[Any], currency: str | None) -> HoldStep:
    in_money = currency not in {None, "runs"}
    return HoldStep(
        kind=EntryKind(row.kind),
        amount=Money.of_quanta(row.amount, str(currency)) if in_money else None,
        requests=row.requests,
        tokens=row.tokens,
        is_estimated=row.is_estimated,
        price_version=row.price_version,
        at=row.at,
    )


def _ratio(rows: list[Row[Any]]) -> float | None:
    if len(rows) == 1 or not rows[0].amount:
        return None
    return float(sum(row.amount for row in rows[1:]) / rows[0].amount)
