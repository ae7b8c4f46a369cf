"""Check the period of a limit: thresholds crossed, the ceiling exceeded, a forecast that will exceed it.

Interface:
    ``check_period(limit, days, on_record, rules) -> list[PeriodFinding]``; ``PeriodLimit(limit_id, ceiling, unit)``,
    ``PeriodRules`` (warn at these percents and amounts), ``describe_period(finding)`` tells it in one sentence.
    ``forecast.forecast_period`` is the forecast.

Rules: a threshold of P percent is crossed at spent >= P % of the ceiling, an amount at spent >= amount, the ceiling
at spent > ceiling (spending it all is allowed). Each is told once per window: findings have ids made of (limit, window
start, kind, threshold), and those on record are left out. Of several thresholds crossed since the last run the highest
is told, and none beside an excess, so that one rise makes one notice. A forecast is told when the ceiling is not
exceeded yet, at least ``least_days`` days are known (those before the window included), and the lower end of its 80 %
band is above the ceiling: nine in ten such periods exceed.
"""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate

from comptroller.domains.analytics.engine.forecast import ForecastRules, PeriodDays, PeriodForecast, forecast_period
from comptroller.domains.analytics.engine.observation import step_start
from comptroller.enums import AnomalyKind, Severity
from comptroller.money import from_quanta


@dataclass(frozen=True, slots=True)
class PeriodLimit:
    """Hold what a check needs of a limit: ceiling in quanta of the unit, and its name for the sentence."""

    limit_id: str
    name: str
    ceiling: int
    unit: str


@dataclass(frozen=True, slots=True)
class PeriodRules:
    """Say at which percents of the ceiling and at which amounts (quanta) a warning is due."""

    percents: tuple[Decimal, ...] = (Decimal(80),)
    amounts: tuple[int, ...] = ()
    forecast: ForecastRules = field(default_factory=ForecastRules)


@dataclass(frozen=True, slots=True)
class PeriodFinding:
    """Hold one fact about a limit's window that opens an incident; amounts in quanta.

    Attributes:
        finding_id: The anomaly id to open it under; the same for the same (limit, window, kind, threshold).
        kind: BUDGET_WARNING, BUDGET_EXCEEDED or BUDGET_FORECAST.
        threshold: What was crossed: "80%", "amount:5000" or "" for the ceiling.
        day: The day on which it was crossed, or is expected to be.
        current: Spent so far; for a forecast what is expected at the end.
        expected: The threshold in quanta; for EXCEEDED and FORECAST the ceiling.
        forecast: Present for a forecast.
    """

    finding_id: str
    limit: PeriodLimit
    kind: AnomalyKind
    threshold: str
    severity: Severity
    window_start: int
    window_end: int
    day: int
    current: int
    expected: int
    forecast: PeriodForecast | None = None


def finding_id(limit_id: str, window_start: int, kind: AnomalyKind, threshold: str) -> str:
    """Return the id of a finding: ``anb_`` and 26 hexadecimal digits of SHA-256 over these four as a JSON list."""
    content = json.dumps([limit_id, window_start, kind.value, threshold])
    return "anb_" + hashlib.sha256(content.encode()).hexdigest()[:26]


def check_period(
    limit: PeriodLimit, days: PeriodDays, on_record: Collection[str] = (), rules: PeriodRules | None = None
) -> list[PeriodFinding]:
    """Return what is to be told of this window and was not told before.

    Args:
        limit: The limit.
        days: The window and its daily cost.
        on_record: Ids of findings that were told.
        rules: When to warn.
    """
    rules = rules or PeriodRules()
    totals = list(accumulate(days.spent))
    findings = _exceeded(limit, days, totals)
    if not findings:
        findings = [*_warnings(limit, days, totals, rules)[-1:], *_forecast(limit, days, rules)]
    return [finding for finding in findings if finding.finding_id not in on_record]


def _exceeded(limit: PeriodLimit, days: PeriodDays, totals: list[int]) -> list[PeriodFinding]:
    if not totals or totals[-1] <= limit.ceiling:
        return []
    day = next(day for day, total in enumerate(totals) if total > limit.ceiling)
    kind = AnomalyKind.BUDGET_EXCEEDED
    # A tenth over is a crossing; half over is a door that stood open.
    severity = Severity.CRITICAL if 2 * totals[-1] >= 3 * limit.ceiling else Severity.HIGH
    return [_finding(limit, days, kind, "", severity, day=day, current=totals[-1], expected=limit.ceiling)]


def _warnings(limit: PeriodLimit, days: PeriodDays, totals: list[int], rules: PeriodRules) -> list[PeriodFinding]:
    """Return the thresholds crossed, the highest last; a share of a ceiling of nothing is no threshold."""
    marks = [(Fraction(percent) * limit.ceiling / 100, f"{percent.normalize():f}%") for percent in rules.percents]
    marks += [(Fraction(amount), f"amount:{amount}") for amount in rules.amounts]
    found = []
    for mark, threshold in sorted(marks):
        day = next((day for day, total in enumerate(totals) if total >= mark), None)
        if mark > 0 and day is not None:
            kind, least, now = AnomalyKind.BUDGET_WARNING, int(mark), totals[-1]
            found.append(_finding(limit, days, kind, threshold, Severity.MEDIUM, day=day, current=now, expected=least))
    return found


def _forecast(limit: PeriodLimit, days: PeriodDays, rules: PeriodRules) -> list[PeriodFinding]:
    forecast = forecast_period(days, rules.forecast)
    if forecast is None or forecast.low <= limit.ceiling:
        return []
    day = forecast.crossing(limit.ceiling)
    if day is None:
        return []
    kind, end = AnomalyKind.BUDGET_FORECAST, forecast.expected
    finding = _finding(limit, days, kind, "", Severity.MEDIUM, day=day, current=end, expected=limit.ceiling)
    return [replace(finding, forecast=forecast)]


def _finding(
    limit: PeriodLimit,
    days: PeriodDays,
    kind: AnomalyKind,
    threshold: str,
    severity: Severity,
    *,
    day: int,
    current: int,
    expected: int,
) -> PeriodFinding:
    return PeriodFinding(
        finding_id=finding_id(limit.limit_id, days.start, kind, threshold),
        limit=limit,
        kind=kind,
        threshold=threshold,
        severity=severity,
        window_start=days.start,
        window_end=days.end,
        day=days.start + day,
        current=current,
        expected=expected,
    )


def describe_period(finding: PeriodFinding) -> str:
    """Tell a finding in one sentence."""
    limit, unit = finding.limit, finding.limit.unit
    ceiling = _told(limit.ceiling, unit)
    day = step_start(finding.day)
    date = f"{day.day} {day.strftime('%b')}"
    match finding.kind:
        case AnomalyKind.BUDGET_EXCEEDED:
            over = _told(finding.current - limit.ceiling, unit)
            return f"{limit.name} passed its {ceiling} {unit} on {date}: {over} {unit} over so far"
        case AnomalyKind.BUDGET_WARNING:
            share = Decimal(finding.current) / limit.ceiling if limit.ceiling else Decimal(1)
            return f"{limit.name} has spent {share:.0%} of its {ceiling} {unit}: {_told(finding.current, unit)} {unit}"
        case AnomalyKind.BUDGET_FORECAST:
            over = _told(finding.current - limit.ceiling, unit)
            return f"{limit.name} will pass its {ceiling} {unit} about {date} and end {over} {unit} over"
        case _:
            raise ValueError(f"{finding.kind} is no finding about a period")


def _told(quanta: int, unit: str) -> str:
    amount = from_quanta(quanta, unit)
    return f"{amount:,.2f}" if amount % 1 else f"{amount:,.0f}"
