"""Balances, holds and the entries from which balances can be made again.

Rows are narrow and their keys time-ordered: two rows are written for a call that is reserved, one when it ends.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    String,
    Text,
    Uuid,
)
from sqlalchemy.orm import Mapped, mapped_column

from comptroller.enums import EntryKind
from comptroller.models.mapping import Base, Id, Json, Quanta, UtcDateTime, one_of

LedgerId = Uuid(as_uuid=False)


class Balance(Base):
    """What is spent and held under a limit by one subject in one window; a new window is a new row.

    Its id is a hash of limit, subject and window, so that whoever comes first makes the same row.
    """

    __tablename__ = "balances"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    id: Mapped[str] = mapped_column(LedgerId, primary_key=True)
    limit_id: Mapped[str] = mapped_column(Id)
    subject: Mapped[str] = mapped_column(Text)
    unit: Mapped[str] = mapped_column(String(16))
    window_start: Mapped[datetime] = mapped_column(UtcDateTime)
    # Absent: a run or a lifetime.
    window_end: Mapped[datetime | None] = mapped_column(UtcDateTime)
    spent: Mapped[int] = mapped_column(Quanta)
    held: Mapped[int] = mapped_column(Quanta)

    __table_args__ = (
        Index(None, "tenant_id", "limit_id", "window_start"),
        ForeignKeyConstraint(["tenant_id", "limit_id"], ["limits.tenant_id", "limits.id"]),
        CheckConstraint("held >= 0", name="held"),
    )


class Route(Base):
    """Which balances a spend of some dimensions counts against in some windows; shared by all its holds.

    Its id is a hash of its content.
    """

    __tablename__ = "routes"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    id: Mapped[str] = mapped_column(LedgerId, primary_key=True)
    # Absent where the spend is not in money.
    currency: Mapped[str | None] = mapped_column(String(8))
    # Absent outside a run; may name a run of the caller's own tables.
    run_id: Mapped[str | None] = mapped_column(Id)
    dimensions: Mapped[dict[str, Any]] = mapped_column(Json)
    # [balance id, unit] of each balance, in key order.
    balances: Mapped[list[list[str]]] = mapped_column(Json)
    is_ungoverned: Mapped[bool] = mapped_column(Boolean)


class Entry(Base):
    """One immutable step of a hold: 0 its reserve (or a charge), 1 its only end, 2 its true-up."""

    __tablename__ = "entries"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    hold_id: Mapped[str] = mapped_column(LedgerId, primary_key=True)
    step: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(8))
    route_id: Mapped[str] = mapped_column(LedgerId)
    amount: Mapped[int] = mapped_column(Quanta)
    requests: Mapped[int] = mapped_column(BigInteger)
    tokens: Mapped[int] = mapped_column(BigInteger)
    runs: Mapped[int] = mapped_column(SmallInteger)
    is_estimated: Mapped[bool] = mapped_column(Boolean)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Present where the amount was made of tokens and a price.
    price_version: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (one_of("kind", EntryKind),)


class OpenHold(Base):
    """A hold that has not ended; its row goes with its end."""

    __tablename__ = "open_holds"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    id: Mapped[str] = mapped_column(LedgerId, primary_key=True)
    # Absent: it lasts as long as its run.
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # True while it is known that nothing has been sent, so that its expiry costs nothing.
    is_unsent: Mapped[bool] = mapped_column(Boolean)


class HoldKey(Base):
    """A caller's own key for a reserve: the same key gives the same hold, other content raises."""

    __tablename__ = "hold_keys"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(Id, primary_key=True)
    content_hash: Mapped[str] = mapped_column(String(64))
    hold_id: Mapped[str] = mapped_column(LedgerId)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
