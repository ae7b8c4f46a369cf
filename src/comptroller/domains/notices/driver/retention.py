"""Remove what is old, in bounded batches: told notices and the deliveries they became."""

from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from comptroller.enums import DeliveryState
from comptroller.models.notices import Delivery
from comptroller.models.outbox import OutboxNotice

BATCH: Final = 1000
_DONE: Final = (DeliveryState.SENT.value, DeliveryState.JOINED.value, DeliveryState.DEAD.value)


def remove_before(session: Session, tenant: str, first_kept: str) -> int:
    """Remove a batch of what was told before an id (ids are time-ordered), and return how many rows went."""
    deliveries: Any = Delivery.__table__
    outbox: Any = OutboxNotice.__table__
    old = select(deliveries.c.id).where(
        deliveries.c.tenant_id == tenant, deliveries.c.id < first_kept, deliveries.c.state.in_(_DONE)
    )
    told = select(outbox.c.id).where(
        outbox.c.tenant_id == tenant, outbox.c.id < first_kept, outbox.c.dispatched_at.is_not(None)
    )
    removed = 0
    for table, rows in ((Delivery, old), (OutboxNotice, told)):
        ids = list(session.scalars(rows.order_by("id").limit(BATCH)))
        key: Any = table.__table__
        session.execute(delete(table).where(key.c.tenant_id == tenant, key.c.id.in_(ids)))
        removed += len(ids)
    return removed
