"""Write an incident with its first timeline event and its notice; PostgreSQL in one statement, SQLite in three."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row

from comptroller.domains.incidents.engine.draft import IncidentDraft
from comptroller.ids import uuid7
from comptroller.sql import Statement, bound, write_in_turn

_COLUMNS: Final = (
    "tenant_id, id, source_type, anomaly_id, anomaly_type, severity, status, suppressed_reason, title, description, "
    "current_value_cents, expected_value_cents, currency, entity_type, entity_id, opened_at, updated_at"
)
# The anomaly's own row, where the tenant has one, says whether it is suppressed and which currency it is in.
_INSERT: Final = f"""INSERT INTO incidents ({_COLUMNS})
  SELECT :tenant_id, :id, 'cost_anomaly', :anomaly_id, :anomaly_type, :severity,
    CASE WHEN a.suppressed_reason IS NULL THEN 'open' ELSE 'suppressed' END, a.suppressed_reason, :title, :description,
    :current_value_cents, :expected_value_cents, COALESCE(a.currency, 'USD'), :entity_type, :entity_id, :now, :now
  FROM (SELECT 1) AS one LEFT JOIN anomalies AS a ON a.tenant_id = :tenant_id AND a.id = :anomaly_id
  WHERE true ON CONFLICT (tenant_id, anomaly_id) DO NOTHING"""
_EVENT_COLUMNS: Final = "tenant_id, id, incident_id, kind, actor, at, detail, content_hash"
_OUTBOX_COLUMNS: Final = "tenant_id, id, kind, subject_id, severity, payload, created_at"

_OPEN: Final = Statement(
    f"""WITH opened AS ({_INSERT} RETURNING status), told AS (
  INSERT INTO incident_events ({_EVENT_COLUMNS})
  SELECT :tenant_id, :event_id, :id, 'opened', 'system', :now, CAST(:detail AS JSONB), :content_hash FROM opened
), queued AS (
  INSERT INTO outbox ({_OUTBOX_COLUMNS})
  SELECT :tenant_id, :notice_id, 'incident.opened', :id, :severity, CAST(:detail AS JSONB), :now
  FROM opened WHERE status = 'open'
) SELECT status FROM opened""",
    sqlite=_INSERT,
)
_TELL: Final = Statement(
    f"INSERT INTO incident_events ({_EVENT_COLUMNS}) "
    "VALUES (:tenant_id, :event_id, :id, 'opened', 'system', :now, CAST(:detail AS JSONB), :content_hash)"
)
_QUEUE: Final = Statement(
    f"INSERT INTO outbox ({_OUTBOX_COLUMNS}) "
    "SELECT :tenant_id, :notice_id, 'incident.opened', :id, :severity, CAST(:detail AS JSONB), :now "
    "FROM incidents WHERE tenant_id = :tenant_id AND id = :id AND status = 'open'"
)
_STATEMENTS: Final = {"postgresql": (_OPEN,), "sqlite": (_OPEN, _TELL, _QUEUE)}
_KNOWN: Final = Statement(
    "SELECT id, merged_into FROM incidents WHERE tenant_id = :tenant_id AND anomaly_id = :anomaly_id"
)
_SURVIVOR: Final = Statement("SELECT id, merged_into FROM incidents WHERE tenant_id = :tenant_id AND id = :id")
_MERGES_MAX: Final = 32  # a longer chain is a circle
_REPEAT: Final = Statement(
    f"INSERT INTO incident_events ({_EVENT_COLUMNS}) "
    "VALUES (:tenant_id, :event_id, :incident_id, 'repeated', 'system', :now, CAST(:detail AS JSONB), :content_hash) "
    "ON CONFLICT (tenant_id, incident_id, content_hash) DO NOTHING"
)


def open_incident(conn: Connection, draft: IncidentDraft, *, now: datetime) -> tuple[str, bool]:
    """Return the id of the anomaly's incident, and whether it was opened just now.

    A repeat with other content adds one timeline event; with the same content it changes nothing.
    """
    parameters = bound(conn, _parameters(draft, now))
    if write_in_turn(conn, _STATEMENTS[conn.dialect.name], parameters):
        return str(parameters["id"]), True
    return _repeat(conn, parameters), False


def _parameters(draft: IncidentDraft, now: datetime) -> dict[str, Any]:
    return {
        "tenant_id": draft.tenant_id,
        "id": uuid7(),
        "event_id": uuid7(),
        "notice_id": uuid7(),
        "anomaly_id": draft.anomaly_id,
        "anomaly_type": draft.anomaly_type,
        "severity": draft.severity.value,
        "title": draft.title,
        "description": draft.description,
        "current_value_cents": draft.current_value_cents,
        "expected_value_cents": draft.expected_value_cents,
        "entity_type": draft.entity_type,
        "entity_id": draft.entity_id,
        "detail": draft.detail,
        "content_hash": draft.content_hash,
        "now": now,
    }


def _repeat(conn: Connection, parameters: Mapping[str, Any]) -> str:
    known = _KNOWN.execute_bound(conn, parameters).first()
    if known is None:  # REPEATABLE READ: another transaction's row conflicts but is not visible
        raise RuntimeError("the anomaly's incident was opened by a transaction that this one cannot see; begin again")
    _REPEAT.execute_bound(conn, {**parameters, "incident_id": known.id})
    return _survivor(conn, parameters["tenant_id"], known)


def _survivor(conn: Connection, tenant_id: str, incident: Row[Any]) -> str:
    """Return the id of the incident into which the given one was merged at last; its own, if it never was."""
    for _ in range(_MERGES_MAX):
        if incident.merged_into is None:
            return str(incident.id)
        incident = _SURVIVOR.execute(conn, {"tenant_id": tenant_id, "id": incident.merged_into}).one()
    raise RuntimeError(f"incident {incident.id} is merged in a circle: set merged_into of one of them to NULL")
