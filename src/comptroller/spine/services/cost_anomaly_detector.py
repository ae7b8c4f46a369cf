"""Write what a detection run decided: anomalies, their incidents through the contract, all in one transaction.

If an incident cannot be written, neither is its anomaly. Nothing written before is doubled by running again.
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from comptroller.domains.analytics.driver import anomalies as driver
from comptroller.domains.analytics.engine.observation import step_start
from comptroller.domains.incidents.driver.changing import (
    add_event,
    merge_incident,
    queue_notice,
    set_extent,
    set_status,
)
from comptroller.domains.incidents.driver.reading import find_incident, incident_ids
from comptroller.enums import IncidentStatus, Severity
from comptroller.money import to_cents
from comptroller.spine.drivers.cross_domain import create_incident_from_cost_anomaly_sync
from comptroller.spine.services.findings import Finding
from comptroller.spine.services.judging import Verdict
from comptroller.types.anomalies import Change, SeriesName
from comptroller.types.incidents import Incident

_ORDER: Final = tuple(Severity)
_ACTOR: Final = "detector"


def write_verdict(session: Session, tenant_id: str, verdict: Verdict, *, now: datetime) -> dict[str, str]:
    """Write the verdict and return the incident of each anomaly: anomaly id to incident id."""
    incidents: dict[str, str] = {}
    for surviving, merged in verdict.merges:
        _merge(session, tenant_id, surviving, merged, now=now)
    for anomaly_id, end, grain in verdict.closes:
        _close(session, tenant_id, anomaly_id, step_start(end, grain), now=now)
    for finding in verdict.findings:
        incidents[finding.draft.anomaly_id] = _write(session, tenant_id, finding, now=now)
    return incidents


def _write(session: Session, tenant_id: str, finding: Finding, *, now: datetime) -> str:
    draft = finding.draft
    values = _columns(finding, now)
    if finding.change is Change.OPENED:
        named = {"tenant_id": tenant_id, "id": draft.anomaly_id, "created_at": now}
        if driver.insert_anomaly(session, {**values, **named}):
            _write_evidence(session, tenant_id, finding)
        return _open_incident(session, tenant_id, finding)
    if finding.change is Change.UNCHANGED:
        return incident_ids(session, tenant_id, [draft.anomaly_id])[draft.anomaly_id]
    ended = finding.change is Change.CLOSED and driver.close_anomaly(session, tenant_id, draft.anomaly_id, now=now)
    driver.update_anomaly(session, tenant_id, draft.anomaly_id, values)
    _write_evidence(session, tenant_id, finding)
    incident_id = _follow(session, tenant_id, finding, now=now)
    if ended:  # by this run: another may have closed it meanwhile, and told
        _tell_end(session, tenant_id, draft.anomaly_id, step_start(draft.end, draft.grain), now=now)
    return incident_id


def _columns(finding: Finding, now: datetime) -> dict[str, Any]:
    draft = finding.draft
    return {
        "kind": draft.kind.value,
        "dimension": draft.primary.dimension.value,
        "value": draft.primary.value,
        "currency": draft.primary.currency,
        "start_at": step_start(draft.start, draft.grain),
        "end_at": step_start(draft.end, draft.grain),
        "is_open": draft.is_open,
        "grain": draft.grain.value,
        "direction": draft.direction,
        "actual_quanta": draft.actual,
        "expected_quanta": draft.expected,
        "low_quanta": draft.low,
        "high_quanta": draft.high,
        "stake_quanta": draft.stakes,
        "score": draft.score,
        "severity": finding.severity.value,
        "team": finding.team,
        "owner": finding.owner,
        "description": finding.description,
        "explanation": [
            {"dimension": c.key.dimension.value, "value": c.key.value, "share": round(c.share, 4)}
            for c in draft.carriers
        ],
        "suppressed_reason": finding.suppressed_reason.value if finding.suppressed_reason else None,
        "updated_at": now,
    }


def _write_evidence(session: Session, tenant_id: str, finding: Finding) -> None:
    stakes = {SeriesName(e.key.dimension.value, e.key.value): abs(e.excess) for e in finding.draft.evidence}
    driver.set_evidence(session, tenant_id, finding.draft.anomaly_id, stakes)


def _open_incident(session: Session, tenant_id: str, finding: Finding) -> str:
    draft = finding.draft
    return create_incident_from_cost_anomaly_sync(
        session,
        tenant_id,
        draft.anomaly_id,
        draft.kind.value,
        finding.severity.value,
        max(to_cents(draft.actual, draft.primary.currency), 0),
        max(to_cents(draft.expected, draft.primary.currency), 0),
        draft.primary.dimension.value,
        draft.primary.value[:255],
        finding.description,
    )


def _follow(session: Session, tenant_id: str, finding: Finding, *, now: datetime) -> str:
    """Bring the incident up to what its anomaly has become; tell again only what is worse or newly notable."""
    incident_id = _open_incident(session, tenant_id, finding)
    before = find_incident(session, tenant_id, incident_id)
    if before is None:  # the contract has just returned it
        raise LookupError(incident_id)
    draft = finding.draft
    currency = draft.primary.currency
    set_extent(
        session, tenant_id, incident_id,
        anomaly_type=draft.kind.value, severity=_graver(before.severity, finding.severity),
        current_value_cents=max(to_cents(draft.actual, currency), 0),
        expected_value_cents=max(to_cents(draft.expected, currency), 0),
        description=finding.description, now=now,
    )  # fmt: skip
    _tell(session, tenant_id, before, finding, now=now)
    return incident_id


def _tell(session: Session, tenant_id: str, before: Incident, finding: Finding, *, now: datetime) -> None:
    payload = {"title": before.title, "description": finding.description, "severity": finding.severity.value}
    if before.status is IncidentStatus.SUPPRESSED and finding.suppressed_reason is None:
        set_status(session, tenant_id, before.id, IncidentStatus.OPEN, now=now)
        add_event(session, tenant_id, before.id, kind="opened", actor=_ACTOR, detail=payload, now=now)
        kind = "incident.opened"
    elif before.status in {IncidentStatus.OPEN, IncidentStatus.ACKNOWLEDGED} and _is_graver(finding.severity, before):
        kind = "incident.escalated"
    else:
        return
    queue_notice(
        session, tenant_id, kind=kind, subject_id=before.id, severity=finding.severity, payload=payload, now=now
    )  # fmt: skip


def _is_graver(severity: Severity, before: Incident) -> bool:
    return _ORDER.index(severity) < _ORDER.index(before.severity)


def _graver(one: Severity, other: Severity) -> Severity:
    return min(one, other, key=_ORDER.index)


def _merge(session: Session, tenant_id: str, surviving: str, merged: str, *, now: datetime) -> None:
    if not driver.merge_anomaly(session, tenant_id, merged, surviving, now=now):
        return  # another run did so meanwhile, and told
    ids = incident_ids(session, tenant_id, [surviving, merged])
    merge_incident(session, tenant_id, ids[merged], ids[surviving], now=now)
    detail = {"anomaly_id": merged, "incident_id": ids[merged]}
    add_event(session, tenant_id, ids[surviving], kind="merged", actor=_ACTOR, detail=detail, now=now)


def _close(session: Session, tenant_id: str, anomaly_id: str, end_at: datetime, *, now: datetime) -> None:
    if driver.close_anomaly(session, tenant_id, anomaly_id, now=now):
        _tell_end(session, tenant_id, anomaly_id, end_at, now=now)


def _tell_end(session: Session, tenant_id: str, anomaly_id: str, end_at: datetime, *, now: datetime) -> None:
    incident_id = incident_ids(session, tenant_id, [anomaly_id])[anomaly_id]
    detail = {"anomaly_id": anomaly_id, "end_at": end_at.isoformat()}
    add_event(session, tenant_id, incident_id, kind="anomaly_ended", actor=_ACTOR, detail=detail, now=now)
