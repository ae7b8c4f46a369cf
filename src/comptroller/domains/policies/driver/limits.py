"""SQL of limits, their versions and overrides, and of the tenant's policy row that every change locks."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from comptroller.domains.policies.engine.rules import LimitDraft
from comptroller.enums import LimitMode, Window
from comptroller.models.policy_control_plane import Limit as LimitRow
from comptroller.models.policy_control_plane import LimitOverride, LimitVersion, TenantPolicy
from comptroller.money import Money, spend_quanta
from comptroller.types.limits import Limit, LimitChange, Override

_LIMITS = LimitRow.__table__
_VERSIONS = LimitVersion.__table__
_OVERRIDES = LimitOverride.__table__
_POLICIES = TenantPolicy.__table__
CHANNEL = "comptroller_policy"


def raise_version(session: Session, tenant: str, now: datetime) -> int:
    """Lock the tenant's policy row against every admission, raise its version and return it."""
    conn = session.connection()
    # A new tenant's row is made by whoever comes first; the lock below is taken by both.
    first = {"tenant_id": tenant, "version": 0, "requires_limit": False, "updated_at": now}
    if conn.dialect.name == "postgresql":
        conn.execute(postgresql.insert(TenantPolicy).values(first).on_conflict_do_nothing())
    else:
        conn.execute(sqlite.insert(TenantPolicy).values(first).on_conflict_do_nothing())
    raised = (
        update(TenantPolicy)
        .where(_POLICIES.c.tenant_id == tenant)
        .values(version=_POLICIES.c.version + 1, updated_at=now)
        .returning(_POLICIES.c.version)
    )
    version = int(conn.execute(raised).scalar_one())
    if conn.dialect.name == "postgresql":  # heard at the commit by whoever runs something
        conn.exec_driver_sql("SELECT pg_notify(%(channel)s, %(tenant)s)", {"channel": CHANNEL, "tenant": tenant})
    return version


def set_requires_limit(session: Session, tenant: str, *, required: bool) -> None:
    """Store whether a spend without a limit is refused; the policy row must be locked."""
    change = update(TenantPolicy).where(_POLICIES.c.tenant_id == tenant).values(requires_limit=required)
    session.connection().execute(change)


def insert_limit(
    session: Session, tenant: str, limit_id: str, draft: LimitDraft, *, version: int, actor: str, now: datetime
) -> None:
    """Store a new limit; its name must be free."""
    values = _columns(draft) | {"version": 1, "changed_in": version, "created_at": now, "created_by": actor}
    session.connection().execute(insert(LimitRow).values(tenant_id=tenant, id=limit_id, builtin=False, **values))


def change_limit(
    session: Session, tenant: str, limit_id: str, draft: LimitDraft, *, version: int, changed_in: int
) -> None:
    """Store a limit's new values under its next version."""
    key = (_LIMITS.c.tenant_id == tenant) & (_LIMITS.c.id == limit_id)
    values = _columns(draft) | {"version": version, "changed_in": changed_in}
    session.connection().execute(update(LimitRow).where(key).values(**values))


def archive(session: Session, tenant: str, limit_id: str, *, version: int, changed_in: int, now: datetime) -> None:
    """Take a limit out of force; its balances and breaches stay."""
    key = (_LIMITS.c.tenant_id == tenant) & (_LIMITS.c.id == limit_id)
    values = {"archived_at": now, "version": version, "changed_in": changed_in}
    session.connection().execute(update(LimitRow).where(key).values(**values))


def touch(session: Session, tenant: str, limit_id: str, *, changed_in: int) -> None:
    """Have every process read this limit's overrides again."""
    key = (_LIMITS.c.tenant_id == tenant) & (_LIMITS.c.id == limit_id)
    session.connection().execute(update(LimitRow).where(key).values(changed_in=changed_in))


def insert_version(
    session: Session, tenant: str, limit_id: str, change: dict[str, Any], *, actor: str, now: datetime
) -> None:
    """Store who changed a limit, to what and why."""
    row = {"tenant_id": tenant, "limit_id": limit_id, "changed_by": actor, "changed_at": now, **change}
    session.connection().execute(insert(LimitVersion).values(row))


def find_limit(session: Session, tenant: str, name_or_id: str) -> Limit | None:
    """Return a limit by its id, or the one in force of that name."""
    named = (_LIMITS.c.name == name_or_id) & _LIMITS.c.archived_at.is_(None)
    found = select(_LIMITS).where(_LIMITS.c.tenant_id == tenant, or_(_LIMITS.c.id == name_or_id, named))
    row = session.connection().execute(found.order_by(_LIMITS.c.id != name_or_id)).first()
    return None if row is None else as_limit(row)


def list_limits(session: Session, tenant: str, *, archived: bool, after: str | None, count: int) -> list[Limit]:
    """Return limits by name, from after a name on."""
    found = select(_LIMITS).where(_LIMITS.c.tenant_id == tenant, _LIMITS.c.builtin.is_(False))
    if not archived:
        found = found.where(_LIMITS.c.archived_at.is_(None))
    if after is not None:
        found = found.where(_LIMITS.c.name > after)
    rows = session.connection().execute(found.order_by(_LIMITS.c.name, _LIMITS.c.id).limit(count))
    return [as_limit(row) for row in rows]


def list_versions(session: Session, tenant: str, limit_id: str) -> list[LimitChange]:
    """Return a limit's versions, the first one first."""
    key = (_VERSIONS.c.tenant_id == tenant) & (_VERSIONS.c.limit_id == limit_id)
    rows = session.connection().execute(select(_VERSIONS).where(key).order_by(_VERSIONS.c.version))
    return [
        LimitChange(
            version=row.version,
            content=row.content,
            reason=row.reason,
            changed_by=row.changed_by,
            changed_at=row.changed_at,
        )
        for row in rows
    ]


def insert_override(session: Session, tenant: str, override_id: str, values: dict[str, Any]) -> None:
    """Store a timed change of a limit's ceiling."""
    session.connection().execute(insert(LimitOverride).values(tenant_id=tenant, id=override_id, **values))


def revoke(session: Session, tenant: str, override_id: str, *, now: datetime) -> None:
    """End an override before its time."""
    key = (_OVERRIDES.c.tenant_id == tenant) & (_OVERRIDES.c.id == override_id)
    session.connection().execute(update(LimitOverride).where(key).values(revoked_at=now))


def list_overrides(session: Session, tenant: str, *, limit_id: str | None = None, since: datetime) -> list[Override]:
    """Return overrides that are in force now or later, in the order in which they were made."""
    found = select(_OVERRIDES, _LIMITS.c.unit).join(
        _LIMITS, (_LIMITS.c.tenant_id == _OVERRIDES.c.tenant_id) & (_LIMITS.c.id == _OVERRIDES.c.limit_id)
    )
    found = found.where(
        _OVERRIDES.c.tenant_id == tenant, _OVERRIDES.c.revoked_at.is_(None), _OVERRIDES.c.expires_at > since
    )
    if limit_id is not None:
        found = found.where(_OVERRIDES.c.limit_id == limit_id)
    return [_as_override(row) for row in session.connection().execute(found.order_by(_OVERRIDES.c.id))]


def as_draft(limit: Limit) -> LimitDraft:
    """Return a stored limit as the draft that a change starts from."""
    return LimitDraft(
        name=limit.name,
        unit=limit.ceiling.unit,
        ceiling_quanta=spend_quanta(limit.ceiling.amount, limit.ceiling.unit),
        every=limit.every,
        timezone=limit.timezone,
        where=tuple(sorted(limit.where.items())),
        per=limit.per,
        require=limit.require,
        mode=limit.mode,
        warn_at=limit.warn_at,
        opens_incident=limit.opens_incident,
        effective_from=limit.effective_from,
        effective_until=limit.effective_until,
    )


def content(draft: LimitDraft) -> dict[str, Any]:
    """Return a draft as JSON for its version and the audit."""
    said = asdict(draft)
    money = Money.of_quanta(draft.ceiling_quanta, draft.unit)
    for name in ("effective_from", "effective_until"):
        said[name] = None if said[name] is None else said[name].isoformat()
    del said["ceiling_quanta"], said["unit"]
    return said | {"ceiling": str(money), "where": dict(draft.where)}


def as_limit(row: Row[Any]) -> Limit:
    """Return a row as callers get it."""
    return Limit(
        id=row.id,
        name=row.name,
        ceiling=Money.of_quanta(row.ceiling_quanta, row.unit),
        every=Window(row.every),
        timezone=row.timezone,
        where=row.scope,
        per=tuple(row.per),
        require=tuple(row.require),
        mode=LimitMode(row.mode),
        warn_at=tuple(row.warn_at),
        opens_incident=row.opens_incident,
        effective_from=row.effective_from,
        effective_until=row.effective_until,
        version=row.version,
        created_at=row.created_at,
        created_by=row.created_by,
        archived_at=row.archived_at,
    )


def _columns(draft: LimitDraft) -> dict[str, Any]:
    values = asdict(draft)
    values["scope"] = dict(values.pop("where"))
    return values | {name: list(values[name]) for name in ("per", "require", "warn_at")}


def _as_override(row: Row[Any]) -> Override:
    return Override(
        id=row.id,
        limit_id=row.limit_id,
        ceiling=Money.of_quanta(row.ceiling_quanta, row.unit),
        reason=row.reason,
        created_by=row.created_by,
        starts_at=row.starts_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
