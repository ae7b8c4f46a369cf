"""What requests about keys, people and tenants carry."""

from typing import Annotated

from msgspec import Meta

from comptroller.api.bodies import Body, Instant, Name, Text
from comptroller.enums import Role


class KeyBody(Body):
    """A key."""

    name: Name
    role: Role
    expires_at: Instant | None = None


class UserBody(Body):
    """A person."""

    email: Name
    role: Role


class NewTenant(Body):
    """Who pays."""

    tenant_id: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    name: Text | None = None


class TenantPatch(Body):
    """Whether a tenant's door is shut."""

    disabled: bool


class Credentials(Body):
    """A login."""

    email: Name
    password: Annotated[str, Meta(min_length=1, max_length=1_024)]


class NewPassword(Body):
    """A one-time link's token, and the password it sets."""

    token: Name
    password: Annotated[str, Meta(min_length=1, max_length=1_024)]
