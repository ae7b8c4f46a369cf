"""Deliveries: which one is current for a (source, billing account, billing period), and what it covers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.orm import Session

from comptroller.models.costs import CostDelivery, DailyCost


@dataclass(frozen=True, slots=True)
class DeliveryKey:
    """What a delivery replaces."""

    source: str
    billing_account: str
    period_start: date


@dataclass(frozen=True, slots=True)
class CurrentPart:
    """One part of the current delivery of a key."""

    id: str
    part: int
    content_sha256: str


def current_parts(session: Session, tenant_id: str, key: DeliveryKey) -> list[CurrentPart]:
    """Return the parts of the key's current delivery, the first one first."""
    rows = session.execute(
        select(CostDelivery.id, CostDelivery.part, CostDelivery.content_sha256)
        .where(
            CostDelivery.tenant_id == tenant_id,
            CostDelivery.source == key.source,
            CostDelivery.billing_account == key.billing_account,
            CostDelivery.period_start == key.period_start,
            CostDelivery.superseded_at.is_(None),
        )
        .order_by(CostDelivery.part)
    )
    return [CurrentPart(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class KnownDelivery:
    """A delivery that was made of exactly this content."""

    source: str
    format: str
    billing_account: str
    period_start: date
    period_end: date
    row_count: int
    bad_count: int


def wholly_current(session: Session, tenant_id: str, content_sha256: str) -> list[KnownDelivery]:
    """Return the deliveries made of exactly this content if all of them are current, else nothing."""
    rows = session.execute(
        select(
            CostDelivery.superseded_at, CostDelivery.source, CostDelivery.format, CostDelivery.billing_account,
            CostDelivery.period_start, CostDelivery.period_end, CostDelivery.row_count, CostDelivery.bad_count,
        )
        .where(CostDelivery.tenant_id == tenant_id, CostDelivery.content_sha256 == content_sha256)
        .order_by(CostDelivery.billing_account, CostDelivery.period_start)
    ).all()  # fmt: skip
    return [] if any(row[0] is not None for row in rows) else [KnownDelivery(*row[1:]) for row in rows]


def coverage(session: Session, tenant_id: str, delivery_ids: Sequence[str]) -> set[tuple[date, str]]:
    """Return the (day, service) pairs that these deliveries have."""
    rows = session.execute(
        select(DailyCost.day, DailyCost.value)
        .where(
            DailyCost.tenant_id == tenant_id,
            DailyCost.delivery_id.in_(delivery_ids),
            DailyCost.dimension == "service",
        )
        .distinct()
    )
    return {(row.day, row.value) for row in rows}


def supersede(session: Session, tenant_id: str, delivery_ids: Sequence[str], *, now: datetime) -> None:
    """Mark deliveries as replaced; their rows stay readable."""
    session.execute(
        update(CostDelivery)
        .where(CostDelivery.tenant_id == tenant_id, CostDelivery.id.in_(delivery_ids))
        .values(superseded_at=now)
    )


def add_delivery(conn: Connection, values: dict[str, Any]) -> None:
    """Write the delivery itself; its rows follow."""
    conn.execute(insert(CostDelivery), [values])
