"""Use cases of access: keys, people, sessions, tenants."""

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from comptroller.checks import optional_text, required_id
from comptroller.domains.access.driver import credentials, people
from comptroller.domains.access.engine import secrets as engine
from comptroller.enums import Role
from comptroller.errors import ConflictError, InvalidInputError, NotAuthenticatedError, TooManyAttemptsError
from comptroller.peppers import Peppers
from comptroller.spine.orchestrator.operation import Do, Steps, Work, operation, procedure, reading
from comptroller.spine.services import access as service
from comptroller.types.access import Key, Login, NewKey, NewUser, Principal, Tenant, User
from comptroller.types.caller import Caller
from comptroller.words import member

PAGE_MAX: Final = 1000
FIRST_ADMIN: Final = "admin"
NOBODY: Final = Caller("(none)", "server")  # what is done before it is known for whom


def key_digests(secret: str, peppers: Peppers) -> list[str]:
    """Return the hashes under which a key may be stored; none for what is no key, without a look at the database."""
    return [engine.keyed_hash(secret, pepper) for _, pepper in peppers.by_id] if engine.is_key(secret) else []


def is_csrf_token(principal: Principal, token: str) -> bool:
    """Tell whether a token belongs to the principal's session."""
    return service.is_csrf_token(principal, token)


@reading
def _find_by_key(session: Session, caller: Caller, digests: list[str]) -> tuple[Principal, bool] | None:
    return service.find_principal(session, digests, now=caller.now())


@reading
def _find_by_session(session: Session, caller: Caller, secret: str) -> tuple[Principal, bool] | None:
    return service.find_session(session, secret, now=caller.now())


@operation
def _touch_key(session: Session, caller: Caller, digests: list[str]) -> None:
    credentials.touch_key(session, digests, now=caller.now())


@operation
def _touch_session(session: Session, caller: Caller, digest: str) -> None:
    credentials.touch_session(session, digest, now=caller.now())


@procedure
def authenticate_key(_caller: Caller, digests: list[str]) -> Steps[Principal | None]:
    """Return who a key stands for, or None; its last use is written down once a minute."""
    found: tuple[Principal, bool] | None = (yield Do(_find_by_key, (digests,))) if digests else None
    if found is not None and found[1]:
        yield Do(_touch_key, (digests,))
    return None if found is None else found[0]


@procedure
def authenticate_session(_caller: Caller, secret: str) -> Steps[Principal | None]:
    """Return whose session a cookie names, or None; its last use is written down once a minute."""
    found: tuple[Principal, bool] | None = yield Do(_find_by_session, (secret,))
    if found is not None and found[1]:
        yield Do(_touch_session, (engine.plain_hash(secret),))
    return None if found is None else found[0]


@operation
def _count_attempts(session: Session, caller: Caller, email: str, address: str) -> TooManyAttemptsError | None:
    try:
        service.count_attempts(session, email, address, now=caller.now())
    except TooManyAttemptsError as error:
        return error  # raised once the count is committed
    return None


@reading
def _password_hash(session: Session, _caller: Caller, email: str) -> str | None:
    user = people.find_user(session, email)
    return None if user is None else user.password_hash


@operation
def _begin_session(session: Session, caller: Caller, email: str) -> Login | None:
    return service.begin_session(session, email, now=caller.now())


@procedure
def log_in(_caller: Caller, email: str, password: str, *, address: str) -> Steps[Login]:
    """Begin a session.

    Raises:
        NotAuthenticatedError: If address and password do not belong together; it does not say which is wrong.
        TooManyAttemptsError: If the account or the client has tried too often, in whichever process.
    """
    known = login_name(email)
    refused: TooManyAttemptsError | None = yield Do(_count_attempts, (known, address))
    if refused is not None:
        raise refused
    password_hash: str | None = yield Do(_password_hash, (known,))
    is_right: bool = yield Work(engine.is_password, (password_hash, password))
    login: Login | None = (yield Do(_begin_session, (known,))) if is_right else None
    if login is None:
        raise NotAuthenticatedError("email and password do not belong together")
    return login


@operation
def _use_link(session: Session, caller: Caller, token: str, password_hash: str) -> str | None:
    now = caller.now()
    found = credentials.use_link(session, engine.plain_hash(token), now=now)
    if found is None:
        return None
    tenant_id, email = found
    people.set_password(session, email, password_hash)
    credentials.end_sessions_of(session, email)
    service.audit(session, Caller(tenant_id, f"user:{email}"), "user.password_set", email, now)
    return email


@procedure
def set_password(_caller: Caller, token: str, password: str) -> Steps[Login]:
    """Set a password by a one-time link, and begin a session; the person's other sessions end."""
    password_hash: str = yield Work(engine.hash_password, (password,))
    email: str | None = yield Do(_use_link, (token, password_hash))
    login: Login | None = None if email is None else (yield Do(_begin_session, (email,)))
    if login is None:
        raise NotAuthenticatedError("the link is unknown, used or over: ask for another")
    return login


@operation
def log_out(session: Session, _caller: Caller, secret: str) -> None:
    """End a session."""
    credentials.end_session(session, engine.plain_hash(secret))


@operation
def create_key(
    session: Session,
    caller: Caller,
    giver: Principal,
    peppers: Peppers,
    *,
    name: str,
    role: str,
    expires_at: datetime | None = None,
) -> NewKey:
    """Make a key; its secret is in the answer and nowhere else."""
    return service.make_key(
        session, caller, giver, peppers, name=required_id("name", name), role=member(Role, "role", role),
        expires_at=expires_at, now=caller.now(),
    )  # fmt: skip


@reading
def list_keys(session: Session, caller: Caller, *, before: str | None = None, count: int = PAGE_MAX) -> list[Key]:
    """Return keys, the newest first, at most 1,000 at once; ``before`` is the id of the last one seen."""
    return credentials.list_keys(session, caller.tenant, before=before, limit=page_size(count))


@reading
def get_key(session: Session, caller: Caller, key_id: str) -> Key:
    """Return one key; an unknown id raises NotFoundError."""
    return service.get_key(session, caller, key_id)


@operation
def revoke_key(session: Session, caller: Caller, key_id: str) -> Key:
    """End a key; repeating it changes nothing."""
    return service.revoke_key(session, caller, key_id, now=caller.now())


@operation
def add_user(session: Session, caller: Caller, giver: Principal, *, email: str, role: str) -> NewUser:
    """Add a person; the answer holds the token of the link by which the password is set."""
    known = login_name(email)
    return service.add_user(
        session, caller, giver, email=known, role=member(Role, "role", role), now=caller.now()
    )  # fmt: skip


@reading
def list_users(session: Session, caller: Caller, *, after: str | None = None, count: int = PAGE_MAX) -> list[User]:
    """Return people by address, at most 1,000 at once; ``after`` is the last one seen."""
    return people.list_users(session, caller.tenant, after=after, limit=page_size(count))


@operation
def disable_user(session: Session, caller: Caller, email: str) -> User:
    """Shut the door to a person; their sessions end."""
    return service.disable_user(session, caller, login_name(email), now=caller.now())


@operation
def create_tenant(session: Session, caller: Caller, tenant_id: str, *, name: str = "") -> Tenant:
    """Make a tenant; an id that is taken raises ConflictError."""
    tenant_id = required_id("id", tenant_id, longest=64)
    said = optional_text("name", name) or tenant_id
    if not people.add_tenant(session, tenant_id, said, is_home=False, actor=caller.actor, now=caller.now()):
        raise ConflictError(f"tenant {tenant_id!r} exists already")
    service.audit(session, caller, "tenant.created", tenant_id, caller.now(), name=said)
    return service.require_tenant(session, tenant_id)


@reading
def list_tenants(session: Session, _caller: Caller, *, after: str | None = None, count: int = PAGE_MAX) -> list[Tenant]:
    """Return tenants by id, at most 1,000 at once; ``after`` is the last one seen."""
    return people.list_tenants(session, after=after, limit=page_size(count))


@reading
def get_tenant(session: Session, _caller: Caller, tenant_id: str) -> Tenant:
    """Return one tenant; an unknown id raises NotFoundError."""
    return service.require_tenant(session, tenant_id)


@operation
def set_tenant_disabled(session: Session, caller: Caller, tenant_id: str, *, disabled: bool) -> Tenant:
    """Shut a tenant's door, or open it again; the home tenant's stays open."""
    found = service.require_tenant(session, tenant_id)
    if found.is_home:
        raise ConflictError("the home tenant cannot be disabled: it is the one that could enable it again")
    if (found.disabled_at is not None) != disabled:
        people.set_disabled(session, tenant_id, caller.now() if disabled else None)
        action = "tenant.disabled" if disabled else "tenant.enabled"
        service.audit(session, caller, action, tenant_id, caller.now())
        session.expire_all()  # the row was changed by a statement
    return service.require_tenant(session, tenant_id)


@operation
def prepare_tenant(session: Session, caller: Caller) -> None:
    """Enter the caller's tenant into the directory, if it is not there; the first of all is the home tenant."""
    is_first = not people.list_tenants(session, after=None, limit=1)
    _enter(session, caller, is_home=is_first)


@operation
def prepare_home(session: Session, caller: Caller) -> str | None:
    """Make the caller's tenant the home tenant at first start; return a link's token while nobody has a password."""
    now = caller.now()
    _enter(session, caller, is_home=True)
    if people.has_users(session, caller.tenant):
        return None
    people.add_user(session, caller.tenant, FIRST_ADMIN, Role.ADMIN, actor=caller.actor, now=now)
    return service.make_link(session, caller.tenant, FIRST_ADMIN, now=now)


def _enter(session: Session, caller: Caller, *, is_home: bool) -> None:
    now = caller.now()
    if people.add_tenant(session, caller.tenant, caller.tenant, is_home=is_home, actor=caller.actor, now=now):
        service.audit(session, caller, "tenant.created", caller.tenant, now, home=is_home)


def login_name(email: object) -> str:
    """Return a login name as it is stored: without regard to upper and lower case."""
    return required_id("email", email).strip().casefold()


def page_size(count: int) -> int:
    """Return a page's size that is acceptable."""
    if isinstance(count, bool) or not isinstance(count, int) or not 0 < count <= PAGE_MAX:
        raise InvalidInputError(f"count must be between 1 and {PAGE_MAX}: {count!r}")
    return count
