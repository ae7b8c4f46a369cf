"""Read incidents and their timeline."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from comptroller.enums import IncidentStatus, Severity, SuppressedReason
from comptroller.models.killswitch import Incident as Row
from comptroller.models.killswitch import IncidentEvent
from comptroller.types.incidents import Incident, TimelineEvent

PAGE_MAX: Final = 1000  # a list is read by people or page by page


def list_incidents(
    session: Session,
    tenant_id: str,
    *,
    status: IncidentStatus | None,
    severity: Severity | None,
    limit: int,
    before: tuple[datetime, str] | None = None,
) -> list[Incident]:
    """Return incidents, the newest first, from before a place in that order."""
    query = select(Row).where(Row.tenant_id == tenant_id)
    if status is not None:
        query = query.where(Row.status == status.value)
    if severity is not None:
        query = query.where(Row.severity == severity.value)
    if before is not None:
        at, row_id = before
        query = query.where(Row.opened_at <= at, (Row.opened_at < at) | (Row.id < row_id))
    rows = session.scalars(query.order_by(Row.opened_at.desc(), Row.id.desc()).limit(min(limit, PAGE_MAX)))
    return [_view(row) for row in rows]


def find_incident(session: Session, tenant_id: str, incident_id: str, *, lock: bool = False) -> Incident | None:
    """Return one incident with its timeline, or None; ``lock`` keeps its row for a change."""
    query = select(Row).where(Row.tenant_id == tenant_id, Row.id == incident_id)
    row = session.scalars(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else _view(row, _timeline(session, tenant_id, incident_id))


def incident_ids(session: Session, tenant_id: str, anomaly_ids: Sequence[str]) -> dict[str, str]:
    """Return the incident that answers for each anomaly: anomaly id to incident id."""
    answer = func.coalesce(Row.merged_into, Row.id)
    rows = session.execute(
        select(Row.anomaly_id, answer).where(Row.tenant_id == tenant_id, Row.anomaly_id.in_(anomaly_ids))
    )
    return {str(anomaly_id): incident_id for anomaly_id, incident_id in rows}


def _timeline(session: Session, tenant_id: str, incident_id: str) -> tuple[TimelineEvent, ...]:
    rows = session.scalars(
        select(IncidentEvent)
        .where(IncidentEvent.tenant_id == tenant_id, IncidentEvent.incident_id == incident_id)
        .order_by(IncidentEvent.id)
    )
    return tuple(TimelineEvent(row.id, row.kind, row.actor, row.at, row.detail) for row in rows)


def _view(row: Row, timeline: tuple[TimelineEvent, ...] = ()) -> Incident:
    return Incident(
        id=row.id,
        anomaly_id=row.anomaly_id,
        anomaly_type=row.anomaly_type,
        severity=Severity(row.severity),
        status=IncidentStatus(row.status),
        suppressed_reason=SuppressedReason(row.suppressed_reason) if row.suppressed_reason else None,
        title=row.title,
        description=row.description,
        current_value_cents=row.current_value_cents,
        expected_value_cents=row.expected_value_cents,
        currency=row.currency,
        entity_type=row.entity_type,
        entity_id=row.entity_id,
        merged_into=row.merged_into,
        opened_at=row.opened_at,
        updated_at=row.updated_at,
        acknowledged_at=row.acknowledged_at,
        resolved_at=row.resolved_at,
        timeline=timeline,
    )
