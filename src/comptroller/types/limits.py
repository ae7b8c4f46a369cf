"""Limits as callers give and get them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from comptroller.enums import LimitMode, Window
from comptroller.money import Money


@dataclass(frozen=True, slots=True)
class Limit:
    """A rule with a ceiling.

    Args:
        where: Dimension values that must all match; empty applies to every spend of the tenant.
        per: One balance for each combination of values of these dimensions; an absent value is ``(none)``.
        require: Dimensions without which a spend is refused.
        warn_at: Thresholds as percent (``80%``) or amounts in the limit's unit.
        version: Counts its changes from 1.
    """

    id: str
    name: str
    ceiling: Money
    every: Window
    timezone: str
    where: Mapping[str, str]
    per: tuple[str, ...]
    require: tuple[str, ...]
    mode: LimitMode
    warn_at: tuple[str, ...]
    opens_incident: bool
    effective_from: datetime | None
    effective_until: datetime | None
    version: int
    created_at: datetime
    created_by: str
    archived_at: datetime | None


@dataclass(frozen=True, slots=True)
class LimitChange:
    """One version of a limit: who changed it, when, to what and why."""

    version: int
    content: Mapping[str, object]
    reason: str
    changed_by: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Override:
    """A timed, approved change of a limit's ceiling."""

    id: str
    limit_id: str
    ceiling: Money
    reason: str
    created_by: str
    starts_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class PeriodLimit:
    """A limit on money over a calendar period, with the ceiling now in force; bills are checked against it."""

    id: str
    name: str
    ceiling: Money
    every: Window
    timezone: str
    where: Mapping[str, str]
    per: tuple[str, ...]
    mode: LimitMode
    warn_at: tuple[str, ...]
    opens_incident: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one balance of a limit stands, and why the limit applies to a subject."""

    limit: Limit
    subject: Mapping[str, str]
    ceiling: Money
    spent: Money
    held: Money
    left: Money
    window_start: datetime
    window_end: datetime | None
    why: str
    balance_id: str
    override_id: str | None = None
