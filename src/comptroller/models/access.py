"""Who may come in: tenants, keys, people, their sessions; and the keys by which a repeated request is known."""

from datetime import datetime

from sqlalchemy import Boolean, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from comptroller.enums import Role
from comptroller.models.mapping import Base, Id, UtcDateTime, one_of

Digest = String(64)


class Tenant(Base):
    """Who pays; the home tenant's admins make the others."""

    __tablename__ = "tenants"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    is_home: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(Id)
    # Absent: its keys and people may come in.
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ApiKey(Base):
    """A key of which only a keyed hash is kept; it is found by that hash before its tenant is known."""

    __tablename__ = "api_keys"

    digest: Mapped[str] = mapped_column(Digest, primary_key=True)
    pepper_id: Mapped[str] = mapped_column(String(16))
    tenant_id: Mapped[str] = mapped_column(Id)
    id: Mapped[str] = mapped_column(Id)
    prefix: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(Id)
    role: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(Id)
    # Absent: it lasts until it is revoked.
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Absent: never used. Told at most once a minute.
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (Index("uq_api_keys_id", "tenant_id", "id", unique=True), one_of("role", Role))


class User(Base):
    """A person who logs in, of one tenant."""

    __tablename__ = "users"

    email: Mapped[str] = mapped_column(Id, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Id)
    role: Mapped[str] = mapped_column(String(16))
    # Absent: the person has not set one yet, or comes in by another door.
    password_hash: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(Id)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (Index(None, "tenant_id", "email"), one_of("role", Role))


class LoginSession(Base):
    """A session of the dashboard, kept here; the browser holds an opaque id of which this is the hash."""

    __tablename__ = "login_sessions"

    digest: Mapped[str] = mapped_column(Digest, primary_key=True)
    csrf_digest: Mapped[str] = mapped_column(Digest)
    email: Mapped[str] = mapped_column(Id)
    tenant_id: Mapped[str] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index(None, "email"), Index(None, "expires_at"))


class LoginAttempt(Base):
    """Failed logins of one account or one address, counted where all processes see them."""

    __tablename__ = "login_attempts"

    subject: Mapped[str] = mapped_column(Digest, primary_key=True)
    count: Mapped[int] = mapped_column(Integer)
    first_at: Mapped[datetime] = mapped_column(UtcDateTime)


class OneTimeLink(Base):
    """A link that lets a person set a password, once."""

    __tablename__ = "one_time_links"

    digest: Mapped[str] = mapped_column(Digest, primary_key=True)
    email: Mapped[str] = mapped_column(Id)
    tenant_id: Mapped[str] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (Index(None, "email"),)


class RequestKey(Base):
    """The key of a request that changed something: its repeat gets the first answer, other content is refused."""

    __tablename__ = "request_keys"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(Id, primary_key=True)
    content_hash: Mapped[str] = mapped_column(Digest)
    answer: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
