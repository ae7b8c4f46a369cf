"""Who sends a request: a key, or a browser's session with its protection against other sites."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy.ext.asyncio import AsyncEngine

from comptroller.api.incoming import Incoming
from comptroller.api.policy import Policy, allows
from comptroller.api.problems import RequestError
from comptroller.errors import NotAllowedError, NotAuthenticatedError
from comptroller.peppers import Peppers
from comptroller.spine.orchestrator import access
from comptroller.types.access import Principal
from comptroller.types.caller import Caller

COOKIE: Final = "__Host-comptroller"
CSRF_HEADER: Final = "x-csrf-token"
KNOWN_SECONDS: Final = 1.0  # a revoked key stops within this time in every process
_KNOWN_MAX: Final = 10_000
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})

Clock = Callable[[], datetime]
Finding = Coroutine[Any, Any, Principal | None]


class Door:
    """Finds out who calls and whether they may; what it found it knows for a second.

    Args:
        engine: Where credentials are.
        peppers: Under which keys are hashed.
        server: On whose behalf credentials are looked up, before it is known for whom.
    """

    def __init__(self, engine: AsyncEngine, peppers: Peppers, server: Caller) -> None:
        self._engine = engine
        self._peppers = peppers
        self._server = server
        self._known: dict[bytes, tuple[float, asyncio.Task[Principal | None]]] = {}

    async def admit(self, incoming: Incoming, policy: Policy) -> Principal | None:
        """Return who calls, None at a public route.

        Raises:
            NotAuthenticatedError: If nobody does.
            NotAllowedError: If they may not.
            RequestError: If another site sent it from a browser.
        """
        if policy is Policy.PUBLIC:
            if incoming.method not in _SAFE:
                check_site(incoming)
            return None
        principal = await self._who(incoming)
        if principal is None:
            raise NotAuthenticatedError("send a valid key as Authorization: Bearer, or log in")
        if principal.csrf_digest is not None and incoming.method not in _SAFE:
            check_site(incoming)
            if not access.is_csrf_token(principal, incoming.headers.get(CSRF_HEADER, "")):
                raise RequestError("cross-site", f"the session's token is missing in {CSRF_HEADER}")
        if not allows(policy, principal):
            raise NotAllowedError(f"the role {principal.role} may not do this")
        return principal

    def forget(self, incoming: Incoming) -> None:
        """Forget whose session a request carries: it has ended."""
        self._known.pop(_known_as("session", incoming.cookie(COOKIE) or ""), None)

    async def _who(self, incoming: Incoming) -> Principal | None:
        scheme, _, secret = incoming.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return await self._found("key", secret.strip())
        if scheme:
            return None
        session = incoming.cookie(COOKIE)
        return await self._found("session", session) if session else None

    async def _found(self, kind: str, secret: str) -> Principal | None:
        name, now = _known_as(kind, secret), time.monotonic()
        until, task = self._known.get(name, (0.0, None))
        if task is None or until <= now or (task.done() and (task.cancelled() or task.exception() is not None)):
            if len(self._known) >= _KNOWN_MAX:
                self._known.clear()
            task = asyncio.ensure_future(self._find(kind, secret))
            self._known[name] = (now + KNOWN_SECONDS, task)
        return await asyncio.shield(task)

    def _find(self, kind: str, secret: str) -> Finding:
        if kind == "session":
            return access.authenticate_session.run_async(self._engine, self._server, secret)
        digests = access.key_digests(secret, self._peppers)
        return access.authenticate_key.run_async(self._engine, self._server, digests)


def check_site(incoming: Incoming) -> None:
    """Refuse what a browser sends from another site, by its own word (Fetch Metadata, then Origin)."""
    site, origin = incoming.headers.get("sec-fetch-site"), incoming.headers.get("origin")
    if site is not None:
        is_own = site in {"same-origin", "none"}
    else:
        is_own = origin is None or urlsplit(origin).netloc == incoming.headers.get("host")
    if not is_own:
        raise RequestError("cross-site", "the request came from another site")


def _known_as(kind: str, secret: str) -> bytes:
    return hashlib.sha256(f"{kind} {secret}".encode("utf-8", "surrogatepass")).digest()
