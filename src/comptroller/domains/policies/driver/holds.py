"""Read holds, keys and balances; the same on both databases."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from sqlalchemy import Connection, Row, or_, select

from comptroller.domains.policies.engine.ending import Recorded
from comptroller.enums import EntryKind
from comptroller.models.ledger import Balance, Entry, HoldKey, OpenHold
from comptroller.models.ledger import Route as RouteRow
from comptroller.types.spend import Admitted, Amounts, HoldFacts, place_of

_ENTRIES = Entry.__table__
_ROUTES = RouteRow.__table__
_OPEN = OpenHold.__table__
_KEYS = HoldKey.__table__
_BALANCES = Balance.__table__


@dataclass(frozen=True, slots=True)
class HoldRecord:
    """A hold as it is on record: its facts and how it ended, if it has."""

    hold: Admitted
    kind: EntryKind
    ended: Recorded | None
    true_up: Recorded | None

    def after(self, kind: EntryKind, amounts: Amounts, *, is_estimated: bool) -> Self:
        """Return the record as it is once a step was written."""
        step = Recorded(kind, amounts, is_estimated)
        return replace(self, true_up=step) if kind is EntryKind.TRUE_UP else replace(self, ended=step)


@dataclass(frozen=True, slots=True)
class BalanceRecord:
    """Which limit, subject and window a balance belongs to."""

    limit_id: str
    subject: str
    window_start: datetime
    window_end: datetime | None


def find_holds(conn: Connection, tenant: str, hold_ids: Collection[str]) -> dict[str, HoldRecord]:
    """Return the tenant's holds of these ids; the others are left out."""
    if not hold_ids:
        return {}
    found = (
        select(_ENTRIES, _ROUTES.c.balances, _ROUTES.c.currency, _ROUTES.c.run_id)
        .join(_ROUTES, (_ROUTES.c.tenant_id == _ENTRIES.c.tenant_id) & (_ROUTES.c.id == _ENTRIES.c.route_id))
        .where(_ENTRIES.c.tenant_id == tenant, _ENTRIES.c.hold_id.in_(list(hold_ids)))
        .order_by(_ENTRIES.c.hold_id, _ENTRIES.c.step)
    )
    steps: dict[str, dict[int, Row[Any]]] = {}
    for row in conn.execute(found):
        steps.setdefault(key_of(row.hold_id), {})[row.step] = row
    return {hold_id: _record(hold_id, rows) for hold_id, rows in steps.items()}


def find_keys(conn: Connection, tenant: str, keys: Collection[str]) -> dict[str, tuple[str, str]]:
    """Return the content hash and the hold of each key that is taken."""
    if not keys:
        return {}
    found = select(_KEYS.c.key, _KEYS.c.content_hash, _KEYS.c.hold_id)
    rows = conn.execute(found.where(_KEYS.c.tenant_id == tenant, _KEYS.c.key.in_(list(keys))))
    return {row.key: (row.content_hash, key_of(row.hold_id)) for row in rows}


def find_balances(conn: Connection, tenant: str, balance_ids: Collection[str]) -> Mapping[str, BalanceRecord]:
    """Return what these balances belong to."""
    found = select(_BALANCES).where(_BALANCES.c.tenant_id == tenant, _BALANCES.c.id.in_(list(balance_ids)))
    return {
        key_of(row.id): BalanceRecord(row.limit_id, row.subject, row.window_start, row.window_end)
        for row in conn.execute(found)
    }


def expired_holds(conn: Connection, tenant: str, now: datetime, count: int) -> list[tuple[str, bool]]:
    """Return open holds whose life is over, the oldest first, and whether nothing was sent under them."""
    over = select(_OPEN.c.id, _OPEN.c.is_unsent).where(_OPEN.c.tenant_id == tenant, _OPEN.c.expires_at <= now)
    rows = conn.execute(over.order_by(_OPEN.c.id).limit(count))
    return [(key_of(row.id), row.is_unsent) for row in rows]


def tenants_with_expired_holds(conn: Connection, now: datetime, count: int) -> list[str]:
    """Return tenants that have a hold whose life is over."""
    over = select(_OPEN.c.tenant_id).where(or_(_OPEN.c.expires_at <= now)).distinct().limit(count)
    return [row.tenant_id for row in conn.execute(over)]


def key_of(ledger_id: object) -> str:
    """Return an id as the ledger keys it: 32 hexadecimal digits."""
    return str(ledger_id).replace("-", "")


def _record(hold_id: str, rows: dict[int, Row[Any]]) -> HoldRecord:
    first = rows[0]
    facts = HoldFacts(
        route_id=key_of(first.route_id),
        balances=tuple((balance, place_of(unit)) for balance, unit in first.balances),
        currency=first.currency,
        run_id=first.run_id,
    )
    hold = Admitted(hold_id, (first.amount, first.requests, first.tokens, first.runs), facts)
    ended, true_up = (_recorded(rows.get(step)) for step in (1, 2))
    return HoldRecord(hold, EntryKind(first.kind), ended, true_up)


def _recorded(row: Row[Any] | None) -> Recorded | None:
    if row is None:
        return None
    return Recorded(EntryKind(row.kind), (row.amount, row.requests, row.tokens, row.runs), row.is_estimated)
