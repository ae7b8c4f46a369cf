"""Read anomalies in bulk, for those who tell of them."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from comptroller.models.anomalies import Anomaly
from comptroller.models.costs import CostDelivery

_ROWS: Any = Anomaly.__table__


def anomaly_rows(session: Session, tenant: str, ids: Collection[str]) -> dict[str, Row[Any]]:
    """Return anomalies by id."""
    found = select(_ROWS).where(_ROWS.c.tenant_id == tenant, _ROWS.c.id.in_(list(ids)))
    return {row.id: row for row in session.execute(found)} if ids else {}


def deliveries_seen(session: Session, tenant: str) -> str:
    """Return a word that changes with every delivery of costs, in whatever order they are committed."""
    found = select(func.count(), func.max(CostDelivery.id)).where(CostDelivery.tenant_id == tenant)
    count, newest = session.execute(found).one()
    return f"{count} {newest or ''}".strip()[:64]
