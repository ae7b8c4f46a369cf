"""Anomalies as callers see them, and what a detection run reports."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from comptroller.enums import AnomalyKind, Feedback, Grain, Sensitivity, Severity, SuppressedReason


class SeriesName(NamedTuple):
    """A series within one currency."""

    dimension: str
    value: str


class Change(StrEnum):
    """What a run did to an anomaly."""

    OPENED = "opened"
    EXTENDED = "extended"
    CLOSED = "closed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Curve:
    """The primary series around an anomaly, one value a step, for drawing; not for sums.

    Attributes:
        start_at: The first step.
        actual: What was spent, in currency units; NaN where there is no data.
        expected: What was expected; NaN before it was known.
        low: The lower end of the normal band.
        high: The upper end of it.
        abnormal: Whether the step belongs to the anomaly.
    """

    start_at: datetime
    actual: tuple[float, ...]
    expected: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    abnormal: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Carrier:
    """A dimension value that carries a share of the excess (0.97 is 97 %)."""

    dimension: str
    value: str
    share: float


@dataclass(frozen=True, slots=True)
class Anomaly:
    """Cost against a baseline: one cause. Amounts are exact, in ``currency``; [start_at, end_at) is half-open."""

    id: str
    kind: AnomalyKind
    severity: Severity
    dimension: str
    value: str
    currency: str
    start_at: datetime
    end_at: datetime
    is_open: bool
    grain: Grain
    actual: Decimal
    expected: Decimal
    low: Decimal
    high: Decimal
    at_stake: Decimal
    score: float
    description: str
    carriers: tuple[Carrier, ...] = ()
    evidence: tuple[SeriesName, ...] = ()
    team: str | None = None
    owner: str | None = None
    suppressed_reason: SuppressedReason | None = None
    feedback: Feedback | None = None
    merged_into: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One anomaly of a run, gravest first: what became of it, its incident, its series."""

    anomaly: Anomaly
    change: Change
    incident_id: str | None = None
    curve: Curve | None = None


@dataclass(frozen=True, slots=True)
class DetectionReport:
    """What a detection run saw and wrote.

    Attributes:
        found: Every anomaly of the judged time, the gravest first.
        series: How many series were judged.
        first_at: Begin of the judged time; None where there was no data.
        last_at: End of it.
        sensitivity: With which the run judged.
        spend: The Usage total of the judged time, per currency.
        closed: How many anomalies ended.
        merged: How many turned out to be part of another.
    """

    found: tuple[Found, ...]
    series: int
    first_at: datetime | None
    last_at: datetime | None
    sensitivity: Sensitivity
    spend: dict[str, Decimal] = field(default_factory=dict)
    closed: int = 0
    merged: int = 0
