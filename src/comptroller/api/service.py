"""What one server process keeps: connections, the gate, who is known, how fast they call."""

import os
from collections import OrderedDict
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from comptroller import database
from comptroller.api.door import Clock, Door
from comptroller.api.pace import Pace, per_second
from comptroller.clock import utc_now
from comptroller.errors import InvalidInputError
from comptroller.face.spend import async_gate_engine
from comptroller.peppers import Peppers, load_peppers
from comptroller.runtime.async_gate import AsyncGate
from comptroller.runtime.async_run import AsyncDoors
from comptroller.runtime.watch import Watch
from comptroller.spine.orchestrator import access
from comptroller.spine.orchestrator.remote import find_run_scope
from comptroller.types.caller import Caller
from comptroller.types.spend import Admitted, RunScope

UPLOAD_VARIABLE: Final = "COMPTROLLER_UPLOAD_MAX_BYTES"
UPLOAD_DEFAULT: Final = 256 * 1024 * 1024
_REMEMBERED_MAX: Final = 50_000
_TENANTS_MAX: Final = 1_000  # each with its price list
_RunScope = tuple[tuple[tuple[str, str], ...], RunScope]
_POOL: Final = {"pool_size": 10, "max_overflow": 0, "pool_timeout": 10}


class Service:
    """One process of the server.

    Args:
        url: The database's URL.
        clock: Returns the present instant; tests bring their own.
        rate: Requests a second that each key may make; from the environment unless given.
    """

    def __init__(self, url: str, *, clock: Clock = utc_now, rate: int | None = None) -> None:
        parsed = database.database_url(url)
        self.engine: AsyncEngine = _engine(url, parsed)
        self.peppers: Peppers = load_peppers(sqlite_file(parsed))
        self.clock = clock
        self.server = Caller(access.NOBODY.tenant, access.NOBODY.actor, clock)
        self.door = Door(self.engine, self.peppers, self.server)
        self.pace = Pace(per_second() if rate is None else rate)
        self.gate = AsyncGate(async_gate_engine(self.engine))
        self._watch = Watch(parsed)
        self._doors: OrderedDict[str, AsyncDoors] = OrderedDict()
        self.upload_max = _upload_max()
        self._holds: OrderedDict[tuple[str, str], Admitted] = OrderedDict()
        self._runs: OrderedDict[tuple[str, str], _RunScope] = OrderedDict()

    async def close(self) -> None:
        """Answer what is in flight, then close the connections."""
        await self.gate.drain()
        if self.gate.engine is not self.engine:
            await self.gate.engine.dispose()
        await self.engine.dispose()

    def keep_hold(self, tenant: str, hold: Admitted) -> None:
        """Remember a hold that was made here: its end then needs no look into the database."""
        self._holds[tenant, hold.hold_id] = hold
        if len(self._holds) > _REMEMBERED_MAX:
            self._holds.popitem(last=False)

    def take_hold(self, tenant: str, hold_id: str) -> Admitted | None:
        """Return a tenant's hold that was made here, and forget it."""
        return self._holds.pop((tenant, hold_id), None)

    def doors(self, caller: Caller) -> AsyncDoors:
        """Return a tenant's prices and gate."""
        known = self._doors.get(caller.tenant)
        if known is None:
            known = self._doors[caller.tenant] = AsyncDoors(self.gate, caller, self._watch)
            if len(self._doors) > _TENANTS_MAX:
                self._doors.popitem(last=False)
        return known

    async def run_scope(self, caller: Caller, run_id: str) -> "_RunScope":
        """Return a run's dimensions and its own limits, which never change."""
        name = (caller.tenant, run_id)
        if name not in self._runs:
            found = await find_run_scope.run_async(self.engine, caller, run_id)
            self._runs[name] = found
            if len(self._runs) > _REMEMBERED_MAX:
                self._runs.popitem(last=False)
        return self._runs[name]

    def now(self) -> datetime:
        """Return the present instant."""
        return self.clock()


def sqlite_file(url: URL) -> Path | None:
    """Return an SQLite database's file, None on PostgreSQL.

    Raises:
        InvalidInputError: If it is in memory, where no two connections meet.
    """
    if url.get_backend_name() != "sqlite":
        return None
    if url.database in {None, "", ":memory:"}:
        raise InvalidInputError("a server cannot share an SQLite database in memory: give a file")
    return Path(str(url.database)).expanduser().resolve()


def _engine(url: str, parsed: URL) -> AsyncEngine:
    options: dict[str, Any] = dict(_POOL) if parsed.get_backend_name() == "postgresql" else {}
    return database.create_async_engine(url, **options)


def _upload_max() -> int:
    text = os.environ.get(UPLOAD_VARIABLE) or str(UPLOAD_DEFAULT)
    if not text.isdigit() or int(text) == 0:
        raise InvalidInputError(f"{UPLOAD_VARIABLE} must be a positive number of bytes: {text!r}")
    return int(text)
