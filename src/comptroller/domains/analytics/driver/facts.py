"""Read anomalies in bulk, for those who tell of them."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from comptroller.models.anomalies import Anomaly
from comptroller.models.costs import CostDelivery

_ROWS: Any = Anomaly.__table__


def anomaly_rows(session: Session, tenant: str, ids: Collection[str]) -> dict[str, Row[Any]]:
    """Return anomalies by id."""
    found = select(_ROWS).where(_ROWS.c.tenant_id == tenant, _ROWS.c.id.in_(list(ids)))
    return {row.id: row for row in session.execute(found)} if ids else {}


def newest_delivery(session: Session, tenant: str) -> datetime | None:
    """Return when costs were delivered last."""
    found = select(CostDelivery.delivered_at).where(CostDelivery.tenant_id == tenant)
    return session.execute(found.order_by(CostDelivery.id.desc()).limit(1)).scalar()
