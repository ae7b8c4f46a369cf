"""Channels by which notices leave, and the deliveries made of the outbox's rows."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from comptroller.enums import ChannelKind, DeliveryState, Severity
from comptroller.models.mapping import Base, Id, Json, UtcDateTime, one_of

_IN_USE = text("removed_at IS NULL")
_WAITING = text("state = 'waiting'")
_REPEATS = text("repeat_at IS NOT NULL")
_JOINED = text("message_id IS NOT NULL")


class Channel(Base):
    """Where notices go, and which of them; its target is kept sealed and never shown."""

    __tablename__ = "channels"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(Id)
    kind: Mapped[str] = mapped_column(String(16))
    target_sealed: Mapped[str] = mapped_column(Text)
    # What a person may see of the target: scheme and host.
    target_shown: Mapped[str] = mapped_column(Text)
    rules: Mapped[dict[str, Any]] = mapped_column(Json)
    # Addresses of private networks may be sent to, and other ports than a public webhook's.
    allows_private: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(Id)
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index(
            "uq_channels_name", "tenant_id", "name", unique=True, postgresql_where=_IN_USE, sqlite_where=_IN_USE
        ),
        one_of("kind", ChannelKind),
    )  # fmt: skip


class Delivery(Base):
    """One notice for one channel; its id is the same on every repeat, so that a receiver can tell."""

    __tablename__ = "deliveries"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    channel_id: Mapped[str] = mapped_column(Id)
    notice_id: Mapped[str] = mapped_column(Id)
    kind: Mapped[str] = mapped_column(String(64))
    subject_id: Mapped[str] = mapped_column(Id)
    severity: Mapped[str] = mapped_column(String(16))
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    state: Mapped[str] = mapped_column(String(16))
    # Present where several notices are told in one message: the delivery that carries it.
    message_id: Mapped[str | None] = mapped_column(Id)
    attempts: Mapped[int] = mapped_column(Integer)
    # The next attempt; while it is being sent, when another worker may take it up.
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    claimed_by: Mapped[str | None] = mapped_column(Id)
    last_error: Mapped[str | None] = mapped_column(Text)
    # Present while its incident is to be told again unless somebody acknowledges it.
    repeat_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("tenant_id", "notice_id", "channel_id"),
        Index(
            "ix_deliveries_waiting", "tenant_id", "channel_id", "due_at", "id",
            postgresql_where=_WAITING, sqlite_where=_WAITING,
        ),
        Index(
            "ix_deliveries_subject", "tenant_id", "channel_id", "subject_id", "id",
            postgresql_where=_WAITING, sqlite_where=_WAITING,
        ),
        Index(
            "ix_deliveries_repeat", "tenant_id", "repeat_at", postgresql_where=_REPEATS, sqlite_where=_REPEATS
        ),
        Index(
            "ix_deliveries_joined", "tenant_id", "message_id", postgresql_where=_JOINED, sqlite_where=_JOINED
        ),
        one_of("state", DeliveryState),
        one_of("severity", Severity),
    )  # fmt: skip
