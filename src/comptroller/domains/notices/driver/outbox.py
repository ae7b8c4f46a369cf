"""Take rows out of the outbox, each once, and make deliveries of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Table, func, insert, select, union_all, update
from sqlalchemy.orm import Session

from comptroller.domains.notices.engine.telling import Source
from comptroller.enums import DeliveryState, Severity
from comptroller.models.notices import Delivery
from comptroller.models.outbox import OutboxNotice

_OUTBOX: Any = OutboxNotice.__table__
_DELIVERIES: Any = Delivery.__table__
TENANTS_MAX: Final = 10_000  # in one round; the next begins again


def tenants_of(session: Session, table: Table, *conditions: Any) -> list[str]:
    """Return the tenants that have rows under these conditions, by skips along an index that begins with the tenant."""
    first = select(func.min(table.c.tenant_id).label("tenant")).where(*conditions)
    steps = first.cte("tenants", recursive=True)
    following = select(func.min(table.c.tenant_id)).where(table.c.tenant_id > steps.c.tenant, *conditions)
    steps = steps.union_all(select(following.scalar_subquery()).where(steps.c.tenant.is_not(None)))
    found = select(steps.c.tenant).where(steps.c.tenant.is_not(None)).limit(TENANTS_MAX)
    return [row.tenant for row in session.execute(found)]


def tenants_with_notices(session: Session) -> list[str]:
    """Return the tenants that have notices in the outbox."""
    return tenants_of(session, _OUTBOX, _OUTBOX.c.dispatched_at.is_(None))


def tenants_with_deliveries(session: Session) -> list[str]:
    """Return the tenants that have deliveries waiting."""
    return tenants_of(session, _DELIVERIES, _DELIVERIES.c.state == DeliveryState.WAITING.value)


def take_notices(session: Session, tenant: str, *, count: int, now: datetime) -> list[Source]:
    """Mark notices dispatched and return them, the oldest first; rows that another worker has locked are left to it."""
    rows = list(
        session.execute(
            select(_OUTBOX)
            .where(_OUTBOX.c.tenant_id == tenant, _OUTBOX.c.dispatched_at.is_(None))
            .order_by(_OUTBOX.c.id)
            .limit(count)
            .with_for_update(skip_locked=True)
        )
    )
    if rows:
        ids = [row.id for row in rows]
        key = (_OUTBOX.c.tenant_id == tenant) & _OUTBOX.c.id.in_(ids)
        session.execute(update(OutboxNotice).where(key).values(dispatched_at=now))
    return [
        Source(row.id, tenant, row.kind, row.subject_id, Severity(row.severity), row.payload, row.created_at)
        for row in rows
    ]


def insert_deliveries(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Store deliveries that wait."""
    if rows:
        session.execute(insert(Delivery), rows)


def oldest_waiting(session: Session, tenant: str) -> datetime | None:
    """Return since when the oldest notice waits that has not left: in the outbox, or as a delivery that was tried."""
    queued = select(_OUTBOX.c.created_at).where(_OUTBOX.c.tenant_id == tenant, _OUTBOX.c.dispatched_at.is_(None))
    tried = select(_DELIVERIES.c.created_at).where(
        _DELIVERIES.c.tenant_id == tenant, _DELIVERIES.c.state == DeliveryState.WAITING.value
    )
    one = queued.order_by(_OUTBOX.c.id).limit(1).subquery()
    other = tried.order_by(_DELIVERIES.c.due_at).limit(1).subquery()
    both = union_all(select(one), select(other)).subquery()
    return session.execute(select(func.min(both.c.created_at))).scalar()


def analyze_if_new(session: Session) -> bool:
    """Have PostgreSQL look at tables that it has never looked at; tells whether it did.

    Until then it believes that a tenant has a handful of deliveries, and reads all of them to change two hundred.
    """
    conn = session.connection()
    if conn.dialect.name != "postgresql":
        return False
    never = "SELECT relname FROM pg_class WHERE oid = to_regclass(%(name)s) AND reltuples < 0"
    new = [name for name in ("outbox", "deliveries") if conn.exec_driver_sql(never, {"name": name}).first()]
    for name in new:
        conn.exec_driver_sql(f"ANALYZE {name}")
    return bool(new)
