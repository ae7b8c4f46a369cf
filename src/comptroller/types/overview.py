"""What the dashboard's pages show; an absent part could not be read, and is shown as unavailable, never as 0."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from comptroller.enums import BreachType
from comptroller.money import Money
from comptroller.types.anomalies import Anomaly
from comptroller.types.background import Job
from comptroller.types.incidents import Incident
from comptroller.types.limits import Limit
from comptroller.types.runs import Kill, Run


@dataclass(frozen=True, slots=True)
class Burning:
    """What the ledger booked in the last hour: in all, and by the values of one dimension, the most first."""

    total: tuple[Money, ...]
    by: tuple[tuple[str, Money], ...]
    dimension: str


@dataclass(frozen=True, slots=True)
class Meter:
    """Where one balance of a limit stands, and when it is used up at its pace.

    Args:
        subject: The dimension values that have this balance; empty for the limit's only one.
        share: Spent and held as a part of the ceiling.
        gone: The part of the window that is over; absent where it has no end.
        runs_out_at: At the pace of the window so far; absent if it lasts until its end.
    """

    limit: Limit
    subject: Mapping[str, str]
    ceiling: Money
    spent: Money
    held: Money
    share: float
    gone: float | None
    window_start: datetime
    window_end: datetime | None
    runs_out_at: datetime | None
    is_overridden: bool


@dataclass(frozen=True, slots=True)
class Breach:
    """One row of refusals or crossings, as a list shows it."""

    id: str
    limit: str
    breach_type: BreachType
    value: Decimal
    ceiling: Decimal
    unit: str
    subject: str
    reason: str
    run_id: str | None
    incident_id: str | None
    occurrences: int
    recorded_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Overview:
    """The first page; each part is absent where its table cannot be read."""

    incidents: tuple[Incident, ...] | None
    counts: Mapping[str, int] | None
    at_stake: tuple[Money, ...] | None
    burning: Burning | None
    days: Sequence[tuple[date, str, Decimal]] | None
    meters: tuple[Meter, ...] | None
    runs: tuple[Run, ...] | None
    kills: tuple[Kill, ...] | None
    refusals: int | None
    oldest_notice_at: datetime | None
    has_channels: bool | None


@dataclass(frozen=True, slots=True)
class Spending:
    """Spend by one dimension over days, in one currency: the largest values and the rest.

    Args:
        names: The series, the largest first; ``(others)`` is the sum of what is left.
        series: One row of amounts for each name, one a day.
        before: What each cost in the period just before.
    """

    currency: str
    currencies: tuple[str, ...]
    dimension: str
    days: tuple[date, ...]
    names: tuple[str, ...]
    series: tuple[tuple[Decimal, ...], ...]
    before: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True)
class AnomalyCurve:
    """An anomaly with the series that shows it best, one amount a day, absent where there is no data."""

    anomaly: Anomaly
    incident_id: str | None
    days: tuple[date, ...]
    amounts: tuple[Decimal | None, ...]


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What works in the background: jobs, and since when the oldest notice waits."""

    jobs: tuple[Job, ...]
    oldest_notice_at: datetime | None
