"""Change incidents: each change is a timeline event, never lost, told once."""

import hashlib
import json
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from comptroller.enums import IncidentStatus, Severity
from comptroller.ids import uuid7
from comptroller.models.killswitch import Incident, IncidentEvent
from comptroller.models.outbox import OutboxNotice

_STAMPS: Final = {IncidentStatus.ACKNOWLEDGED: "acknowledged_at", IncidentStatus.RESOLVED: "resolved_at"}


def add_event(
    session: Session, tenant_id: str, incident_id: str, *, kind: str, actor: str, detail: dict[str, Any], now: datetime
) -> None:
    """Write one timeline event."""
    values = {"incident_id": incident_id, "kind": kind, "actor": actor, "at": now, "detail": detail}
    session.execute(insert(IncidentEvent).values(tenant_id=tenant_id, id=uuid7(), **values))


def set_status(session: Session, tenant_id: str, incident_id: str, status: IncidentStatus, *, now: datetime) -> None:
    """Set where an incident stands."""
    values: dict[str, Any] = {"status": status.value, "updated_at": now}
    if status in _STAMPS:
        values[_STAMPS[status]] = now
    if status is IncidentStatus.OPEN:
        values |= {"suppressed_reason": None, "resolved_at": None, "acknowledged_at": None}
    session.execute(
        update(Incident).where(Incident.tenant_id == tenant_id, Incident.id == incident_id).values(**values)
    )


def set_extent(
    session: Session,
    tenant_id: str,
    incident_id: str,
    *,
    anomaly_type: str,
    severity: Severity,
    current_value_cents: int,
    expected_value_cents: int,
    description: str,
    now: datetime,
) -> None:
    """Bring an incident up to what its anomaly has become; the timeline event says what it was told."""
    said = {
        "anomaly_type": anomaly_type,
        "severity": severity.value,
        "current_value_cents": current_value_cents,
        "expected_value_cents": expected_value_cents,
        "description": description,
    }
    session.execute(
        update(Incident)
        .where(Incident.tenant_id == tenant_id, Incident.id == incident_id)
        .values(**said, updated_at=now)
    )


def merge_incident(session: Session, tenant_id: str, merged_id: str, surviving_id: str, *, now: datetime) -> None:
    """Fold one incident into another, which from now on answers for both anomalies."""
    session.execute(
        update(Incident)
        .where(Incident.tenant_id == tenant_id, (Incident.id == merged_id) | (Incident.merged_into == merged_id))
        .values(merged_into=surviving_id, status=IncidentStatus.MERGED.value, suppressed_reason=None, updated_at=now)
    )


def queue_notice(
    session: Session,
    tenant_id: str,
    *,
    kind: str,
    subject_id: str,
    severity: Severity,
    payload: dict[str, Any],
    now: datetime,
) -> None:
    """Write a notice to the outbox."""
    values = {"kind": kind, "subject_id": subject_id, "severity": severity.value, "payload": payload, "created_at": now}
    session.execute(insert(OutboxNotice).values(tenant_id=tenant_id, id=uuid7(), **values))


def content_hash(detail: dict[str, Any]) -> str:
    """Return the fingerprint by which the same content is told once."""
    return hashlib.sha256(json.dumps(detail, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
