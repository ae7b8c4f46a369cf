"""Tenants, keys, people and sessions as callers see them."""

from dataclasses import dataclass
from datetime import datetime

from comptroller.enums import Role


@dataclass(frozen=True, slots=True)
class Principal:
    """Who sent a request.

    Attributes:
        tenant: For whom they act.
        actor: As the audit names them.
        role: What they may do.
        is_home: Whether their tenant is the one that makes others.
        expires_at: When the credential ends; what it makes cannot outlive it.
        csrf_digest: Present on a browser's session: the hash of the token that its unsafe requests carry.
    """

    tenant: str
    actor: str
    role: Role
    is_home: bool = False
    expires_at: datetime | None = None
    csrf_digest: str | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is listed; the secret itself is nowhere."""

    id: str
    name: str
    prefix: str
    role: Role
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made, with the secret that is shown once."""

    key: Key
    secret: str


@dataclass(frozen=True, slots=True)
class Tenant:
    """Who pays."""

    id: str
    name: str
    is_home: bool
    created_at: datetime
    created_by: str
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class User:
    """A person who logs in."""

    email: str
    role: Role
    has_password: bool
    created_at: datetime
    created_by: str
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewUser:
    """A person who was just added, with the token of the link by which a password is set, shown once."""

    user: User
    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Login:
    """A session that was just begun: what the cookie holds, and the token that unsafe requests carry."""

    principal: Principal
    secret: str
    csrf_token: str
    expires_at: datetime
