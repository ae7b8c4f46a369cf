"""A server without a socket: the ASGI application on an event loop of its own, asked from a test's thread."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, Self, TypeVar

import httpx2

from comptroller.api.app import Application
from comptroller.api.service import Service
from comptroller.clock import utc_now
from comptroller.enums import Role
from comptroller.spine.orchestrator import access
from comptroller.types.access import Principal
from comptroller.types.caller import Caller

T = TypeVar("T")
RATE = 100_000


class Served:
    """One process of the server over a database; close it, or use it as a context manager."""

    def __init__(self, url: str, *, home: str = "acme", rate: int = RATE, clock: Any = utc_now) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.service = self.await_(self._make(url, rate, clock))
        self.application = Application(self.service)
        transport = httpx2.ASGITransport(self.application, raise_app_exceptions=False)
        self._client = httpx2.AsyncClient(transport=transport, base_url="http://testserver")
        self.token = self.do(access.prepare_home, home)
        self.home = home
        self._keys: dict[tuple[str, Role], str] = {}

    async def _make(self, url: str, rate: int, clock: Any) -> Service:
        return Service(url, rate=rate, clock=clock)

    def await_(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def do(self, use_case: Any, tenant: str, *args: Any, **kwargs: Any) -> Any:
        """Run a use case for a tenant, past HTTP."""
        caller = Caller(tenant, "test", self.service.clock)
        return self.await_(use_case.run_async(self.service.engine, caller, *args, **kwargs))

    def key(self, role: str = "admin", tenant: str | None = None) -> str:
        """Return a key of a tenant, which is made with it."""
        name = (tenant or self.home, Role(role))
        if name not in self._keys:
            self.do(access.prepare_tenant, name[0])
            giver = Principal(name[0], "test", Role.ADMIN)
            made = self.do(access.create_key, name[0], giver, self.service.peppers, name=role, role=role)
            self._keys[name] = made.secret
        return self._keys[name]

    def ask(self, method: str, path: str, key: str | None = None, **request: Any) -> httpx2.Response:
        """Send a request and return the response."""
        headers = {**({"Authorization": f"Bearer {key}"} if key else {}), **request.pop("headers", {})}
        return self.await_(self._client.request(method, path, headers=headers, **request))

    def close(self) -> None:
        """Close what the server keeps."""
        self.await_(self._client.aclose())
        self.await_(self.service.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
