"""Where a run stands in its worker's process: what both kinds of runs share."""

import time
from random import getrandbits
from typing import Final

from comptroller.enums import EntryKind, RunState
from comptroller.errors import LimitExceeded, RunHalted
from comptroller.ids import uuid7
from comptroller.runtime.amounts import Spend, dimension_pairs, reserve_amounts, run_ceilings, settle_amounts
from comptroller.types.runs import HaltReason, RunLimits, Verdict
from comptroller.types.spend import DEFAULT_LIFE_SECONDS, Admitted, End, EndRun, Reserve, RunScope, Scope, StartRun

BEAT_SECONDS: Final = 30.0
_AS_HELD: Final = (-1, -1, -1, 0)
_NOTHING: Final = (0, 0, 0, 0)
_ENDS: Final = {
    HaltReason.KILLED: RunState.HALTED,
    HaltReason.HALTED: RunState.HALTED,
    HaltReason.LIMIT_EXHAUSTED: RunState.LIMIT_EXHAUSTED,
}


class _Ticks:
    """The last tick given out: a millisecond and a counter of 12 bits within it."""

    last = 0


def hold_id() -> str:
    """Return a new hold's id: a UUIDv7 whose random part is quick to make. It names a hold, it is no secret."""
    tick = _Ticks.last = max((time.time_ns() // 1_000_000) << 12, _Ticks.last + 1)
    return f"{(tick >> 12) << 80 | 0x7 << 76 | (tick & 0xFFF) << 64 | 0x2 << 62 | getrandbits(62):032x}"


class Progress:
    """A run's identity, limits and clocks.

    Args:
        dimensions: Who runs: team, user, agent and the like.
        limits: Limits of its own.
        run_id: Given by the caller, else made here.
    """

    def __init__(self, dimensions: dict[str, str], limits: RunLimits | None, run_id: str | None) -> None:
        self.id = uuid7() if run_id is None else run_id
        self.pairs = dimension_pairs(dimensions)
        self.ceilings = run_ceilings(limits)
        self._scope = RunScope(
            self.id, tuple(pair for pair in self.ceilings if pair[0] not in {"seconds", "iterations"})
        )
        self._scopes: dict[str | None, Scope] = {}
        self.iterations = 0
        self.checked_version = -1
        self.halted: RunHalted | None = None
        self._started = self._beaten = time.monotonic()
        self._hold: Admitted | None = None

    def start(self) -> StartRun:
        """Return the action that starts it."""
        scope = Scope(self.pairs, "runs")
        return StartRun(hold_id(), scope, (0, 0, 0, 1), seconds=None, run_id=self.id, ceilings=self.ceilings)

    def started(self, hold: Admitted) -> None:
        """Remember by which hold it is counted."""
        self._hold = hold
        self._started = self._beaten = time.monotonic()

    def reserve(self, amount: Spend, requests: int, tokens: int | None, key: str | None, **more: object) -> Reserve:
        """Return the action that holds an amount in this run."""
        currency, amounts, has_tokens = reserve_amounts(amount, requests, tokens)
        scope = self._scopes.get(currency)
        if scope is None:
            scope = self._scopes[currency] = Scope(self.pairs, currency, self._scope)
        return Reserve(hold_id(), scope, amounts, has_tokens, key, **more)  # type: ignore[arg-type]  # the action's own fields

    def exhausted(self) -> str | None:
        """Count an iteration and return which of the run's clocks has run out."""
        self.iterations += 1
        ceilings = dict(self.ceilings)
        seconds = time.monotonic() - self._started
        if seconds > ceilings.get("seconds", seconds):
            return f"{seconds:.1f} s of {ceilings['seconds']} s"
        if self.iterations > ceilings.get("iterations", self.iterations):
            return f"iteration {self.iterations} of {ceilings['iterations']}"
        return None

    def beat_is_due(self) -> bool:
        """Tell whether the run should say that it is alive."""
        now = time.monotonic()
        if now - self._beaten < BEAT_SECONDS:
            return False
        self._beaten = now
        return True

    def require_running(self) -> None:
        """Raise again what stopped the run.

        Raises:
            RunHalted: If it must stop.
        """
        if self.halted is not None:
            raise self.halted

    def halt(self, verdict: Verdict) -> None:
        """Stop the run if the verdict says so.

        Raises:
            RunHalted: If it must stop.
        """
        if verdict.reason is not None:
            self.halted = RunHalted(self.id, verdict.reason, verdict.why)
            raise self.halted

    def end(self, error: BaseException | None) -> EndRun:
        """Return the action that ends it, by how its body was left."""
        state, why = _end_of(error)
        hold = self._hold
        has_hold = hold is not None and bool(hold.facts.balances)
        return EndRun(
            hold.hold_id if hold and has_hold else "", self.id, state, why, self.iterations, hold if has_hold else None
        )


def outside_scope(dimensions: dict[str, str], currency: str | None) -> Scope:
    """Return the scope of a spend outside a run."""
    return Scope(dimension_pairs(dimensions), currency)


def settlement(hold: Admitted, amount: Spend, requests: int | None, tokens: int | None, version: str | None) -> End:
    """Return the action that settles a hold with what it really cost."""
    currency, amounts = settle_amounts(amount, requests, tokens)
    return End(hold.hold_id, EntryKind.SETTLE, amounts, currency, price_version=version, hold=hold)


def estimate(hold: Admitted) -> End:
    """Return the action that charges what was held, because nobody knows better."""
    return End(hold.hold_id, EntryKind.SETTLE, _AS_HELD, is_estimated=True, hold=hold)


def release(hold: Admitted) -> End:
    """Return the action that gives a hold back."""
    return End(hold.hold_id, EntryKind.RELEASE, _NOTHING, hold=hold)


def _end_of(error: BaseException | None) -> tuple[RunState, str]:
    if error is None:
        return RunState.COMPLETED, ""
    if isinstance(error, RunHalted):
        return _ENDS.get(HaltReason(error.reason), RunState.FAILED), error.why
    if isinstance(error, LimitExceeded):
        return RunState.LIMIT_EXHAUSTED, str(error)[:1000]
    return RunState.FAILED, f"{type(error).__name__}: {error}"[:1000]


__all__ = [
    "DEFAULT_LIFE_SECONDS",
    "Progress",
    "estimate",
    "hold_id",
    "outside_scope",
    "release",
    "settlement",
]
