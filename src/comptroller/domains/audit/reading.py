"""Read the audit."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from comptroller.models.audit import AuditEntry as Row
from comptroller.types.audit import AuditEntry


def list_entries(
    session: Session,
    tenant_id: str,
    *,
    object_type: str | None,
    object_id: str | None,
    before: str | None,
    limit: int,
) -> list[AuditEntry]:
    """Return entries, the newest first; of one kind of object, or of one object."""
    query = select(Row).where(Row.tenant_id == tenant_id)
    if object_type is not None:
        query = query.where(Row.object_type == object_type)
    if object_id is not None:
        query = query.where(Row.object_id == object_id)
    if before is not None:
        query = query.where(Row.id < before)
    rows = session.scalars(query.order_by(Row.id.desc()).limit(limit))
    return [AuditEntry(r.id, r.at, r.actor, r.action, r.object_type, r.object_id, r.detail) for r in rows]
