"""What people see of limits and spend."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from comptroller.enums import EntryKind
from comptroller.money import Money
from comptroller.types.limits import Standing


@dataclass(frozen=True, slots=True)
class Explanation:
    """What would happen to a spend of these dimensions now.

    Args:
        standings: Every limit that applies, the one with the least left (in its own proportion) first.
        killed: The reason of the kill that shuts the scope; absent if none does.
        is_ungoverned: True if no limit applies.
        requires_limit: True if such a spend is refused.
    """

    dimensions: Mapping[str, str]
    standings: tuple[Standing, ...]
    killed: str | None
    is_ungoverned: bool
    requires_limit: bool

    def __iter__(self) -> Iterator[Standing]:
        """Go through the limits that apply."""
        return iter(self.standings)

    def __len__(self) -> int:
        """Return how many limits apply."""
        return len(self.standings)


@dataclass(frozen=True, slots=True)
class HoldStep:
    """One entry of a hold."""

    kind: EntryKind
    amount: Money | None
    requests: int
    tokens: int
    is_estimated: bool
    price_version: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class HoldExplanation:
    """A past decision: what was held, how it ended, and the limits it counted against.

    Args:
        settled_ratio: What was charged as a part of what was held; absent while it is open or held nothing.
    """

    hold_id: str
    dimensions: Mapping[str, str]
    run_id: str | None
    steps: tuple[HoldStep, ...]
    limits: tuple[str, ...]
    is_open: bool
    is_ungoverned: bool
    settled_ratio: float | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """When a balance will run out at its pace, with a band.

    Args:
        per_hour: What was spent an hour, over the part of the window that is gone.
        runs_out_at: Absent if it lasts until its window ends.
        earliest_at: At the pace of its fastest recent hour.
        latest_at: At the pace of its slowest; absent if it then lasts until its window ends.
    """

    standing: Standing
    per_hour: Money
    runs_out_at: datetime | None
    earliest_at: datetime | None
    latest_at: datetime | None


@dataclass(frozen=True, slots=True)
class TopRow:
    """One value of a dimension: money per hour now, held, left and refusals."""

    value: str
    per_hour: Money
    held: Money
    left: Money | None
    refusals: int


@dataclass(frozen=True, slots=True)
class Complaint:
    """Something that doctor found.

    Args:
        is_grave: True if money is not governed because of it; the command then exits 1.
    """

    name: str
    told: str
    is_grave: bool = True


@dataclass(frozen=True, slots=True)
class Unbalanced:
    """A balance that is not what its entries say: (spent, held) in quanta, stored and derived."""

    balance_id: str
    limit_id: str
    stored: tuple[int, int]
    derived: tuple[int, int]
