"""Keys, people, sessions, tenants."""

from typing import Any, Final

import msgspec

from comptroller.api import bodies
from comptroller.api.access_bodies import Credentials, KeyBody, NewPassword, NewTenant, TenantPatch, UserBody
from comptroller.api.call import Call
from comptroller.api.door import COOKIE
from comptroller.api.incoming import Reply
from comptroller.api.policy import Policy
from comptroller.api.route import Paging, Route
from comptroller.api.wire import encode
from comptroller.spine.orchestrator import access
from comptroller.types.access import Key, Login, NewKey, NewUser, Principal, Tenant, User
from comptroller.types.caller import Caller


async def log_in(call: Call) -> Any:
    """Begin a browser's session: a cookie, and the token that its unsafe requests carry in `X-CSRF-Token`."""
    login = await access.log_in.run_async(
        call.service.engine, call.service.server, call.body.email, call.body.password, address=call.incoming.client
    )
    return _begun(call, login)


async def set_password(call: Call) -> Any:
    """Set a password by a one-time link's token and begin a session."""
    login = await access.set_password.run_async(
        call.service.engine, call.service.server, call.body.token, call.body.password
    )
    return _begun(call, login)


async def log_out(call: Call) -> Any:
    """End the browser's session; a key is left as it is."""
    secret = call.incoming.cookie(COOKIE)
    if secret is not None and call.who.csrf_digest is not None:
        await access.log_out.run_async(call.service.engine, call.caller, secret)
        call.service.door.forget(call.incoming)
    return Reply(204, headers={"Set-Cookie": f"{COOKIE}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax"})


async def who_am_i(call: Call) -> Any:
    """Return who calls: the tenant, the name in the audit, the role."""
    return _shown(call.who)


async def create_tenant_key(call: Call) -> Any:
    """Make a key of another tenant, whose secret is shown once: how a new tenant gets its first one."""
    caller = Caller(call.incoming.path["tenant_id"], call.who.actor, call.service.clock)
    return await access.create_key.run_async(
        call.service.engine, caller, call.who, call.service.peppers, name=call.body.name, role=call.body.role,
        expires_at=call.body.expires_at,
    )  # fmt: skip


def _begun(call: Call, login: Login) -> Reply:
    seconds = int((login.expires_at - call.service.now()).total_seconds())
    cookie = f"{COOKIE}={login.secret}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax"
    said = {
        "principal": _shown(login.principal), "csrf_token": login.csrf_token, "expires_at": login.expires_at.isoformat()
    }  # fmt: skip
    return Reply(201, encode(said), headers={"Set-Cookie": cookie})


class Whoever(msgspec.Struct):
    """Who calls."""

    tenant: str
    actor: str
    role: str
    is_home: bool


class Begun(msgspec.Struct):
    """A session that was begun; its id is in the cookie alone."""

    principal: Whoever
    csrf_token: str
    expires_at: str


def _shown(principal: Principal) -> dict[str, Any]:
    return {
        "tenant": principal.tenant, "actor": principal.actor, "role": principal.role, "is_home": principal.is_home
    }  # fmt: skip


_BY_ID: Final = Paging(lambda one: str(one.id))
_KEY: Final = "/v1/keys/{key_id}"
_TENANT: Final = "/v1/tenants/{tenant_id}"

ROUTES: Final = (
    Route(method="GET", path="/v1/session", policy=Policy.SIGNED_IN, handler=who_am_i, answer=Whoever),
    Route(method="POST", path="/v1/session", policy=Policy.PUBLIC, handler=log_in, body=Credentials,
          answer=Begun, status=201),
    Route(method="DELETE", path="/v1/session", policy=Policy.SIGNED_IN, handler=log_out, answer=None, status=204),
    Route(method="POST", path="/v1/password", policy=Policy.PUBLIC, handler=set_password, body=NewPassword,
          answer=Begun, status=201),
    Route(method="GET", path="/v1/keys", policy=Policy.ADMINISTER, use_case=access.list_keys,
          query=bodies.PageQuery, answer=Key, paging=_BY_ID),
    Route(method="POST", path="/v1/keys", policy=Policy.ADMINISTER, use_case=access.create_key, body=KeyBody,
          answer=NewKey, status=201, gives=("giver", "peppers")),
    Route(method="GET", path=_KEY, policy=Policy.ADMINISTER, use_case=access.get_key, answer=Key),
    Route(method="POST", path=f"{_KEY}/revoke", policy=Policy.ADMINISTER, use_case=access.revoke_key, answer=Key),
    Route(method="GET", path="/v1/users", policy=Policy.ADMINISTER, use_case=access.list_users,
          query=bodies.PageQuery, answer=User, paging=Paging(lambda one: str(one.email), argument="after")),
    Route(method="POST", path="/v1/users", policy=Policy.ADMINISTER, use_case=access.add_user, body=UserBody,
          answer=NewUser, status=201, gives=("giver",)),
    Route(method="POST", path="/v1/users/{email}/disable", policy=Policy.ADMINISTER, use_case=access.disable_user,
          answer=User),
    Route(method="GET", path="/v1/tenants", policy=Policy.HOME, use_case=access.list_tenants,
          query=bodies.PageQuery, answer=Tenant, paging=Paging(lambda one: str(one.id), argument="after")),
    Route(method="POST", path="/v1/tenants", policy=Policy.HOME, use_case=access.create_tenant, body=NewTenant,
          answer=Tenant, status=201, keeps_key=True),
    Route(method="GET", path=_TENANT, policy=Policy.HOME, use_case=access.get_tenant, answer=Tenant),
    Route(method="POST", path=f"{_TENANT}/keys", policy=Policy.HOME, handler=create_tenant_key, body=KeyBody,
          answer=NewKey, status=201),
    Route(method="PATCH", path=_TENANT, policy=Policy.HOME, use_case=access.set_tenant_disabled,
          body=TenantPatch, answer=Tenant, keeps_key=True),
)  # fmt: skip
