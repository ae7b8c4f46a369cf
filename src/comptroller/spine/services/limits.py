"""Limits change under the tenant's policy lock; each change is a version and an audit entry."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from comptroller.domains.audit.driver import write_entry
from comptroller.domains.policies.driver import limits as driver
from comptroller.domains.policies.engine.rules import LimitDraft, redraft
from comptroller.errors import ConflictError, NotFoundError
from comptroller.ids import uuid7
from comptroller.money import Money
from comptroller.types.caller import Caller
from comptroller.types.limits import Limit, Override


def get_limit(session: Session, caller: Caller, name_or_id: str) -> Limit:
    """Return a limit by id, or the one in force of that name.

    Raises:
        NotFoundError: If the tenant has no such limit.
    """
    found = driver.find_limit(session, caller.tenant, name_or_id)
    if found is None:
        raise NotFoundError(f"limit {name_or_id!r} does not exist for this tenant")
    return found


def create(session: Session, caller: Caller, draft: LimitDraft, why: str, *, now: datetime) -> Limit:
    """Store a new limit as its first version.

    Raises:
        ConflictError: If a limit of that name is in force.
    """
    changed_in = driver.raise_version(session, caller.tenant, now)
    _require_free_name(session, caller, draft.name)
    limit_id = uuid7()
    driver.insert_limit(session, caller.tenant, limit_id, draft, version=changed_in, actor=caller.actor, now=now)
    _tell(session, caller, limit_id, version=1, action="limit.created", content=driver.content(draft), why=why, now=now)
    return get_limit(session, caller, limit_id)


def update(
    session: Session, caller: Caller, name_or_id: str, changes: dict[str, Any], why: str, *, now: datetime
) -> Limit:
    """Store changed values as the limit's next version; a change to what it is already changes nothing."""
    changed_in = driver.raise_version(session, caller.tenant, now)
    limit = _in_force(session, caller, name_or_id)
    return _replace(
        session, caller, limit, redraft(driver.as_draft(limit), changes), why, changed_in=changed_in, now=now
    )


def replace(session: Session, caller: Caller, limit: Limit, draft: LimitDraft, why: str, *, now: datetime) -> Limit:
    """Store a whole draft as the limit's next version."""
    changed_in = driver.raise_version(session, caller.tenant, now)
    return _replace(session, caller, limit, draft, why, changed_in=changed_in, now=now)


def _replace(
    session: Session, caller: Caller, limit: Limit, draft: LimitDraft, why: str, *, changed_in: int, now: datetime
) -> Limit:
    if draft == driver.as_draft(limit):
        return limit
    if draft.name != limit.name:
        _require_free_name(session, caller, draft.name)
    version = limit.version + 1
    driver.change_limit(session, caller.tenant, limit.id, draft, version=version, changed_in=changed_in)
    _tell(
        session,
        caller,
        limit.id,
        version=version,
        action="limit.updated",
        content=driver.content(draft),
        why=why,
        now=now,
    )
    return get_limit(session, caller, limit.id)


def archive(session: Session, caller: Caller, name_or_id: str, why: str, *, now: datetime) -> Limit:
    """Take a limit out of force; an archived one stays as it is."""
    changed_in = driver.raise_version(session, caller.tenant, now)
    limit = get_limit(session, caller, name_or_id)
    if limit.archived_at is not None:
        return limit
    version = limit.version + 1
    driver.archive(session, caller.tenant, limit.id, version=version, changed_in=changed_in, now=now)
    content = driver.content(driver.as_draft(limit)) | {"archived": True}
    _tell(session, caller, limit.id, version=version, action="limit.archived", content=content, why=why, now=now)
    return get_limit(session, caller, limit.id)


def override(
    session: Session,
    caller: Caller,
    name_or_id: str,
    *,
    ceiling: int,
    starts_at: datetime,
    expires_at: datetime,
    why: str,
    now: datetime,
) -> Override:
    """Change a limit's ceiling for a time; the newest override in force counts."""
    changed_in = driver.raise_version(session, caller.tenant, now)
    limit = _in_force(session, caller, name_or_id)
    override_id = uuid7()
    values = {"ceiling_quanta": ceiling, "starts_at": starts_at, "expires_at": expires_at, "reason": why}
    driver.insert_override(
        session, caller.tenant, override_id, values | {"limit_id": limit.id, "created_by": caller.actor}
    )
    driver.touch(session, caller.tenant, limit.id, changed_in=changed_in)
    detail = {
        "override_id": override_id,
        "ceiling": str(Money.of_quanta(ceiling, limit.ceiling.unit)),
        "starts_at": starts_at.isoformat(),
        "expires_at": expires_at.isoformat(),
        "why": why,
    }
    _audit(session, caller, limit.id, "limit.overridden", detail, now=now)
    return next(
        o for o in driver.list_overrides(session, caller.tenant, limit_id=limit.id, since=now) if o.id == override_id
    )


def revoke_override(
    session: Session, caller: Caller, limit_name_or_id: str, override_id: str, why: str, *, now: datetime
) -> None:
    """End an override before its time.

    Raises:
        NotFoundError: If no such override of the limit is in force.
    """
    changed_in = driver.raise_version(session, caller.tenant, now)
    limit = get_limit(session, caller, limit_name_or_id)
    known = {o.id for o in driver.list_overrides(session, caller.tenant, limit_id=limit.id, since=now)}
    if override_id not in known:
        raise NotFoundError(f"override {override_id!r} of limit {limit.name!r} is not in force")
    driver.revoke(session, caller.tenant, override_id, now=now)
    driver.touch(session, caller.tenant, limit.id, changed_in=changed_in)
    _audit(session, caller, limit.id, "limit.override_revoked", {"override_id": override_id, "why": why}, now=now)


def require_limit(session: Session, caller: Caller, why: str, *, required: bool, now: datetime) -> None:
    """Refuse, or admit again, spend to which no limit applies."""
    driver.raise_version(session, caller.tenant, now)
    driver.set_requires_limit(session, caller.tenant, required=required)
    detail = {"require_limit": required, "why": why}
    write_entry(
        session, caller, action="policy.changed", object_type="policy", object_id=caller.tenant, detail=detail, now=now
    )


def _in_force(session: Session, caller: Caller, name_or_id: str) -> Limit:
    limit = get_limit(session, caller, name_or_id)
    if limit.archived_at is not None:
        raise ConflictError(f"limit {limit.name!r} is archived: create a new one")
    return limit


def _require_free_name(session: Session, caller: Caller, name: str) -> None:
    taken = driver.find_limit(session, caller.tenant, name)
    if taken is not None:
        raise ConflictError(f"limit {name!r} exists already: update it, or archive it first")


def _tell(
    session: Session,
    caller: Caller,
    limit_id: str,
    *,
    version: int,
    action: str,
    content: dict[str, Any],
    why: str,
    now: datetime,
) -> None:
    change = {"version": version, "content": content, "reason": why}
    driver.insert_version(session, caller.tenant, limit_id, change, actor=caller.actor, now=now)
    _audit(session, caller, limit_id, action, content | {"version": version, "why": why}, now=now)


def _audit(
    session: Session, caller: Caller, limit_id: str, action: str, detail: dict[str, Any], *, now: datetime
) -> None:
    write_entry(session, caller, action=action, object_type="limit", object_id=limit_id, detail=detail, now=now)
