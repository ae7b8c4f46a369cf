"""Anomalies as people see and judge them; nothing here changes what is on record but what was said of it."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from comptroller import checks
from comptroller.domains.analytics.driver import anomalies as driver
from comptroller.domains.analytics.engine.drafts import AnomalyDraft
from comptroller.domains.analytics.engine.observation import step_start
from comptroller.domains.analytics.engine.severity import NoticeRules
from comptroller.domains.audit.driver import write_entry
from comptroller.domains.incidents.driver.changing import add_event
from comptroller.domains.incidents.driver.reading import incident_ids
from comptroller.enums import AnomalyKind, Dimension, Feedback, Grain, Severity, SuppressedReason
from comptroller.errors import InvalidInputError, NotFoundError
from comptroller.ids import uuid7
from comptroller.money import CURRENCIES, from_quanta
from comptroller.spine.services.findings import Finding
from comptroller.types.anomalies import Anomaly, Carrier, SeriesName
from comptroller.types.caller import Caller
from comptroller.words import member


def notice_rules(min_amount: Decimal | None, min_percent: Decimal | None) -> NoticeRules:
    """Return from when on an anomaly is told; the amount holds in every currency."""
    for name, value in (("min_amount", min_amount), ("min_percent", min_percent)):
        if value is not None and (not value.is_finite() or value < 0):
            raise InvalidInputError(f"{name} {value} must be a finite number, not negative")
    amounts = None if min_amount is None else dict.fromkeys(CURRENCIES, min_amount)
    return NoticeRules(amounts=amounts, percent=min_percent)


def as_anomaly(finding: Finding) -> Anomaly:
    """Return a finding as callers see it."""
    draft = finding.draft
    carriers = tuple(Carrier(c.key.dimension.value, c.key.value, round(c.share, 4)) for c in draft.carriers)
    return Anomaly(
        **_amounts(draft),
        id=draft.anomaly_id,
        kind=draft.kind,
        severity=finding.severity,
        dimension=draft.primary.dimension.value,
        value=draft.primary.value,
        currency=draft.primary.currency,
        start_at=step_start(draft.start, draft.grain),
        end_at=step_start(draft.end, draft.grain),
        is_open=draft.is_open,
        grain=draft.grain,
        score=draft.score,
        description=finding.description,
        carriers=carriers,
        evidence=tuple(SeriesName(e.key.dimension.value, e.key.value) for e in draft.evidence),
        team=finding.team,
        owner=finding.owner,
        suppressed_reason=finding.suppressed_reason,
    )


def _amounts(draft: AnomalyDraft) -> dict[str, Any]:
    quanta = {
        "actual": draft.actual,
        "expected": draft.expected,
        "low": draft.low,
        "high": draft.high,
        "at_stake": draft.stakes,
    }
    return {name: from_quanta(value, draft.primary.currency) for name, value in quanta.items()}


def list_anomalies(
    session: Session, tenant_id: str, *, since: datetime | None, before: str | None, limit: int
) -> list[Anomaly]:
    """Return anomalies, the newest first; ``before`` is the id of the last one seen."""
    last = None if before is None else get_anomaly(session, tenant_id, before)
    place = None if last is None else (last.end_at, last.id)
    records = driver.list_records(session, tenant_id, since=since, before=place, limit=limit)
    return [_view(record) for record in records]


def get_anomaly(session: Session, tenant_id: str, anomaly_id: str) -> Anomaly:
    """Return one anomaly.

    Raises:
        NotFoundError: If the tenant has no such anomaly.
    """
    record = driver.find_record(session, tenant_id, anomaly_id)
    if record is None:
        raise NotFoundError(f"anomaly {anomaly_id!r} does not exist for this tenant")
    return _view(record)


def give_feedback(
    session: Session, caller: Caller, anomaly_id: str, feedback: str, *, note: str, now: datetime
) -> Anomaly:
    """Write what a person said of an anomaly: on its row, on its incident's timeline, in the audit."""
    said = member(Feedback, "feedback", feedback)
    get_anomaly(session, caller.tenant, anomaly_id)
    driver.set_feedback(session, caller.tenant, anomaly_id, said, actor=caller.actor, now=now)
    detail = {"feedback": said.value, "note": note}
    for incident_id in incident_ids(session, caller.tenant, [anomaly_id]).values():
        add_event(session, caller.tenant, incident_id, kind="feedback", actor=caller.actor, detail=detail, now=now)
    write_entry(
        session, caller, action="anomaly.feedback", object_type="anomaly", object_id=anomaly_id, detail=detail, now=now
    )
    return get_anomaly(session, caller.tenant, anomaly_id)


def plan_window(
    session: Session, caller: Caller, *, start: date, end: date, reason: str, scope: dict[str, str], now: datetime
) -> str:
    """Write a planned window and return its id."""
    dimensions = {member(Dimension, "dimension", name).value: value for name, value in scope.items()}
    window_id = uuid7()
    values = {"scope": dimensions, "start_on": start, "end_on": end, "reason": checks.required_id("reason", reason)}
    driver.add_planned_window(
        session, caller.tenant, {**values, "id": window_id, "created_by": caller.actor, "created_at": now}
    )
    detail = {"scope": dimensions, "start": start.isoformat(), "end": end.isoformat(), "reason": reason}
    write_entry(
        session,
        caller,
        action="window.planned",
        object_type="planned_window",
        object_id=window_id,
        detail=detail,
        now=now,
    )
    return window_id


def mute_series(session: Session, caller: Caller, dimension: str, value: str, *, reason: str, now: datetime) -> None:
    """Mute a series; muting it again changes nothing."""
    name = SeriesName(member(Dimension, "dimension", dimension).value, checks.required_id("value", value))
    said = checks.required_id("reason", reason)
    driver.add_muted_series(session, caller.tenant, name, reason=said, actor=caller.actor, now=now)
    write_entry(
        session,
        caller,
        action="series.muted",
        object_type="series",
        object_id=f"{name.dimension}={name.value}"[:255],
        detail={"reason": said},
        now=now,
    )


def unmute_series(session: Session, caller: Caller, dimension: str, value: str, *, now: datetime) -> None:
    """Tell the incidents of a series again.

    Raises:
        NotFoundError: If the series is not muted.
    """
    name = SeriesName(member(Dimension, "dimension", dimension).value, value)
    if not driver.remove_muted_series(session, caller.tenant, name):
        raise NotFoundError(f"series {name.dimension}={name.value} is not muted")
    write_entry(
        session,
        caller,
        action="series.unmuted",
        object_type="series",
        object_id=f"{name.dimension}={name.value}"[:255],
        detail={},
        now=now,
    )


def _view(record: driver.AnomalyRecord) -> Anomaly:
    row = record.row
    unit = row.currency
    return Anomaly(
        id=row.id,
        kind=AnomalyKind(row.kind),
        severity=Severity(row.severity),
        dimension=row.dimension,
        value=row.value,
        currency=unit,
        start_at=row.start_at,
        end_at=row.end_at,
        is_open=row.is_open,
        grain=Grain(row.grain),
        actual=from_quanta(row.actual_quanta, unit),
        expected=from_quanta(row.expected_quanta, unit),
        low=from_quanta(row.low_quanta, unit),
        high=from_quanta(row.high_quanta, unit),
        at_stake=from_quanta(row.stake_quanta, unit),
        score=row.score,
        description=row.description,
        carriers=tuple(Carrier(c["dimension"], c["value"], c["share"]) for c in row.explanation),
        evidence=tuple(sorted(record.evidence)),
        team=row.team,
        owner=row.owner,
        suppressed_reason=SuppressedReason(row.suppressed_reason) if row.suppressed_reason else None,
        feedback=Feedback(row.feedback) if row.feedback else None,
        merged_into=row.merged_into,
    )
