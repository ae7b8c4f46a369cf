"""Tenants, people, and the count of their failed logins."""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import case, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from comptroller.enums import Role
from comptroller.models.access import LoginAttempt
from comptroller.models.access import Tenant as TenantRow
from comptroller.models.access import User as UserRow
from comptroller.types.access import Tenant, User

_INSERTS: Final[dict[str, Any]] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


def add_tenant(
    session: Session, tenant_id: str, name: str, *, is_home: bool, actor: str, now: datetime
) -> bool:  # fmt: skip
    """Write a tenant; False where it is there already."""
    rows = _INSERTS[session.connection().dialect.name](TenantRow).values(
        tenant_id=tenant_id, name=name, is_home=is_home, created_at=now, created_by=actor
    )
    return session.execute(rows.on_conflict_do_nothing().returning(TenantRow.tenant_id)).first() is not None


def get_tenant(session: Session, tenant_id: str) -> Tenant | None:
    """Return a tenant, or None."""
    row = session.get(TenantRow, tenant_id)
    return None if row is None else _tenant(row)


def list_tenants(session: Session, *, after: str | None, limit: int) -> list[Tenant]:
    """Return tenants by id."""
    query = select(TenantRow)
    if after is not None:
        query = query.where(TenantRow.tenant_id > after)
    return [_tenant(row) for row in session.scalars(query.order_by(TenantRow.tenant_id).limit(limit))]


def set_disabled(session: Session, tenant_id: str, at: datetime | None) -> None:
    """Shut a tenant's door, or open it again."""
    session.execute(update(TenantRow).where(TenantRow.tenant_id == tenant_id).values(disabled_at=at))


def has_users(session: Session, tenant_id: str) -> bool:
    """Tell whether a person with a password belongs to a tenant."""
    query = select(UserRow.email).where(UserRow.tenant_id == tenant_id, UserRow.password_hash.is_not(None))
    return session.execute(query.limit(1)).first() is not None


def add_user(session: Session, tenant_id: str, email: str, role: Role, *, actor: str, now: datetime) -> bool:
    """Write a person; False where the address is taken, by whomever."""
    rows = _INSERTS[session.connection().dialect.name](UserRow).values(
        tenant_id=tenant_id, email=email, role=role.value, created_at=now, created_by=actor
    )
    return session.execute(rows.on_conflict_do_nothing().returning(UserRow.email)).first() is not None


def find_user(session: Session, email: str) -> UserRow | None:
    """Return a person's row by address, or None."""
    return session.get(UserRow, email)


def get_user(session: Session, tenant_id: str, email: str) -> User | None:
    """Return a tenant's person, or None."""
    row = find_user(session, email)
    return None if row is None or row.tenant_id != tenant_id else _user(row)


def list_users(session: Session, tenant_id: str, *, after: str | None, limit: int) -> list[User]:
    """Return a tenant's people by address."""
    query = select(UserRow).where(UserRow.tenant_id == tenant_id)
    if after is not None:
        query = query.where(UserRow.email > after)
    return [_user(row) for row in session.scalars(query.order_by(UserRow.email).limit(limit))]


def set_password(session: Session, email: str, password_hash: str) -> None:
    """Set a person's password."""
    session.execute(update(UserRow).where(UserRow.email == email).values(password_hash=password_hash))


def disable_user(session: Session, email: str, *, now: datetime) -> None:
    """Shut the door to a person."""
    session.execute(update(UserRow).where(UserRow.email == email).values(disabled_at=now))


def count_attempt(session: Session, subject: str, *, window: timedelta, now: datetime) -> tuple[int, datetime]:
    """Count one more login of a subject before it is judged; return the count and when the counting began."""
    make = _INSERTS[session.connection().dialect.name](LoginAttempt).values(subject=subject, count=1, first_at=now)
    is_old = LoginAttempt.first_at <= now - window
    counted = make.on_conflict_do_update(
        index_elements=[LoginAttempt.subject],
        set_={
            "count": case((is_old, 1), else_=LoginAttempt.count + 1),
            "first_at": case((is_old, now), else_=LoginAttempt.first_at),
        },
    ).returning(LoginAttempt.count, LoginAttempt.first_at)
    count, first_at = session.execute(counted).one()
    return int(count), first_at


def forget_attempts(session: Session, subject: str) -> None:
    """Begin to count anew: the login was right."""
    session.execute(delete(LoginAttempt).where(LoginAttempt.subject == subject))


def _tenant(row: TenantRow) -> Tenant:
    return Tenant(row.tenant_id, row.name, row.is_home, row.created_at, row.created_by, row.disabled_at)


def _user(row: UserRow) -> User:
    has_password = row.password_hash is not None
    return User(row.email, Role(row.role), has_password, row.created_at, row.created_by, row.disabled_at)
