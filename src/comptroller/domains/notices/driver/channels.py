"""Read and write channels."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.orm import Session

from comptroller.domains.notices.engine.routing import rules_as_json, rules_of_json
from comptroller.enums import ChannelKind, DeliveryState
from comptroller.models.notices import Channel as ChannelRow
from comptroller.models.notices import Delivery
from comptroller.types.notices import Channel, ChannelRules

_CHANNELS = ChannelRow.__table__


def insert_channel(session: Session, tenant: str, channel: Channel, sealed: str) -> None:
    """Store a new channel; its name must be free."""
    values = {
        "id": channel.id, "name": channel.name, "kind": channel.kind.value, "target_sealed": sealed,
        "target_shown": channel.target, "rules": rules_as_json(channel.rules), "allows_private": channel.allows_private,
        "created_at": channel.created_at, "created_by": channel.created_by,
    }  # fmt: skip
    session.execute(insert(ChannelRow).values(tenant_id=tenant, **values))


def remove_channel(session: Session, tenant: str, channel_id: str, now: datetime) -> None:
    """Take a channel out of use; what waits for it is dropped."""
    key = (_CHANNELS.c.tenant_id == tenant) & (_CHANNELS.c.id == channel_id)
    session.execute(update(ChannelRow).where(key).values(removed_at=now, target_sealed=""))
    waiting = (Delivery.tenant_id == tenant) & (Delivery.channel_id == channel_id)
    session.execute(
        update(Delivery)
        .where(waiting, Delivery.state == DeliveryState.WAITING.value)
        .values(state=DeliveryState.DEAD.value, last_error="the channel was removed", claimed_by=None)
    )


def list_channels(session: Session, tenant: str) -> list[Channel]:
    """Return the channels in use, by name."""
    found = select(_CHANNELS).where(_CHANNELS.c.tenant_id == tenant, _CHANNELS.c.removed_at.is_(None))
    return [as_channel(row) for row in session.execute(found.order_by(_CHANNELS.c.name))]


def sealed_targets(session: Session, tenant: str, channel_ids: Sequence[str]) -> dict[str, str]:
    """Return the sealed targets of channels, for sending only."""
    found = select(_CHANNELS.c.id, _CHANNELS.c.target_sealed).where(
        _CHANNELS.c.tenant_id == tenant, _CHANNELS.c.id.in_(list(channel_ids)), _CHANNELS.c.removed_at.is_(None)
    )
    return {row.id: row.target_sealed for row in session.execute(found)}


def standing(session: Session, tenant: str, channel_id: str) -> tuple[int, int, datetime | None]:
    """Return how many deliveries wait, how many are dead, and when one was last sent; counts stop at 10,000."""
    waiting, dead = (
        _count(session, tenant, channel_id, state) for state in (DeliveryState.WAITING, DeliveryState.DEAD)
    )
    last = select(func.max(Delivery.sent_at)).where(
        Delivery.tenant_id == tenant, Delivery.channel_id == channel_id, Delivery.sent_at.is_not(None)
    )
    return waiting, dead, session.execute(last).scalar()


def _count(session: Session, tenant: str, channel_id: str, state: DeliveryState) -> int:
    some = (
        select(Delivery.id)
        .where(Delivery.tenant_id == tenant, Delivery.channel_id == channel_id, Delivery.state == state.value)
        .limit(10_000)
    )
    return session.execute(select(func.count()).select_from(some.subquery())).scalar_one()


def as_channel(row: Row[Any]) -> Channel:
    """Return a row as callers get it."""
    rules: ChannelRules = rules_of_json(row.rules)
    return Channel(
        id=row.id, name=row.name, kind=ChannelKind(row.kind), target=row.target_shown, rules=rules,
        allows_private=row.allows_private, created_at=row.created_at, created_by=row.created_by,
    )  # fmt: skip
