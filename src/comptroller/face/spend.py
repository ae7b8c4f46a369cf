"""``ct.run``, ``ct.reserve``, ``ct.charge``: what a caller writes around its calls."""

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncEngine

from comptroller.database import create_async_engine, create_engine
from comptroller.face.binding import AsyncPlace, SessionPlace, SyncPlace, verb
from comptroller.face.runs import KillVerbs
from comptroller.runtime import async_run
from comptroller.runtime import run as sync_run
from comptroller.runtime.amounts import Spend, dimension_pairs, reserve_amounts
from comptroller.runtime.async_gate import AsyncGate
from comptroller.runtime.gate import CONNECTIONS, Gate
from comptroller.runtime.progress import DEFAULT_LIFE_SECONDS, hold_id
from comptroller.runtime.watch import Watch
from comptroller.spine.orchestrator import see, spend
from comptroller.types.runs import RunLimits
from comptroller.types.spend import Charge, Ended, Scope


class SeeVerbs:
    """``ct.explain``, ``ct.forecast``, ``ct.top``, ``ct.doctor``."""

    explain = verb(see.explain)
    explain_hold = verb(see.explain_hold)
    forecast = verb(see.forecast)
    top = verb(see.top)
    doctor = verb(see.doctor)


class Spending(SyncPlace):
    """Runs and holds of the threads of this process; a fork gets connections of its own."""

    _doors: sync_run.Doors | None = None

    @property
    def doors(self) -> sync_run.Doors:
        """Return this caller's gate and watch, made at first use."""
        if self._doors is None:
            self._doors = sync_run.Doors(Gate(gate_engine(self.engine)), self.caller, Watch(self.engine.url))
        return self._doors

    def run(self, *, limits: RunLimits | None = None, id: str | None = None, **dimensions: str) -> sync_run.Run:  # noqa: A002 — the face's word
        """Return a run of these dimensions, to be entered by ``with``; it ends with its block.

        Args:
            limits: Limits of the run's own.
            id: The run's id, if the caller has one.
            **dimensions: Who spends: team, user, agent and the like.
        """
        return sync_run.Run(self.doors, dimensions, limits=limits, run_id=id)

    def reserve(
        self,
        amount: Spend,
        requests: int = 1,
        tokens: int | None = None,
        key: str | None = None,
        *,
        seconds: int = DEFAULT_LIFE_SECONDS,
        **dimensions: str,
    ) -> sync_run.Hold:
        """Hold an amount outside a run.

        Raises:
            LimitExceeded: If a limit or a kill refuses; the breach is on record.
            GovernanceUnavailable: If comptroller could not decide.
        """
        said: dict[str, Any] = {"requests": requests, "tokens": tokens, "key": key, "seconds": seconds}
        return sync_run.outside(self.doors, dimensions, amount, **said)

    def charge(
        self, amount: Spend, requests: int = 1, tokens: int | None = None, key: str | None = None, **dimensions: str
    ) -> Ended:
        """Book what is gone already, also past a ceiling, which is then on record."""
        ended: Ended = self.doors.submit(charge_of(amount, requests, tokens, key, dimensions))
        return ended

    def stop_watching(self) -> None:
        """Stop listening for kills; part of closing."""
        if self._doors is not None:
            self._doors.watch.close()
            if self._doors.gate.engine is not self.engine:
                self._doors.gate.engine.dispose()


class AsyncSpending(AsyncPlace):
    """Runs and holds of the coroutines of one event loop."""

    _doors: async_run.AsyncDoors | None = None

    @property
    def doors(self) -> async_run.AsyncDoors:
        """Return this caller's gate and watch, made at first use."""
        if self._doors is None:
            self._doors = async_run.AsyncDoors(
                AsyncGate(async_gate_engine(self.engine)), self.caller, Watch(self.engine.url)
            )
        return self._doors

    def run(self, *, limits: RunLimits | None = None, id: str | None = None, **dimensions: str) -> async_run.AsyncRun:  # noqa: A002 — the face's word
        """Return a run of these dimensions, to be entered by ``async with``; it ends with its block."""
        return async_run.AsyncRun(self.doors, dimensions, limits=limits, run_id=id)

    def reserve(
        self,
        amount: Spend,
        requests: int = 1,
        tokens: int | None = None,
        key: str | None = None,
        *,
        seconds: int = DEFAULT_LIFE_SECONDS,
        **dimensions: str,
    ) -> async_run.Opening[async_run.AsyncHold]:
        """Hold an amount outside a run; await it, or enter it by ``async with``."""
        said: dict[str, Any] = {"requests": requests, "tokens": tokens, "key": key, "seconds": seconds}
        return async_run.outside(self.doors, dimensions, amount, **said)

    async def charge(
        self, amount: Spend, requests: int = 1, tokens: int | None = None, key: str | None = None, **dimensions: str
    ) -> Ended:
        """Book what is gone already, also past a ceiling, which is then on record."""
        ended: Ended = await self.doors.submit(charge_of(amount, requests, tokens, key, dimensions))
        return ended

    async def stop_watching(self) -> None:
        """Answer what is in flight and stop listening for kills; part of closing."""
        if self._doors is not None:
            await self._doors.gate.drain()
            self._doors.watch.close()
            if self._doors.gate.engine is not self.engine:
                await self._doors.gate.engine.dispose()


def gate_engine(engine: Engine) -> Engine:
    """Return the gate's own connections: few, and not tried before use, since a group that fails is done again."""
    if engine.dialect.name == "sqlite":
        return engine
    return create_engine(engine.url, pool_size=CONNECTIONS, max_overflow=0, pool_pre_ping=False)


def async_gate_engine(engine: AsyncEngine) -> AsyncEngine:
    """Return the gate's own connections for asyncio."""
    if engine.dialect.name == "sqlite":
        return engine
    return create_async_engine(engine.url, pool_size=CONNECTIONS, max_overflow=0, pool_pre_ping=False)


def charge_of(amount: Spend, requests: int, tokens: int | None, key: str | None, dimensions: dict[str, str]) -> Charge:
    """Return the action that books what is gone already."""
    currency, amounts, _ = reserve_amounts(amount, requests, tokens)
    return Charge(hold_id(), Scope(dimension_pairs(dimensions), currency), amounts, key)


class SessionSpending(SessionPlace, KillVerbs):
    """Charges, breaches and kills inside the caller's own transaction."""

    record_breach = verb(spend.record_breach)

    def charge(
        self, amount: Spend, requests: int = 1, tokens: int | None = None, key: str | None = None, **dimensions: str
    ) -> Ended:
        """Book what is gone already; it is durable when the caller commits."""
        action = charge_of(amount, requests, tokens, key, dimensions)
        return spend.charge.within(self.session, self.caller, action)
