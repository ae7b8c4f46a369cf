"""Write who changed what; an entry is written in the transaction of the change and never altered."""

from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from comptroller.ids import uuid7
from comptroller.models.audit import AuditEntry
from comptroller.types.caller import Caller


def write_entry(
    session: Session,
    caller: Caller,
    *,
    action: str,
    object_type: str,
    object_id: str,
    detail: dict[str, Any],
    now: datetime,
) -> None:
    """Write one audit entry.

    Args:
        session: The transaction of the change itself.
        caller: Whose tenant, and who acted.
        action: What was done, such as ``limit.created``.
        object_type: To what kind of thing.
        object_id: To which one.
        detail: JSON: what changed and why; no secrets.
        now: When.
    """
    values = {"action": action, "object_type": object_type, "object_id": object_id, "detail": detail, "at": now}
    session.execute(insert(AuditEntry).values(tenant_id=caller.tenant, id=uuid7(), actor=caller.actor, **values))
