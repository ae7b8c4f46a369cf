"""The words of a policy: rules, overrides, kills, and the lines that a spend counts against."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Self

from comptroller.domains.policies.engine.dimensions import Pairs
from comptroller.enums import LimitMode, Window
from comptroller.types.spend import HoldFacts, place_of


@dataclass(frozen=True, slots=True)
class Rule:
    """A limit as admission reads it."""

    id: str
    name: str
    unit: str
    ceiling: int
    every: Window
    place: tzinfo
    where: Pairs
    per: tuple[str, ...]
    require: tuple[str, ...]
    mode: LimitMode
    warn_at: tuple[str, ...]
    opens_incident: bool
    effective_from: datetime | None
    effective_until: datetime | None


@dataclass(frozen=True, slots=True)
class TimedCeiling:
    """An override: another ceiling from one instant until another."""

    id: str
    ceiling: int
    starts_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Kill:
    """A scope that is shut, until an instant or until it is lifted."""

    id: str
    scope: Pairs
    reason: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Line:
    """One balance that a spend counts against, with the ceiling now in force."""

    balance_id: str
    place: int
    rule: Rule
    subject: str
    window_start: datetime
    window_end: datetime | None
    ceiling: int
    override_id: str | None

    @classmethod
    def of(cls, rule: Rule, key: str, subject: str, start: datetime, end: datetime | None) -> Self:
        """Return the line of a limit's balance, under the limit's own ceiling."""
        return cls(key, place_of(rule.unit), rule, subject, start, end, rule.ceiling, None)


@dataclass(frozen=True, slots=True)
class Route:
    """Everything that the policy says of a scope until ``valid_until``.

    Args:
        lines: In the order in which balances are locked.
        missing: Limits that require a dimension which is not stated.
        foreign: A limit on money in another currency than the spend's.
        checks: Of each line its balance, the place of its amount and its ceiling.
        is_plain: True if it has lines and nothing but their room decides.
    """

    id: str
    facts: HoldFacts
    lines: tuple[Line, ...]
    dimensions: str
    run_id: str | None
    valid_until: datetime
    kill: Kill | None
    missing: tuple[tuple[Rule, str], ...]
    foreign: Rule | None
    is_ungoverned: bool
    checks: tuple[tuple[str, int, int], ...]
    is_plain: bool
