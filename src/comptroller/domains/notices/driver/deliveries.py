"""Claim deliveries, write down how their sending went, tell again what nobody acknowledged."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, exists, func, select, update
from sqlalchemy.orm import Session

from comptroller.enums import DeliveryState, Severity
from comptroller.models.notices import Channel, Delivery
from comptroller.types.notices import Message

_ROWS: Any = Delivery.__table__
_CHANNEL: Any = Channel.__table__
_WAITING: Final = DeliveryState.WAITING.value
ERROR_MAX: Final = 500


def channels_with_due(session: Session, tenant: str, channel_ids: Sequence[str], now: datetime) -> list[str]:
    """Return the channels for which something is due, of those that are given."""
    due = exists().where(
        _ROWS.c.tenant_id == tenant,
        _ROWS.c.channel_id == _CHANNEL.c.id,
        _ROWS.c.state == _WAITING,
        _ROWS.c.due_at <= now,
    )
    found = select(_CHANNEL.c.id).where(_CHANNEL.c.tenant_id == tenant, _CHANNEL.c.id.in_(list(channel_ids)), due)
    return [row.id for row in session.execute(found)]


def claim(
    session: Session, tenant: str, channel_id: str, *, count: int, token: str, until: datetime, now: datetime
) -> list[Row[Any]]:
    """Claim deliveries that are due, in order; one whose subject has an earlier one waiting is left.

    A claimed delivery is due again at ``until``, so that another worker takes it up if this one dies.
    """
    earlier = _ROWS.alias("earlier")
    # A scalar, not EXISTS: that would be joined to the whole queue where the table has no statistics yet.
    first = (
        select(func.min(earlier.c.id))
        .where(
            earlier.c.tenant_id == tenant,
            earlier.c.channel_id == channel_id,
            earlier.c.subject_id == _ROWS.c.subject_id,
            earlier.c.state == _WAITING,
        )
        .correlate(_ROWS)
        .scalar_subquery()
    )
    chosen = (
        select(_ROWS.c.id)
        .where(
            _ROWS.c.tenant_id == tenant,
            _ROWS.c.channel_id == channel_id,
            _ROWS.c.state == _WAITING,
            _ROWS.c.due_at <= now,
            _ROWS.c.id == first,
        )
        .order_by(_ROWS.c.due_at, _ROWS.c.id)
        .limit(count)
        .with_for_update(skip_locked=True, of=_ROWS)
    )
    ids = [row.id for row in session.execute(chosen)]
    if not ids:
        return []
    key = (_ROWS.c.tenant_id == tenant) & _ROWS.c.id.in_(ids)
    values = {"due_at": until, "claimed_by": token, "attempts": _ROWS.c.attempts + 1}
    rows = session.execute(update(Delivery).where(key).values(**values).returning(*_ROWS.c))
    return sorted(rows, key=lambda row: str(row.id))


def join(session: Session, tenant: str, message_id: str, delivery_ids: Sequence[str]) -> None:
    """Have deliveries told in the message of another."""
    key = (_ROWS.c.tenant_id == tenant) & _ROWS.c.id.in_(list(delivery_ids))
    values = {"state": DeliveryState.JOINED.value, "message_id": message_id, "claimed_by": None}
    session.execute(update(Delivery).where(key).values(**values))


def joined_bodies(session: Session, tenant: str, message_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Return the bodies of the deliveries that are told in these messages."""
    found = select(_ROWS.c.message_id, _ROWS.c.body).where(
        _ROWS.c.tenant_id == tenant, _ROWS.c.message_id.in_(list(message_ids))
    )
    bodies: dict[str, list[dict[str, Any]]] = {}
    for row in session.execute(found.order_by(_ROWS.c.id)):
        bodies.setdefault(row.message_id, []).append(row.body)
    return bodies


def as_message(tenant: str, row: Row[Any], joined: Sequence[dict[str, Any]]) -> Message:
    """Return a claimed delivery as it will be sent."""
    return Message(
        id=row.id,
        kind=row.kind,
        severity=Severity(row.severity),
        dedup_key=f"comptroller:{tenant}:{row.subject_id}"[:255],
        attempts=row.attempts,
        created_at=row.created_at,
        bodies=(row.body, *joined),
    )


def mark_sent(session: Session, tenant: str, token: str, ids: Sequence[str], now: datetime) -> int:
    """Write down what was taken by its receiver; what another worker has claimed since is left to it."""
    key = (_ROWS.c.tenant_id == tenant) & _ROWS.c.id.in_(list(ids)) & (_ROWS.c.claimed_by == token)
    values = {"state": DeliveryState.SENT.value, "sent_at": now, "claimed_by": None, "last_error": None}
    marked: list[str] = list(session.scalars(update(Delivery).where(key).values(**values).returning(_ROWS.c.id)))
    joined = (_ROWS.c.tenant_id == tenant) & _ROWS.c.message_id.in_(marked)
    session.execute(
        update(Delivery).where(joined).values(state=DeliveryState.SENT.value, sent_at=now)
    )  # fmt: skip
    return len(marked)


def set_repeats(session: Session, tenant: str, channel_id: str, ids: Sequence[str], at: datetime) -> None:
    """Have incidents that were told be told again at an instant, unless somebody acknowledges them."""
    key = (_ROWS.c.tenant_id == tenant) & (_ROWS.c.channel_id == channel_id)
    told = _ROWS.c.id.in_(list(ids)) | _ROWS.c.message_id.in_(list(ids))
    again = _ROWS.c.kind.in_(("incident.opened", "incident.escalated", "incident.reopened", "incident.reminder"))
    session.execute(update(Delivery).where(key, told, again).values(repeat_at=at))


def mark_failed(
    session: Session, tenant: str, token: str, delivery_id: str, *, error: str, due_at: datetime | None
) -> bool:
    """Write down a failure; without a next attempt the delivery is dead. False if another worker has it now."""
    key = (_ROWS.c.tenant_id == tenant) & (_ROWS.c.id == delivery_id) & (_ROWS.c.claimed_by == token)
    values: dict[str, Any] = {"last_error": error[:ERROR_MAX], "claimed_by": None}
    values |= {"state": DeliveryState.DEAD.value} if due_at is None else {"due_at": due_at}
    return session.execute(update(Delivery).where(key).values(**values).returning(_ROWS.c.id)).first() is not None


def give_back(session: Session, tenant: str, token: str, ids: Sequence[str], due_at: datetime) -> None:
    """Return claimed deliveries that were not tried."""
    key = (_ROWS.c.tenant_id == tenant) & _ROWS.c.id.in_(list(ids)) & (_ROWS.c.claimed_by == token)
    values = {"due_at": due_at, "claimed_by": None, "attempts": _ROWS.c.attempts - 1}
    session.execute(update(Delivery).where(key).values(**values))


def gathering_until(session: Session, tenant: str, channel_id: str, now: datetime) -> datetime | None:
    """Return when the message leaves that a channel gathers at present."""
    found = select(func.min(_ROWS.c.due_at)).where(
        _ROWS.c.tenant_id == tenant, _ROWS.c.channel_id == channel_id, _ROWS.c.state == _WAITING, _ROWS.c.due_at > now,
        _ROWS.c.attempts == 0,
    )  # fmt: skip
    return session.execute(found).scalar()


def take_repeats(session: Session, tenant: str, *, count: int, now: datetime) -> list[Row[Any]]:
    """Return the told deliveries whose repeat is due, and clear their mark."""
    due = (
        select(_ROWS)
        .where(_ROWS.c.tenant_id == tenant, _ROWS.c.repeat_at.is_not(None), _ROWS.c.repeat_at <= now)
        .order_by(_ROWS.c.repeat_at)
        .limit(count)
        .with_for_update(skip_locked=True)
    )
    rows = list(session.execute(due))
    if rows:
        key = (_ROWS.c.tenant_id == tenant) & _ROWS.c.id.in_([row.id for row in rows])
        session.execute(update(Delivery).where(key).values(repeat_at=None))
    return rows


def revive(session: Session, tenant: str, channel_id: str, now: datetime) -> int:
    """Have a channel's dead deliveries wait again, at most 1,000 at once, and return how many."""
    dead = (
        select(_ROWS.c.id)
        .where(
            _ROWS.c.tenant_id == tenant,
            _ROWS.c.channel_id == channel_id,
            _ROWS.c.state == DeliveryState.DEAD.value,
        )
        .limit(1000)
    )
    ids = list(session.scalars(dead))
    key = (_ROWS.c.tenant_id == tenant) & _ROWS.c.id.in_(ids)
    session.execute(update(Delivery).where(key).values(state=_WAITING, attempts=0, due_at=now))
    return len(ids)
