"""Read incidents in bulk, for those who tell of them."""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from comptroller.enums import IncidentStatus
from comptroller.models.killswitch import Incident

_ROWS: Any = Incident.__table__
COUNT_MAX: Final = 10_000


def incident_rows(session: Session, tenant: str, ids: Collection[str]) -> dict[str, Row[Any]]:
    """Return incidents by id."""
    found = select(_ROWS).where(_ROWS.c.tenant_id == tenant, _ROWS.c.id.in_(list(ids)))
    return {row.id: row for row in session.execute(found)} if ids else {}


def open_counts(session: Session, tenant: str) -> dict[str, int]:
    """Return how many incidents are open or acknowledged, by severity; the count stops at 10,000."""
    some = (
        select(_ROWS.c.severity)
        .where(
            _ROWS.c.tenant_id == tenant,
            _ROWS.c.status.in_((IncidentStatus.OPEN.value, IncidentStatus.ACKNOWLEDGED.value)),
        )
        .limit(COUNT_MAX)
        .subquery()
    )
    return {row.severity: row.n for row in session.execute(
        select(some.c.severity, func.count().label("n")).group_by(some.c.severity)
    )}  # fmt: skip
