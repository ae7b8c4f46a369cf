"""Keys, sessions and one-time links, found by the hash of their secret."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.orm import Session

from comptroller.enums import Role
from comptroller.models.access import ApiKey, LoginSession, OneTimeLink, Tenant, User
from comptroller.types.access import Key

SWEEP_MAX = 100  # ended sessions removed at one login


def add_key(session: Session, values: Mapping[str, Any]) -> None:
    """Write a key's row."""
    session.execute(insert(ApiKey).values(**values))


def find_key(session: Session, digests: Sequence[str]) -> Row[ApiKey, bool, datetime | None] | None:
    """Return the key with one of these hashes, with whether its tenant is home and disabled, or None."""
    query = (
        select(ApiKey, Tenant.is_home, Tenant.disabled_at)
        .join(Tenant, Tenant.tenant_id == ApiKey.tenant_id)
        .where(ApiKey.digest.in_(digests))
    )
    return session.execute(query).one_or_none()


def touch_key(session: Session, digests: Sequence[str], *, now: datetime) -> None:
    """Say when a key was last used."""
    session.execute(update(ApiKey).where(ApiKey.digest.in_(digests)).values(last_used_at=now))


def get_key(session: Session, tenant_id: str, key_id: str) -> Key | None:
    """Return a tenant's key, or None."""
    row = session.scalars(select(ApiKey).where(ApiKey.tenant_id == tenant_id, ApiKey.id == key_id)).one_or_none()
    return None if row is None else as_key(row)


def list_keys(session: Session, tenant_id: str, *, before: str | None, limit: int) -> list[Key]:
    """Return a tenant's keys, the newest first."""
    query = select(ApiKey).where(ApiKey.tenant_id == tenant_id)
    if before is not None:
        query = query.where(ApiKey.id < before)
    return [as_key(row) for row in session.scalars(query.order_by(ApiKey.id.desc()).limit(limit))]


def revoke_key(session: Session, tenant_id: str, key_id: str, *, now: datetime) -> None:
    """End a key; one that has ended stays as it is."""
    session.execute(
        update(ApiKey)
        .where(ApiKey.tenant_id == tenant_id, ApiKey.id == key_id, ApiKey.revoked_at.is_(None))
        .values(revoked_at=now)
    )


def as_key(row: ApiKey) -> Key:
    """Return a key as it is shown."""
    return Key(
        row.id, row.name, row.prefix, Role(row.role), row.created_at, row.created_by, row.expires_at, row.revoked_at,
        row.last_used_at,
    )  # fmt: skip


def add_session(session: Session, values: Mapping[str, Any]) -> None:
    """Write a session's row."""
    session.execute(insert(LoginSession).values(**values))


def find_session(session: Session, digest: str) -> Row[LoginSession, User, bool, datetime | None] | None:
    """Return a session with its person and whether the tenant is home and disabled, or None."""
    query = (
        select(LoginSession, User, Tenant.is_home, Tenant.disabled_at)
        .join(User, User.email == LoginSession.email)
        .join(Tenant, Tenant.tenant_id == User.tenant_id)
        .where(LoginSession.digest == digest)
    )
    return session.execute(query).one_or_none()


def touch_session(session: Session, digest: str, *, now: datetime) -> None:
    """Say when a session was last seen."""
    session.execute(update(LoginSession).where(LoginSession.digest == digest).values(last_seen_at=now))


def end_session(session: Session, digest: str) -> None:
    """Remove a session."""
    session.execute(delete(LoginSession).where(LoginSession.digest == digest))


def end_sessions_of(session: Session, email: str) -> None:
    """Remove all sessions of a person."""
    session.execute(delete(LoginSession).where(LoginSession.email == email))


def sweep_sessions(session: Session, *, now: datetime) -> None:
    """Remove some sessions whose time is over."""
    ended = select(LoginSession.digest).where(LoginSession.expires_at <= now).limit(SWEEP_MAX)
    session.execute(delete(LoginSession).where(LoginSession.digest.in_(ended)))


def add_link(session: Session, values: Mapping[str, Any]) -> None:
    """Write a one-time link in the place of the person's earlier ones."""
    session.execute(delete(OneTimeLink).where(OneTimeLink.email == values["email"]))
    session.execute(insert(OneTimeLink).values(**values))


def use_link(session: Session, digest: str, *, now: datetime) -> tuple[str, str] | None:
    """Use a link up and return its tenant and address; None where it is unknown, used or over."""
    answer = session.execute(
        update(OneTimeLink)
        .where(OneTimeLink.digest == digest, OneTimeLink.used_at.is_(None), OneTimeLink.expires_at > now)
        .values(used_at=now)
        .returning(OneTimeLink.tenant_id, OneTimeLink.email)
    ).one_or_none()
    return None if answer is None else (answer[0], answer[1])
