"""Check the periods of limits against what bills say; each fact is an incident once, an excess its breach too.

Bills never move a balance: holds and metered usage do. What a bill shows past a ceiling is still a crossing, so it
is recorded through the contract, with its incident, in the same transaction.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any, Final

from sqlalchemy.orm import Session

from comptroller.domains.analytics.driver import anomalies as driver
from comptroller.domains.analytics.driver.spend import COLUMNS, Scope, data_period, spend_by_day
from comptroller.domains.analytics.engine.forecast import PeriodDays
from comptroller.domains.analytics.engine.observation import PROVISIONAL_DAYS, step_of, step_start
from comptroller.domains.analytics.engine.periods import (
    PeriodFinding,
    PeriodRules,
    check_period,
    describe_period,
)
from comptroller.domains.analytics.engine.periods import PeriodLimit as CheckedLimit
from comptroller.domains.policies.engine.windows import bounds, zone
from comptroller.enums import AnomalyKind, BreachType, CostMetric, Grain
from comptroller.money import Money, bill_quanta, from_quanta, to_cents
from comptroller.spine.drivers.cross_domain import create_incident_from_cost_anomaly_sync, record_limit_breach_sync
from comptroller.spine.services.budget import period_limits
from comptroller.types.anomalies import Anomaly, Change, Found
from comptroller.types.limits import PeriodLimit

# A year of days: windows that ended longer ago are history.
WINDOWS_MAX: Final = 400
_HISTORY_DAYS: Final = 56
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PeriodFact:
    """A fact about one subject's window of a limit that is not on record yet."""

    limit: PeriodLimit
    subject: tuple[str, ...]
    finding: PeriodFinding


@dataclass(frozen=True, slots=True)
class _Window:
    """A limit's window: its days in the limit's zone, and the last day of data."""

    start: date
    end: date
    last_day: date


def check_limits(
    session: Session, tenant_id: str, *, metric: CostMetric, now: datetime, dry_run: bool = False
) -> list[Found]:
    """Return what bills newly show about limits' periods, written with its incidents and breaches unless ``dry_run``.

    The limits' newest 400 windows that bills reach into are checked; days after ``now`` are not judged.
    """
    facts = [
        fact
        for limit in period_limits(session, tenant_id, now)
        if set(limit.per) | set(limit.where) <= set(COLUMNS)
        for fact in _facts(session, tenant_id, limit, metric=metric, now=now)
    ]
    if dry_run:
        return [Found(_anomaly(fact), Change.OPENED) for fact in facts]
    return [_write(session, tenant_id, fact, now=now) for fact in facts]


def _facts(
    session: Session, tenant_id: str, limit: PeriodLimit, *, metric: CostMetric, now: datetime
) -> list[PeriodFact]:
    place = zone(limit.timezone)
    period = data_period(session, tenant_id, limit.ceiling.unit)
    windows = [] if period is None else _windows(limit, place, period[0], min(period[1], now.date()))
    if not windows:
        return []
    scope = Scope(metric, limit.ceiling.unit, limit.where, limit.per)
    since = windows[0].start - _HISTORY_DAYS * _DAY
    spent = spend_by_day(session, tenant_id, scope, place=place, since=since, until=windows[-1].last_day)
    rules = _rules(limit)
    least = _least(limit, rules)
    facts = [
        PeriodFact(limit, subject, finding)
        for subject, days in sorted(spent.items())
        for window in windows
        if not _is_quiet(window, days, least)
        for finding in check_period(_checked(limit, subject), _period_days(window, days), (), rules)
    ]
    known = driver.ids_on_record(session, tenant_id, [fact.finding.finding_id for fact in facts])
    return [fact for fact in facts if fact.finding.finding_id not in known]


def _windows(limit: PeriodLimit, place: tzinfo, first_day: date, last_day: date) -> list[_Window]:
    """Return the limit's windows that bills reach into, the newest ones last."""
    windows: list[_Window] = []
    at = datetime(last_day.year, last_day.month, last_day.day, 12, tzinfo=place).astimezone(UTC)
    while len(windows) < WINDOWS_MAX:
        held = bounds(limit.every, place, at)
        if held.end is None or held.end.astimezone(place).date() <= first_day:
            break
        windows.append(_Window(held.start.astimezone(place).date(), held.end.astimezone(place).date(), last_day))
        at = held.start - timedelta(hours=1)
    return windows[::-1]


def _least(limit: PeriodLimit, rules: PeriodRules) -> int:
    """Return the quanta below which a window that is over has nothing to tell."""
    ceiling = bill_quanta(limit.ceiling.amount, limit.ceiling.unit)
    marks = [int(percent * ceiling / 100) for percent in rules.percents]
    return min([ceiling, *marks, *rules.amounts])


def _is_quiet(window: _Window, days: dict[date, int], least: int) -> bool:
    """Tell at once that a past window stayed below every mark: most windows of most limits did."""
    if window.end > window.last_day - PROVISIONAL_DAYS * _DAY:
        return False
    length = (window.end - window.start).days
    return sum(days.get(window.start + number * _DAY, 0) for number in range(length)) < least


def _checked(limit: PeriodLimit, subject: tuple[str, ...]) -> CheckedLimit:
    """Return the limit for one subject of ``per``; each subject's facts are its own."""
    suffix = "" if not subject else "/" + "/".join(subject)
    name = limit.name if not subject else f"{limit.name} ({', '.join(subject)})"
    return CheckedLimit(
        limit.id + suffix, name, bill_quanta(limit.ceiling.amount, limit.ceiling.unit), limit.ceiling.unit
    )


def _rules(limit: PeriodLimit) -> PeriodRules:
    percents = [Decimal(mark.removesuffix("%")) for mark in limit.warn_at if mark.endswith("%")]
    amounts = [Money.parse(mark) for mark in limit.warn_at if not mark.endswith("%")]
    if not limit.warn_at:
        return PeriodRules()
    return PeriodRules(tuple(percents), tuple(bill_quanta(mark.amount, mark.unit) for mark in amounts))


def _period_days(window: _Window, days: dict[date, int]) -> PeriodDays:
    start, end = step_of(window.start), step_of(window.end)
    if end == start:  # a day in a zone whose clock skips it
        end = start + 1
    last = min(step_of(window.last_day) + 1, end)
    amounts = {step_of(day): quanta for day, quanta in days.items()}
    spent = [amounts.get(day, 0) for day in range(start, max(last, start))]
    history = [amounts.get(day, 0) for day in range(start - _HISTORY_DAYS, start)]
    known = [index for index, amount in enumerate(history) if amount]
    settled = step_of(window.last_day) + 1 - PROVISIONAL_DAYS
    return PeriodDays(start, end, spent, history[known[0] :] if known else (), settled)


def _write(session: Session, tenant_id: str, fact: PeriodFact, *, now: datetime) -> Found:
    limit, finding, anomaly = fact.limit, fact.finding, _anomaly(fact)
    is_new = driver.insert_anomaly(session, _columns(tenant_id, anomaly, finding, now))
    unit = limit.ceiling.unit
    incident_id = create_incident_from_cost_anomaly_sync(
        session, tenant_id, finding.finding_id, finding.kind.value, finding.severity.value,
        max(to_cents(finding.current, unit), 0), max(to_cents(finding.expected, unit), 0), "limit", limit.name,
        anomaly.description,
    )  # fmt: skip
    if is_new and finding.kind is AnomalyKind.BUDGET_EXCEEDED:  # else another run has it, with its breach
        details: dict[str, Any] = {
            "source": "bill",
            "window_start": step_start(finding.window_start).date().isoformat(),
            "window_end": step_start(finding.window_end).date().isoformat(),
            "subject": dict(zip(limit.per, fact.subject, strict=True)),
        }
        record_limit_breach_sync(
            session, tenant_id, limit.id, BreachType.BREACHED.value, from_quanta(finding.current, unit),
            limit.ceiling.amount, None, incident_id, details,
        )  # fmt: skip
    return Found(anomaly, Change.OPENED, incident_id)


def _anomaly(fact: PeriodFact) -> Anomaly:
    limit, finding = fact.limit, fact.finding
    unit = limit.ceiling.unit
    current, expected = from_quanta(finding.current, unit), from_quanta(finding.expected, unit)
    return Anomaly(
        id=finding.finding_id,
        kind=finding.kind,
        severity=finding.severity,
        dimension="limit",
        value=finding.limit.name,
        currency=unit,
        start_at=step_start(finding.window_start),
        end_at=step_start(finding.window_end),
        is_open=False,
        grain=Grain.DAY,
        actual=current,
        expected=expected,
        low=Decimal(0),
        high=expected,
        at_stake=max(current - expected, Decimal(0)),
        score=1.0,
        description=describe_period(finding),
        team=limit.where.get("team"),
    )


def _columns(tenant_id: str, anomaly: Anomaly, finding: PeriodFinding, now: datetime) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "id": anomaly.id,
        "kind": anomaly.kind.value,
        "dimension": anomaly.dimension,
        "value": anomaly.value,
        "currency": anomaly.currency,
        "start_at": anomaly.start_at,
        "end_at": anomaly.end_at,
        "is_open": False,
        "grain": anomaly.grain.value,
        "direction": 0,
        "actual_quanta": finding.current,
        "expected_quanta": finding.expected,
        "low_quanta": 0,
        "high_quanta": finding.expected,
        "stake_quanta": max(finding.current - finding.expected, 0),
        "score": anomaly.score,
        "severity": anomaly.severity.value,
        "team": anomaly.team,
        "owner": None,
        "description": anomaly.description,
        "explanation": [],
        "suppressed_reason": None,
        "created_at": now,
        "updated_at": now,
    }
