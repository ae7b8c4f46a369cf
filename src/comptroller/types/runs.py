"""Runs as callers give and get them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from comptroller.enums import RunState
from comptroller.money import Money


class HaltReason(StrEnum):
    """Why a run must stop."""

    KILLED = "killed"
    HALTED = "halted"
    LIMIT_EXHAUSTED = "limit_exhausted"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class RunLimits:
    """Limits of one run's own; what is left out is not limited.

    Args:
        cost: Money, as ``"5 USD"``.
        tokens: Tokens over all calls.
        calls: Requests over all calls.
        seconds: Wall time from its start.
        iterations: Checkpoints.
    """

    cost: str | Money | None = None
    tokens: int | None = None
    calls: int | None = None
    seconds: int | None = None
    iterations: int | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of an agent or job."""

    id: str
    dimensions: Mapping[str, str]
    state: RunState
    started_at: datetime
    heartbeat_at: datetime
    ended_at: datetime | None
    end_reason: str | None
    iterations: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a run may go on: the reason why not, in words and as a member of a closed set."""

    reason: HaltReason | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Kill:
    """A scope that is shut.

    Args:
        runs: The running runs it stops, at most 100 of them.
        money_per_hour: What they settled in the last hour, in each currency.
        undo: The command that lifts it.
    """

    id: str
    where: Mapping[str, str]
    why: str
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    lifted_at: datetime | None = None
    runs: tuple[Run, ...] = ()
    money_per_hour: tuple[Money, ...] = ()
    undo: str = ""
