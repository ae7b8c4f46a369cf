"""Use cases of the audit: who changed what."""

from typing import Final

from sqlalchemy.orm import Session

from comptroller.domains.audit.reading import list_entries
from comptroller.errors import InvalidInputError
from comptroller.spine.orchestrator.operation import reading
from comptroller.types.audit import AuditEntry
from comptroller.types.caller import Caller

PAGE_MAX: Final = 1000


@reading
def list_audit(
    session: Session,
    caller: Caller,
    *,
    object_type: str | None = None,
    object_id: str | None = None,
    before: str | None = None,
    count: int = 100,
) -> list[AuditEntry]:
    """Return audit entries, the newest first, at most 1,000 at once; ``before`` is the id of the last one seen.

    Args:
        session: The transaction.
        caller: Whose audit.
        object_type: Only of this kind of object, such as ``limit``.
        object_id: Only of this one; needs ``object_type``.
        before: Where the next page begins.
        count: At most so many.
    """
    if not 0 < count <= PAGE_MAX:
        raise InvalidInputError(f"count must be between 1 and {PAGE_MAX}: {count}")
    if object_id is not None and object_type is None:
        raise InvalidInputError("object_id needs object_type")
    return list_entries(
        session, caller.tenant, object_type=object_type, object_id=object_id, before=before, limit=count
    )
