"""Let in, and say who may come in: every change of it is in the audit."""

import hmac
import secrets
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from comptroller.domains.access.driver import credentials, people
from comptroller.domains.access.engine import rights
from comptroller.domains.access.engine import secrets as engine
from comptroller.domains.audit.driver import write_entry
from comptroller.enums import Role
from comptroller.errors import ConflictError, InvalidInputError, NotFoundError, TooManyAttemptsError
from comptroller.ids import uuid7
from comptroller.peppers import Peppers
from comptroller.types.access import Key, Login, NewKey, NewUser, Principal, Tenant, User
from comptroller.types.caller import Caller

LINK_LIFE: Final = timedelta(hours=24)
SESSION_LIFE: Final = timedelta(days=7)
SESSION_IDLE: Final = timedelta(hours=12)
TOUCH_EVERY: Final = timedelta(minutes=1)


def make_key(
    session: Session, caller: Caller, giver: Principal, peppers: Peppers, *, name: str, role: Role,
    expires_at: datetime | None, now: datetime,
) -> NewKey:  # fmt: skip
    """Make a key that can do no more, and last no longer, than who makes it."""
    rights.check_grant(giver.role, role)
    if expires_at is not None and expires_at <= now:
        raise InvalidInputError(f"expires_at {expires_at} is past")
    require_tenant(session, caller.tenant)
    secret = engine.make_key(secrets.token_bytes(engine.RANDOM_BYTES))
    pepper_id, pepper = peppers.current
    key_id, end = uuid7(), rights.earliest(expires_at, giver.expires_at)
    prefix = engine.public_prefix(secret)
    values = {
        "tenant_id": caller.tenant, "id": key_id, "digest": engine.keyed_hash(secret, pepper), "pepper_id": pepper_id,
        "prefix": prefix, "name": name, "role": role.value, "created_at": now, "created_by": caller.actor,
        "expires_at": end,
    }  # fmt: skip
    credentials.add_key(session, values)
    audit(session, caller, "key.created", key_id, now, name=name, role=role.value, prefix=prefix)
    return NewKey(Key(key_id, name, prefix, role, now, caller.actor, end, None, None), secret)


def get_key(session: Session, caller: Caller, key_id: str) -> Key:
    """Return a key; an unknown one raises NotFoundError."""
    found = credentials.get_key(session, caller.tenant, key_id)
    if found is None:
        raise NotFoundError(f"key {key_id!r} does not exist for this tenant")
    return found


def revoke_key(session: Session, caller: Caller, key_id: str, *, now: datetime) -> Key:
    """End a key."""
    if get_key(session, caller, key_id).revoked_at is None:
        credentials.revoke_key(session, caller.tenant, key_id, now=now)
        audit(session, caller, "key.revoked", key_id, now)
    return get_key(session, caller, key_id)


def find_principal(session: Session, digests: list[str], *, now: datetime) -> tuple[Principal, bool] | None:
    """Return who a key stands for, and whether its use is to be written down; None if it opens nothing."""
    found = credentials.find_key(session, digests)
    if found is None:
        return None
    key, is_home, disabled_at = found
    if key.revoked_at is not None or disabled_at is not None or (key.expires_at is not None and key.expires_at <= now):
        return None
    principal = Principal(key.tenant_id, f"key:{key.prefix}", Role(key.role), is_home, key.expires_at)
    return principal, key.last_used_at is None or key.last_used_at <= now - TOUCH_EVERY


def find_session(session: Session, secret: str, *, now: datetime) -> tuple[Principal, bool] | None:
    """Return whose session a cookie names, and whether its use is to be written down; None if it opens nothing."""
    found = credentials.find_session(session, engine.plain_hash(secret))
    if found is None:
        return None
    row, user, is_home, disabled_at = found
    ended = row.expires_at <= now or row.last_seen_at <= now - SESSION_IDLE
    if ended or disabled_at is not None or user.disabled_at is not None:
        return None
    principal = Principal(
        user.tenant_id, f"user:{user.email}", Role(user.role), is_home, row.expires_at, row.csrf_digest
    )
    return principal, row.last_seen_at <= now - TOUCH_EVERY


def is_csrf_token(principal: Principal, token: str) -> bool:
    """Tell whether a token belongs to the session."""
    return principal.csrf_digest is not None and hmac.compare_digest(engine.plain_hash(token), principal.csrf_digest)


def count_attempts(session: Session, email: str, address: str, *, now: datetime) -> None:
    """Count a login before it is judged.

    Raises:
        TooManyAttemptsError: If the account or the address has tried too often.
    """
    waits = []
    for kind, subject in (("account", email), ("address", address)):
        counted = engine.plain_hash(f"{kind}:{subject}")
        count, first_at = people.count_attempt(session, counted, window=rights.ATTEMPTS_WINDOW, now=now)
        waits.append(rights.wait_seconds(kind, count, first_at, now))
    # Raised by the operation's caller after the count is committed: see orchestrator.access.log_in.
    if wait := max(waits):
        raise TooManyAttemptsError(f"too many logins: try again in {wait} seconds", wait)


def begin_session(session: Session, email: str, *, now: datetime) -> Login | None:
    """Begin a person's session under new secrets; None if the person may not come in."""
    user = people.find_user(session, email)
    tenant = None if user is None else people.get_tenant(session, user.tenant_id)
    if user is None or user.disabled_at is not None or tenant is None or tenant.disabled_at is not None:
        return None
    people.forget_attempts(session, engine.plain_hash(f"account:{email}"))
    credentials.sweep_sessions(session, now=now)
    secret, token = (engine.make_token(secrets.token_bytes(engine.RANDOM_BYTES)) for _ in range(2))
    csrf_digest, end = engine.plain_hash(token), now + SESSION_LIFE
    values = {
        "digest": engine.plain_hash(secret), "csrf_digest": csrf_digest, "email": email, "tenant_id": user.tenant_id,
        "created_at": now, "last_seen_at": now, "expires_at": end,
    }  # fmt: skip
    credentials.add_session(session, values)
    actor = f"user:{email}"
    audit(session, Caller(user.tenant_id, actor), "session.begun", email, now)
    principal = Principal(user.tenant_id, actor, Role(user.role), tenant.is_home, end, csrf_digest)
    return Login(principal, secret, token, end)


def make_link(session: Session, tenant_id: str, email: str, *, now: datetime) -> str:
    """Return the token of a link by which a person sets a password, once."""
    token = engine.make_token(secrets.token_bytes(engine.RANDOM_BYTES))
    values = {"digest": engine.plain_hash(token), "email": email, "tenant_id": tenant_id, "created_at": now}
    credentials.add_link(session, {**values, "expires_at": now + LINK_LIFE})
    return token


def add_user(
    session: Session, caller: Caller, giver: Principal, *, email: str, role: Role, now: datetime
) -> NewUser:  # fmt: skip
    """Add a person who can do no more than who adds them."""
    rights.check_grant(giver.role, role)
    require_tenant(session, caller.tenant)
    if not people.add_user(session, caller.tenant, email, role, actor=caller.actor, now=now):
        raise ConflictError(f"{email!r} cannot be added: the address is taken")
    audit(session, caller, "user.added", email, now, role=role.value)
    token = make_link(session, caller.tenant, email, now=now)
    return NewUser(get_user(session, caller, email), token, now + LINK_LIFE)


def get_user(session: Session, caller: Caller, email: str) -> User:
    """Return a person; an unknown one raises NotFoundError."""
    found = people.get_user(session, caller.tenant, email)
    if found is None:
        raise NotFoundError(f"user {email!r} does not exist for this tenant")
    return found


def disable_user(session: Session, caller: Caller, email: str, *, now: datetime) -> User:
    """Shut the door to a person and end their sessions."""
    if get_user(session, caller, email).disabled_at is None:
        people.disable_user(session, email, now=now)
        credentials.end_sessions_of(session, email)
        audit(session, caller, "user.disabled", email, now)
    session.expire_all()  # the row was changed by a statement
    return get_user(session, caller, email)


def require_tenant(session: Session, tenant_id: str) -> Tenant:
    """Return a tenant; an unknown one raises NotFoundError."""
    found = people.get_tenant(session, tenant_id)
    if found is None:
        raise NotFoundError(f"tenant {tenant_id!r} does not exist")
    return found


def audit(
    session: Session,
    caller: Caller,
    action: str,
    object_id: str,
    now: datetime,
    **detail: Any,
) -> None:
    """Write who did what (``key.created``) to which one."""
    kind = action.split(".", 1)[0]
    write_entry(session, caller, action=action, object_type=kind, object_id=object_id, detail=detail, now=now)
