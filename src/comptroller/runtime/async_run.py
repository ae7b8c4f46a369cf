"""Runs and holds of coroutines: the same names as for threads."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Generator
from functools import partial
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

from comptroller.errors import LimitExceeded, RunHalted
from comptroller.runtime import progress
from comptroller.runtime.amounts import Spend, admitted, count, reserve_amounts
from comptroller.runtime.async_gate import AsyncGate
from comptroller.runtime.doors import PriceShelf, or_unavailable
from comptroller.runtime.progress import Progress
from comptroller.runtime.watch import Watch
from comptroller.spine.orchestrator import kills, runs, usage
from comptroller.types.caller import Caller
from comptroller.types.runs import HaltReason, RunLimits
from comptroller.types.spend import Admitted, Ended, Extend, Reserve
from comptroller.types.usage import Priced


class _Entered(Protocol):
    async def __aenter__(self) -> Any: ...
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


E = TypeVar("E", bound=_Entered)


class Opening(Generic[E]):
    """What opens when it is awaited, or entered by ``async with``."""

    def __init__(self, make: Callable[[], Coroutine[Any, Any, E]]) -> None:
        self._make = make
        self._made: E | None = None

    def __await__(self) -> Generator[Any, Any, E]:
        return self._make().__await__()

    async def __aenter__(self) -> E:
        self._made = await self._make()
        await self._made.__aenter__()
        return self._made

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._made is not None  # noqa: S101 — entered
        await self._made.__aexit__(kind, error, trace)


class AsyncHold:
    """Money that is held for one call; leaving it without an end charges what was held, as an estimate.

    Attributes:
        id: The hold's id, by which it can be ended from anywhere.
    """

    def __init__(self, doors: "AsyncDoors", admitted_hold: Admitted) -> None:
        self._doors, self._hold = doors, admitted_hold
        self.id = admitted_hold.hold_id
        self.ended: Ended | None = None

    async def settle(
        self, amount: Spend, *, requests: int | None = None, tokens: int | None = None, price_version: str | None = None
    ) -> Ended:
        """Book what the call really cost; repeating it with the same amount changes nothing.

        Raises:
            ConflictError: If it was ended otherwise, or settled with another amount.
            InvalidInputError: If the amount is not acceptable, or in another currency.
        """
        ticket = self._doors.gate.queue(
            self._doors.caller, progress.settlement(self._hold, amount, requests, tokens, price_version)
        )
        await ticket.future
        ended: Ended = ticket.result()
        self.ended = ended
        return ended

    async def settle_usage(self, **said: Any) -> Ended:
        """Book what the tokens of a call cost at the price list: ``provider``, ``model`` and the token counts.

        Raises:
            LimitExceeded: If the model has no price; the breach is on record, and what was held will be charged.
        """
        priced = await self._doors.price(said, self._hold.facts.run_id)
        return await self.settle(priced.cost, tokens=priced.tokens, price_version=priced.version)

    async def release(self) -> Ended:
        """Give the hold back: nothing ran.

        Raises:
            ConflictError: If it was ended otherwise.
        """
        return await self._end(progress.release(self._hold))

    async def extend(self, seconds: int) -> None:
        """Have the hold live some seconds from now.

        Raises:
            ConflictError: If it has ended.
        """
        await self._doors.submit(Extend(self.id, count("seconds", seconds)))

    async def mark_sent(self) -> None:
        """Say that the call is on its way: from now on an expiry charges."""
        await self._doors.submit(Extend(self.id, is_unsent=False))

    async def _end(self, action: Any) -> Ended:
        ticket = self._doors.gate.queue(self._doors.caller, action)
        await ticket.future
        ended: Ended = ticket.result()
        self.ended = ended
        return ended

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.ended is None:
            await self._end(progress.estimate(self._hold))


class AsyncDoors:
    """What runs and holds of one caller need of the process: its gate and its watch."""

    def __init__(self, gate: AsyncGate, caller: Caller, watch: Watch) -> None:
        self.gate, self.caller, self.watch = gate, caller, watch
        self._prices = PriceShelf()

    async def submit(self, action: Any) -> Any:
        """Take an action through the gate."""
        return await self.gate.submit(self.caller, action)

    async def reserve(self, action: Reserve, run_id: str | None = None) -> AsyncHold:
        """Return the hold, or raise the refusal."""
        return AsyncHold(self, admitted(await self.gate.submit(self.caller, action), run_id))

    async def price(self, said: dict[str, Any], run_id: str | None) -> Priced:
        """Return what a usage costs, or raise the refusal of a model without a price."""
        used = usage.usage_of(said)
        engine, caller = self.gate.engine, self.caller
        with or_unavailable("price"):
            prices = self._prices.fresh() or self._prices.put(await usage.price_list.run_async(engine, caller))
            priced = usage.priced(prices, used, caller.now().date())
            if priced is not None:
                return priced
            refused = await usage.refuse_unpriced.run_async(engine, caller, used, run_id)
        raise LimitExceeded(refused.over, refused.breach_id)

    async def policy_version(self) -> int:
        """Return the policy's version, asked for if it may have changed."""
        tenant = self.caller.tenant
        if self.watch.is_due(tenant):
            asked_at = time.monotonic()
            version = await kills.policy_version.run_async(self.gate.engine, self.caller)
            self.watch.learn(tenant, version, asked_at)
        return self.watch.version(tenant)


class AsyncRun:
    """One execution of an agent or job, as an async context manager.

    Attributes:
        id: The run's id.
    """

    def __init__(
        self, doors: AsyncDoors, dimensions: dict[str, str], *, limits: RunLimits | None, run_id: str | None
    ) -> None:
        self._doors = doors
        self._progress = Progress(dimensions, limits, run_id)
        self.id = self._progress.id

    def reserve(
        self,
        amount: Spend,
        requests: int = 1,
        tokens: int | None = None,
        key: str | None = None,
        *,
        seconds: int = progress.DEFAULT_LIFE_SECONDS,
        unsent: bool = False,
    ) -> Opening[AsyncHold]:
        """Hold an amount under every limit that applies, all or none; await it, or enter it by ``async with``.

        Args:
            amount: ``"0.12 USD"``, ``"500 tokens"`` or Money.
            requests: How many calls it stands for.
            tokens: How many tokens, where a limit counts them.
            key: The same key gives the same hold; with other content it raises ConflictError.
            seconds: How long the hold lives.
            unsent: True if an expiry costs nothing until ``mark_sent``.

        Raises:
            LimitExceeded: If a limit refuses; the breach is on record.
            RunHalted: If the run is killed, halted, or used up a limit of its own.
            GovernanceUnavailable: If comptroller could not decide.
        """
        self._progress.require_running()
        action = self._progress.reserve(amount, requests, tokens, key, seconds=seconds, is_unsent=unsent)
        return Opening(partial(self._reserve, action))

    def reserve_usage(self, *, key: str | None = None, **said: Any) -> Opening[AsyncHold]:
        """Hold what a call may cost at the price list: ``provider``, ``model`` and the most tokens it may use."""
        self._progress.require_running()
        return Opening(partial(self._reserve_usage, key, said))

    async def _reserve_usage(self, key: str | None, said: dict[str, Any]) -> AsyncHold:
        priced = await self._doors.price(said, self.id)
        return await self.reserve(priced.cost, tokens=priced.tokens, key=key)

    async def _reserve(self, action: Reserve) -> AsyncHold:
        doors = self._doors
        ticket = doors.gate.queue(doors.caller, action)
        try:
            await ticket.future
            return AsyncHold(doors, admitted(ticket.result(), self.id))
        except asyncio.CancelledError:
            doors.gate.leave(ticket)
            raise
        except RunHalted as halted:
            self._progress.halted = halted
            raise

    async def checkpoint(self) -> None:
        """Go on, or raise; a worker calls it between its steps.

        Raises:
            RunHalted: If the run is killed, halted, or used up its time or iterations.
            GovernanceUnavailable: If it cannot be found out.
        """
        at = self._progress
        at.require_running()
        reason = at.exhausted()
        engine, caller = self._doors.gate.engine, self._doors.caller
        if reason is not None:
            with or_unavailable("checkpoint"):
                breach_id = await runs.exhaust_run.run_async(engine, caller, self.id, reason)
            at.halted = RunHalted(self.id, HaltReason.LIMIT_EXHAUSTED, reason, breach_id)
            raise at.halted
        with or_unavailable("checkpoint"):
            version = await self._doors.policy_version()
            if version != at.checked_version:
                at.halt(await runs.run_verdict.run_async(engine, caller, self.id))
                at.checked_version = version
            if at.beat_is_due():
                await runs.beat.run_async(engine, caller, self.id, at.iterations)

    async def __aenter__(self) -> Self:
        self._progress.started(admitted(await self._doors.submit(self._progress.start()), None))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._doors.submit(self._progress.end(error))


def outside(doors: AsyncDoors, dimensions: dict[str, str], amount: Spend, **said: Any) -> Opening[AsyncHold]:
    """Hold an amount outside a run."""
    currency, amounts, has_tokens = reserve_amounts(amount, said["requests"], said["tokens"])
    scope = progress.outside_scope(dimensions, currency)
    action = Reserve(progress.hold_id(), scope, amounts, has_tokens, said["key"], said["seconds"])
    return Opening(partial(doors.reserve, action))
