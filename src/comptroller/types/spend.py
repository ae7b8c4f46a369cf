"""What is asked of the ledger and what it answers.

Amounts are integers here: quanta of the currency, requests, tokens and runs, in that order. ``Money`` stands at the
border above.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from comptroller.enums import BreachType, EntryKind, LimitMode, RunState
from comptroller.money import Money

Amounts = tuple[int, int, int, int]
MONEY: Final = 0
COUNTS: Final = {"requests": 1, "tokens": 2, "runs": 3}
DEFAULT_LIFE_SECONDS: Final = 600


def place_of(unit: str) -> int:
    """Return a unit's place among the amounts."""
    return COUNTS.get(unit, MONEY)


@dataclass(frozen=True, slots=True)
class RunScope:
    """A run as admission sees it: its id and limits of its own, in quanta of each unit."""

    id: str
    ceilings: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """Who spends, in which currency; the same for every call of a run.

    Args:
        dimensions: Names and values, sorted by name.
        currency: Absent where the spend is not in money.
        run: Absent outside a run.
    """

    dimensions: tuple[tuple[str, str], ...]
    currency: str | None
    run: RunScope | None = None
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.dimensions, self.currency, self.run)))

    def __hash__(self) -> int:
        """Return the hash made once: a scope is looked up at every call."""
        return self._hash


@dataclass(slots=True, eq=False)
class Reserve:
    """Hold amounts under every limit that applies, all or none.

    Args:
        hold_id: Made by the caller, so that a retry is the same hold.
        has_tokens: False where the caller did not say how many tokens.
        seconds: How long the hold lives; None is as long as its run.
        is_unsent: True if nothing runs before the hold is marked as sent.
    """

    hold_id: str
    scope: Scope
    amounts: Amounts
    has_tokens: bool = True
    key: str | None = None
    seconds: int | None = DEFAULT_LIFE_SECONDS
    is_unsent: bool = False
    price_version: str | None = None


@dataclass(slots=True, eq=False)
class StartRun(Reserve):
    """Start a run; it counts against limits on concurrent runs until it ends."""

    run_id: str = ""
    ceilings: tuple[tuple[str, int], ...] = ()


@dataclass(slots=True, eq=False)
class Charge:
    """Book what is gone already, also past a ceiling."""

    hold_id: str
    scope: Scope
    amounts: Amounts
    key: str | None = None
    is_estimated: bool = False
    price_version: str | None = None


@dataclass(frozen=True, slots=True)
class HoldFacts:
    """What the holds of one route share: the balances (id and place of the amount) and the currency."""

    route_id: str
    balances: tuple[tuple[str, int], ...]
    currency: str | None
    run_id: str | None


@dataclass(slots=True, eq=False)
class Admitted:
    """A hold that is durable; money may be spent against it."""

    hold_id: str
    amounts: Amounts
    facts: HoldFacts


@dataclass(slots=True, eq=False)
class End:
    """End a hold: settle, release or expire it.

    Args:
        amounts: What to charge; a count below zero stands for what was held.
        hold: Known where the hold was made in this process; else read.
    """

    hold_id: str
    kind: EntryKind
    amounts: Amounts
    currency: str | None = None
    is_estimated: bool = False
    price_version: str | None = None
    hold: Admitted | None = None


@dataclass(slots=True, eq=False)
class EndRun:
    """End a run, by its owner or by whoever found that it is lost; a state it was given before stays.

    Args:
        hold_id: The hold by which it counts against limits on runs; empty where it has none.
    """

    hold_id: str
    run_id: str
    state: RunState
    why: str = ""
    iterations: int = 0
    hold: Admitted | None = None


@dataclass(slots=True, eq=False)
class Extend:
    """Have an open hold live some seconds from now, and say whether anything has been sent."""

    hold_id: str
    seconds: int | None = None
    is_unsent: bool | None = None


Action = Reserve | Charge | End | EndRun | Extend


@dataclass(frozen=True, slots=True)
class OverLimit:
    """One limit that refused (or would have), and why.

    Args:
        needed: What was asked in the limit's unit; absent where no balance decided.
        left: What was left under the ceiling; below zero where it is already passed.
        resets_at: When the window ends; absent where it never does.
    """

    limit_id: str
    limit_name: str
    breach_type: BreachType
    reason: str
    mode: LimitMode = LimitMode.BLOCK
    ceiling: Money | None = None
    needed: Money | None = None
    left: Money | None = None
    resets_at: datetime | None = None
    breach_id: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """A refusal whose breaches are durable; ``killed`` names the reason of a kill."""

    over: tuple[OverLimit, ...]
    killed: str | None = None

    @property
    def breach_id(self) -> str:
        """Return the first breach's id."""
        return self.over[0].breach_id


@dataclass(frozen=True, slots=True)
class Ended:
    """How a hold ended: what was charged, and whether that is an estimate."""

    hold_id: str
    kind: EntryKind
    amounts: Amounts
    is_estimated: bool


@dataclass(frozen=True, slots=True)
class Invalid:
    """An action that could not be taken: the error is its caller's alone."""

    error: Exception


Answer = Admitted | Refused | Ended | Invalid | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answers to a list of actions, in their order, and what is known to be stored once it is committed."""

    answers: list[Any]
    routes: tuple[str, ...] = ()
