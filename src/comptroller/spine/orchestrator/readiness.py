"""Whether the database can be used as it is."""

from sqlalchemy.orm import Session

from comptroller.database import require_head
from comptroller.spine.orchestrator.operation import reading
from comptroller.types.caller import Caller


@reading
def require_schema(session: Session, _caller: Caller) -> None:
    """Check that the schema is the one that this version needs; otherwise it raises SchemaBehindError."""
    require_head(session.connection())
