"""Read a tenant's policy: everything at first, later only what changed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from comptroller.domains.policies.engine.policy import Policy
from comptroller.domains.policies.engine.terms import Kill, Rule, TimedCeiling
from comptroller.domains.policies.engine.windows import zone
from comptroller.enums import LimitMode, Window
from comptroller.models.killswitch import KillSwitch
from comptroller.models.policy_control_plane import Limit, LimitOverride, TenantPolicy

_LIMITS = Limit.__table__
_OVERRIDES = LimitOverride.__table__
_KILLS = KillSwitch.__table__
_POLICIES = TenantPolicy.__table__


def read_version(conn: Connection, tenant: str) -> int:
    """Return the policy's version without a lock; 0 for a new tenant."""
    found = conn.execute(select(_POLICIES.c.version).where(_POLICIES.c.tenant_id == tenant)).scalar()
    return 0 if found is None else int(found)


def read_settings(conn: Connection, tenant: str) -> tuple[int, bool]:
    """Return the policy's version and whether a limit is required, without a lock."""
    found = select(_POLICIES.c.version, _POLICIES.c.requires_limit).where(_POLICIES.c.tenant_id == tenant)
    row = conn.execute(found).first()
    return (0, False) if row is None else (row.version, row.requires_limit)


def make_policy_row(conn: Connection, tenant: str, now: datetime) -> None:
    """Give a new tenant the row that admissions and changes lock."""
    first = {"tenant_id": tenant, "version": 0, "requires_limit": False, "updated_at": now}
    if conn.dialect.name == "postgresql":
        conn.execute(postgresql.insert(TenantPolicy).values(first).on_conflict_do_nothing())
    else:
        conn.execute(sqlite.insert(TenantPolicy).values(first).on_conflict_do_nothing())


def read_policy(
    conn: Connection, tenant: str, *, version: int, requires_limit: bool, now: datetime, known: Policy | None = None
) -> Policy:
    """Return the policy at a version that is locked; what a known one has and nobody changed is not read again."""
    since = -1 if known is None else known.version
    changed = select(_LIMITS).where(
        _LIMITS.c.tenant_id == tenant, _LIMITS.c.builtin.is_(False), _LIMITS.c.changed_in > since
    )
    rules = {} if known is None else dict(known.rules)
    for row in conn.execute(changed):
        rules.pop(row.id, None)
        if row.archived_at is None:
            rules[row.id] = _rule(row)
    return Policy(
        version=version,
        requires_limit=requires_limit,
        rules=rules.values(),
        overrides=_overrides(conn, tenant, now),
        kills=read_kills(conn, tenant, now),
    )


def read_kills(conn: Connection, tenant: str, now: datetime) -> list[Kill]:
    """Return the kills that are neither lifted nor over, the oldest first."""
    on = select(_KILLS).where(
        _KILLS.c.tenant_id == tenant,
        _KILLS.c.lifted_at.is_(None),
        or_(_KILLS.c.expires_at.is_(None), _KILLS.c.expires_at > now),
    )
    return [
        Kill(row.id, tuple(sorted(row.scope.items())), row.reason, row.expires_at)
        for row in conn.execute(on.order_by(_KILLS.c.id))
    ]


def _overrides(conn: Connection, tenant: str, now: datetime) -> Mapping[str, tuple[TimedCeiling, ...]]:
    live = select(_OVERRIDES).where(
        _OVERRIDES.c.tenant_id == tenant, _OVERRIDES.c.revoked_at.is_(None), _OVERRIDES.c.expires_at > now
    )
    found: dict[str, tuple[TimedCeiling, ...]] = {}
    for row in conn.execute(live.order_by(_OVERRIDES.c.id)):
        timed = TimedCeiling(row.id, row.ceiling_quanta, row.starts_at, row.expires_at)
        found[row.limit_id] = (*found.get(row.limit_id, ()), timed)
    return found


def _rule(row: Row[Any]) -> Rule:
    return Rule(
        id=row.id,
        name=row.name,
        unit=row.unit,
        ceiling=row.ceiling_quanta,
        every=Window(row.every),
        place=zone(row.timezone),
        where=tuple(sorted(row.scope.items())),
        per=tuple(row.per),
        require=tuple(row.require),
        mode=LimitMode(row.mode),
        warn_at=tuple(row.warn_at),
        opens_incident=row.opens_incident,
        effective_from=row.effective_from,
        effective_until=row.effective_until,
    )
