"""Read incidents in bulk, for those who tell of them."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from comptroller.models.killswitch import Incident

_ROWS: Any = Incident.__table__


def incident_rows(session: Session, tenant: str, ids: Collection[str]) -> dict[str, Row[Any]]:
    """Return incidents by id."""
    found = select(_ROWS).where(_ROWS.c.tenant_id == tenant, _ROWS.c.id.in_(list(ids)))
    return {row.id: row for row in session.execute(found)} if ids else {}
