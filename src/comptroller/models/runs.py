"""Executions of agents and jobs."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, String, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from comptroller.enums import RunState
from comptroller.models.mapping import Base, Id, Json, UtcDateTime, one_of


class Run(Base):
    """One execution of an agent or job; ends once, with a typed reason."""

    __tablename__ = "runs"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    dimensions: Mapped[dict[str, Any]] = mapped_column(Json)
    state: Mapped[str] = mapped_column(String(16))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    heartbeat_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    end_reason: Mapped[str | None] = mapped_column(Text)
    # Limits of its own in quanta of each unit; "seconds" and "iterations" where those are limited.
    ceilings: Mapped[dict[str, Any]] = mapped_column(Json)
    iterations: Mapped[int] = mapped_column(BigInteger)
    # Present while it counts against a limit on concurrent runs.
    hold_id: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))

    __table_args__ = (Index(None, "tenant_id", "state", "heartbeat_at"), one_of("state", RunState))
