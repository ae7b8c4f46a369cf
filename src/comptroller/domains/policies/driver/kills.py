"""SQL of kills, and of what they stop."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, or_, select, update

from comptroller.domains.policies.driver.runs import as_run
from comptroller.domains.policies.engine.dimensions import Pairs
from comptroller.domains.policies.engine.policy import matches
from comptroller.enums import EntryKind, RunState
from comptroller.ids import uuid7
from comptroller.models.killswitch import KillSwitch
from comptroller.models.ledger import Entry
from comptroller.models.ledger import Route as RouteRow
from comptroller.models.outbox import OutboxNotice
from comptroller.models.runs import Run as RunRow
from comptroller.money import Money
from comptroller.types.runs import Kill, Run

_KILLS = KillSwitch.__table__
_RUNS = RunRow.__table__
_ENTRIES = Entry.__table__
_ROUTES = RouteRow.__table__
STOPPED_MAX: Final = 100  # runs named in the output of a kill; the kill itself has no bound
_SPENT: Final = (EntryKind.SETTLE.value, EntryKind.EXPIRE.value, EntryKind.TRUE_UP.value, EntryKind.CHARGE.value)


def scope_key(scope: Pairs) -> str:
    """Return a scope as one text."""
    return json.dumps(dict(scope), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def insert_kill(conn: Connection, tenant: str, kill_id: str, scope: Pairs, values: Mapping[str, Any]) -> None:
    """Store a kill; the policy row must be locked."""
    row = {"tenant_id": tenant, "id": kill_id, "scope": dict(scope), "scope_key": scope_key(scope), **values}
    conn.execute(insert(KillSwitch).values(row))


def lift_kills(conn: Connection, tenant: str, scope_keys: Collection[str], values: Mapping[str, Any]) -> list[Kill]:
    """Lift the kills that are on for exactly these scopes and return them."""
    on = (_KILLS.c.tenant_id == tenant) & _KILLS.c.lifted_at.is_(None) & _KILLS.c.scope_key.in_(list(scope_keys))
    lifted = conn.execute(update(KillSwitch).where(on).values(**values).returning(*_KILLS.c))
    return [as_kill(row) for row in lifted]


def list_kills(conn: Connection, tenant: str, now: datetime, *, history: bool, count: int) -> list[Kill]:
    """Return kills, the newest first; only those that are on, unless the history is asked for."""
    found = select(_KILLS).where(_KILLS.c.tenant_id == tenant)
    if not history:
        found = found.where(_KILLS.c.lifted_at.is_(None), or_(_KILLS.c.expires_at.is_(None), _KILLS.c.expires_at > now))
    return [as_kill(row) for row in conn.execute(found.order_by(_KILLS.c.id.desc()).limit(count))]


def stopped_runs(conn: Connection, tenant: str, scope: Pairs) -> list[Run]:
    """Return running runs that a kill of this scope stops, at most 100."""
    running = select(_RUNS).where(_RUNS.c.tenant_id == tenant, _RUNS.c.state == RunState.RUNNING.value)
    found: list[Run] = []
    for row in conn.execute(running.order_by(_RUNS.c.id.desc())):
        if matches(scope, {**row.dimensions, "run": row.id}):
            found.append(as_run(row))
            if len(found) == STOPPED_MAX:
                break
    return found


def money_per_hour(conn: Connection, tenant: str, scope: Pairs, now: datetime) -> tuple[Money, ...]:
    """Return what a scope spent in the last hour, in each currency."""
    hour_ago = now - timedelta(hours=1)
    spent = (
        select(_ROUTES.c.currency, _ROUTES.c.dimensions, _ROUTES.c.run_id, func.sum(_ENTRIES.c.amount).label("amount"))
        .join(_ROUTES, (_ROUTES.c.tenant_id == _ENTRIES.c.tenant_id) & (_ROUTES.c.id == _ENTRIES.c.route_id))
        .where(
            _ENTRIES.c.tenant_id == tenant,
            _ENTRIES.c.hold_id >= first_id(hour_ago - timedelta(hours=1)),
            _ENTRIES.c.at > hour_ago,
            _ENTRIES.c.kind.in_(_SPENT),
        )
        .group_by(_ROUTES.c.currency, _ROUTES.c.id, _ROUTES.c.dimensions, _ROUTES.c.run_id)
    )
    sums: dict[str, int] = {}
    for row in conn.execute(spent):
        described = {**row.dimensions, **({"run": row.run_id} if row.run_id else {})}
        if row.currency and matches(scope, described):
            sums[row.currency] = sums.get(row.currency, 0) + int(row.amount)
    return tuple(Money.of_quanta(amount, currency) for currency, amount in sorted(sums.items()) if amount)


def first_id(at: datetime) -> str:
    """Return the least time-ordered id of an instant: ids of holds begin with their milliseconds."""
    return f"{int(at.timestamp() * 1000):012x}" + "0" * 20


def queue_notice(conn: Connection, tenant: str, kind: str, kill: Kill, now: datetime) -> None:
    """Queue the notice of a kill or of its lift."""
    payload = {"where": dict(kill.where), "why": kill.why, "by": kill.created_by}
    row = {
        "tenant_id": tenant,
        "id": uuid7(),
        "kind": kind,
        "subject_id": kill.id,
        "severity": "HIGH",
        "payload": payload,
        "created_at": now,
    }
    conn.execute(insert(OutboxNotice), row)


def as_kill(row: Row[Any]) -> Kill:
    """Return a row as callers get it."""
    return Kill(
        id=row.id,
        where=row.scope,
        why=row.reason,
        created_by=row.created_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        lifted_at=row.lifted_at,
    )
