"""Write a breach with its notice; the limit and the incident must exist for that tenant."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from comptroller.domains.policies.engine.breach import BUILTIN_LIMITS, BreachDraft
from comptroller.errors import NotFoundError
from comptroller.ids import uuid7
from comptroller.sql import Statement, bound, write_in_turn

# Existence rests on this SELECT, not on foreign keys: SQLite keeps those only where they are switched on.
_INSERT: Final = """INSERT INTO limit_breaches (tenant_id, id, limit_id, breach_type, value_at_breach, limit_value,
    run_id, incident_id, details, occurrences, recorded_at, last_at)
  SELECT l.tenant_id, :id, l.id, :breach_type, :value_at_breach, :limit_value, :run_id,
    CAST(:incident_id AS VARCHAR),
    CAST(:details AS JSONB), 1, :now, :now
  FROM limits AS l WHERE l.tenant_id = :tenant_id AND l.id = :limit_id
    AND (CAST(:incident_id AS VARCHAR) IS NULL OR EXISTS (
      SELECT 1 FROM incidents AS i WHERE i.tenant_id = l.tenant_id AND i.id = CAST(:incident_id AS VARCHAR)))"""
_OUTBOX: Final = "INSERT INTO outbox (tenant_id, id, kind, subject_id, severity, payload, created_at)"
_RECORD: Final = Statement(
    f"""WITH recorded AS ({_INSERT} RETURNING id), queued AS (
  {_OUTBOX} SELECT :tenant_id, :notice_id, 'limit.breached', :id, 'HIGH', CAST(:payload AS JSONB), :now FROM recorded
) SELECT id FROM recorded""",
    sqlite=_INSERT,
)
_QUEUE: Final = Statement(
    f"{_OUTBOX} VALUES (:tenant_id, :notice_id, 'limit.breached', :id, 'HIGH', CAST(:payload AS JSONB), :now)"
)
_STATEMENTS: Final = {"postgresql": (_RECORD,), "sqlite": (_RECORD, _QUEUE)}
_BUILTIN: Final = Statement(
    """INSERT INTO limits (tenant_id, id, name, unit, ceiling_quanta, every, timezone, scope, per, require, mode,
    warn_at, opens_incident, builtin, version, created_at, created_by)
  VALUES (:tenant_id, :limit_id, :limit_id, 'requests', 0, 'lifetime', 'UTC', CAST('{}' AS JSONB), CAST('[]' AS JSONB),
    CAST('[]' AS JSONB), 'block', CAST('[]' AS JSONB), false, true, 1, :now, 'system') ON CONFLICT DO NOTHING"""
)
_LIMIT_IS_THERE: Final = Statement("SELECT 1 FROM limits WHERE tenant_id = :tenant_id AND id = :limit_id")


def record_breach(conn: Connection, draft: BreachDraft, *, now: datetime) -> str:
    """Return the new breach's id.

    Raises:
        NotFoundError: If the limit, or the incident that is named, does not exist for the tenant.
    """
    parameters = bound(conn, _parameters(draft, now))
    if draft.limit_id in BUILTIN_LIMITS:
        _BUILTIN.execute_bound(conn, parameters)
    if not write_in_turn(conn, _STATEMENTS[conn.dialect.name], parameters):
        raise _missing(conn, draft)
    return str(parameters["id"])


def _parameters(draft: BreachDraft, now: datetime) -> dict[str, Any]:
    return {
        "tenant_id": draft.tenant_id,
        "id": uuid7(),
        "notice_id": uuid7(),
        "limit_id": draft.limit_id,
        "breach_type": draft.breach_type.value,
        "value_at_breach": draft.value_at_breach,
        "limit_value": draft.limit_value,
        "run_id": draft.run_id,
        "incident_id": draft.incident_id,
        "details": draft.details,
        "payload": draft.payload,
        "now": now,
    }


def _missing(conn: Connection, draft: BreachDraft) -> NotFoundError:
    key = {"tenant_id": draft.tenant_id, "limit_id": draft.limit_id}
    if _LIMIT_IS_THERE.execute(conn, key).first() is None:
        return NotFoundError(f"limit {draft.limit_id!r} does not exist for this tenant: create it first")
    return NotFoundError(f"incident {draft.incident_id!r} does not exist for this tenant")
