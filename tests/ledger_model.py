"""What the ledger must do, in plain Python: no SQL, no code of the package's engines."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass
class PlainLimit:
    """A limit over a day or for ever, per some dimensions, in one unit."""

    name: str
    unit: str
    ceiling: int
    daily: bool
    per: tuple[str, ...] = ()
    where: dict[str, str] = field(default_factory=dict)

    def key(self, who: dict[str, str], at: datetime) -> tuple[Any, ...] | None:
        """Return which balance a spend counts against; None if the limit does not apply."""
        if any(who.get(name) != value for name, value in self.where.items()):
            return None
        return (self.name, tuple(who.get(name, "(none)") for name in self.per), at.date() if self.daily else None)


@dataclass
class PlainHold:
    """What was held under which balances, and how it ended."""

    keys: list[tuple[tuple[Any, ...], str]]
    held: dict[str, int]
    expires_at: datetime
    charged: dict[str, int] | None = None
    kind: str = "open"


class PlainLedger:
    """Balances as dictionaries; every decision by looking at all of them."""

    def __init__(self, limits: list[PlainLimit]) -> None:
        self.limits = limits
        self.balances: dict[tuple[Any, ...], list[int]] = {}
        self.holds: dict[str, PlainHold] = {}
        self.killed: list[dict[str, str]] = []

    def reserve(
        self, hold_id: str, who: dict[str, str], amounts: dict[str, int], at: datetime, until: datetime
    ) -> set[str]:
        """Hold and return nothing, or return the names of what refuses."""
        if any(all(who.get(name) == value for name, value in kill.items()) for kill in self.killed):
            return {"kill switch"}
        applying = [(limit, key) for limit in self.limits if (key := limit.key(who, at)) is not None]
        over = {
            limit.name
            for limit, key in applying
            if sum(self.balances.get(key, [0, 0])) + amounts[limit.unit] > limit.ceiling
        }
        if over:
            return over
        for limit, key in applying:
            self.balances.setdefault(key, [0, 0])[1] += amounts[limit.unit]
        self.holds[hold_id] = PlainHold([(key, limit.unit) for limit, key in applying], amounts, until)
        return set()

    def end(self, hold_id: str, kind: str, charged: dict[str, int]) -> bool:
        """End a hold; False if it ended in another way before."""
        hold = self.holds[hold_id]
        if hold.kind == "open":
            self._move(hold, charged, released=True)
        elif hold.kind == "expire" and kind != "expire":
            before = hold.charged or {}
            self._move(hold, {unit: charged[unit] - before[unit] for unit in charged}, released=False)
            kind = "true_up"
        else:
            is_same_kind = hold.kind in {kind, "true_up"}
            return is_same_kind and hold.charged == charged
        hold.kind, hold.charged = kind, charged
        return True

    def charge(self, who: dict[str, str], amounts: dict[str, int], at: datetime) -> None:
        """Spend what is gone already."""
        for limit in self.limits:
            if (key := limit.key(who, at)) is not None:
                self.balances.setdefault(key, [0, 0])[0] += amounts[limit.unit]

    def expired(self, at: datetime) -> list[str]:
        """Return the open holds whose life is over."""
        return [key for key, hold in self.holds.items() if hold.kind == "open" and hold.expires_at <= at]

    def standing(self) -> dict[tuple[str, str], list[tuple[int, int]]]:
        """Return the used balances of each limit, sorted."""
        found: dict[Any, list[tuple[int, int]]] = {}
        for key, (spent, held) in self.balances.items():
            if spent or held:
                found.setdefault(key[0], []).append((spent, held))
        return {name: sorted(values) for name, values in found.items()}

    def _move(self, hold: PlainHold, charged: dict[str, int], *, released: bool) -> None:
        for key, unit in hold.keys:
            self.balances[key][0] += charged[unit]
            if released:
                self.balances[key][1] -= hold.held[unit]
