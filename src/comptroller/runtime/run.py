"""Runs and holds of a caller's threads."""

import time
from types import TracebackType
from typing import Any, Self

from comptroller.errors import LimitExceeded, RunHalted
from comptroller.runtime import progress
from comptroller.runtime.amounts import Spend, admitted, count, reserve_amounts
from comptroller.runtime.doors import PriceShelf, or_unavailable
from comptroller.runtime.gate import Gate
from comptroller.runtime.progress import Progress
from comptroller.runtime.watch import Watch
from comptroller.spine.orchestrator import kills, runs, usage
from comptroller.types.caller import Caller
from comptroller.types.runs import HaltReason, RunLimits
from comptroller.types.spend import Admitted, Ended, Extend, Reserve
from comptroller.types.usage import Priced


class Hold:
    """Money that is held for one call; leaving it without an end charges what was held, as an estimate.

    Attributes:
        id: The hold's id, by which it can be ended from anywhere.
    """

    def __init__(self, doors: "Doors", admitted_hold: Admitted) -> None:
        self._doors, self._hold = doors, admitted_hold
        self.id = admitted_hold.hold_id
        self.ended: Ended | None = None

    def settle(
        self, amount: Spend, *, requests: int | None = None, tokens: int | None = None, price_version: str | None = None
    ) -> Ended:
        """Book what the call really cost; repeating it with the same amount changes nothing.

        Raises:
            ConflictError: If it was ended otherwise, or settled with another amount.
            InvalidInputError: If the amount is not acceptable, or in another currency.
        """
        return self._end(progress.settlement(self._hold, amount, requests, tokens, price_version))

    def settle_usage(self, **said: Any) -> Ended:
        """Book what the tokens of a call cost at the price list: ``provider``, ``model`` and the token counts.

        Raises:
            LimitExceeded: If the model has no price; the breach is on record, and what was held will be charged.
        """
        priced = self._doors.price(said, self._hold.facts.run_id)
        return self.settle(priced.cost, tokens=priced.tokens, price_version=priced.version)

    def release(self) -> Ended:
        """Give the hold back: nothing ran.

        Raises:
            ConflictError: If it was ended otherwise.
        """
        return self._end(progress.release(self._hold))

    def extend(self, seconds: int) -> None:
        """Have the hold live some seconds from now.

        Raises:
            ConflictError: If it has ended.
        """
        self._doors.submit(Extend(self.id, count("seconds", seconds)))

    def mark_sent(self) -> None:
        """Say that the call is on its way: from now on an expiry charges."""
        self._doors.submit(Extend(self.id, is_unsent=False))

    def _end(self, action: Any) -> Ended:
        ended: Ended = self._doors.submit(action)
        self.ended = ended
        return ended

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.ended is None:
            self._end(progress.estimate(self._hold))


class Doors:
    """What runs and holds of one caller need of the process: its gate and its watch."""

    def __init__(self, gate: Gate, caller: Caller, watch: Watch) -> None:
        self.gate, self.caller, self.watch = gate, caller, watch
        self._prices = PriceShelf()

    def submit(self, action: Any) -> Any:
        """Take an action through the gate."""
        return self.gate.submit(self.caller, action)

    def reserve(self, action: Reserve, run_id: str | None = None) -> Hold:
        """Return the hold, or raise the refusal."""
        return Hold(self, admitted(self.submit(action), run_id))

    def price(self, said: dict[str, Any], run_id: str | None) -> Priced:
        """Return what a usage costs, or raise the refusal of a model without a price."""
        used = usage.usage_of(said)
        engine, caller = self.gate.engine, self.caller
        with or_unavailable("price"):
            prices = self._prices.fresh() or self._prices.put(usage.price_list.run(engine, caller))
            priced = usage.priced(prices, used, caller.now().date())
            if priced is not None:
                return priced
            refused = usage.refuse_unpriced.run(engine, caller, used, run_id)
        raise LimitExceeded(refused.over, refused.breach_id)

    def policy_version(self) -> int:
        """Return the policy's version, asked for if it may have changed."""
        tenant = self.caller.tenant
        if self.watch.is_due(tenant):
            asked_at = time.monotonic()
            self.watch.learn(tenant, kills.policy_version.run(self.gate.engine, self.caller), asked_at)
        return self.watch.version(tenant)


class Run:
    """One execution of an agent or job, as a context manager.

    Attributes:
        id: The run's id.
    """

    def __init__(
        self, doors: Doors, dimensions: dict[str, str], *, limits: RunLimits | None, run_id: str | None
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
    ) -> Hold:
        """Hold an amount under every limit that applies, all or none.

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
        try:
            return self._doors.reserve(action, self.id)
        except RunHalted as halted:
            self._progress.halted = halted
            raise

    def reserve_usage(self, *, key: str | None = None, **said: Any) -> Hold:
        """Hold what a call may cost at the price list: ``provider``, ``model`` and the most tokens it may use."""
        self._progress.require_running()
        priced = self._doors.price(said, self.id)
        return self.reserve(priced.cost, tokens=priced.tokens, key=key)

    def checkpoint(self) -> None:
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
                breach_id = runs.exhaust_run.run(engine, caller, self.id, reason)
            at.halted = RunHalted(self.id, HaltReason.LIMIT_EXHAUSTED, reason, breach_id)
            raise at.halted
        with or_unavailable("checkpoint"):
            version = self._doors.policy_version()
            if version != at.checked_version:
                at.halt(runs.run_verdict.run(engine, caller, self.id))
                at.checked_version = version
            if at.beat_is_due():
                runs.beat.run(engine, caller, self.id, at.iterations)

    def __enter__(self) -> Self:
        self._progress.started(admitted(self._doors.submit(self._progress.start()), None))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._doors.submit(self._progress.end(error))


def outside(doors: Doors, dimensions: dict[str, str], amount: Spend, **said: Any) -> Hold:
    """Hold an amount outside a run."""
    currency, amounts, has_tokens = reserve_amounts(amount, said["requests"], said["tokens"])
    scope = progress.outside_scope(dimensions, currency)
    action = Reserve(progress.hold_id(), scope, amounts, has_tokens, said["key"], said["seconds"])
    return doors.reserve(action)
