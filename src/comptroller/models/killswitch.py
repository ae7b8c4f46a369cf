"""Kill switches, incidents and their timeline."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from comptroller.enums import IncidentStatus, Severity, SuppressedReason
from comptroller.models.mapping import Base, Id, Json, UtcDateTime, one_of


class KillSwitch(Base):
    """A scope that is shut until it is lifted or its time is over."""

    __tablename__ = "kill_switches"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    # Dimension values that must all match; an empty scope is the whole tenant.
    scope: Mapped[dict[str, Any]] = mapped_column(Json)
    scope_key: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Absent: until lifted by a person.
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lifted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lifted_by: Mapped[str | None] = mapped_column(Id)
    lift_reason: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (Index(None, "tenant_id", "lifted_at", "expires_at"),)


class Incident(Base):
    """What people act on: opened by a cost anomaly, a breach or a failed duty."""

    __tablename__ = "incidents"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    source_type: Mapped[str] = mapped_column(String(64))
    # Absent for incidents that no anomaly opened; may name a row of the caller's own tables.
    anomaly_id: Mapped[str | None] = mapped_column(Id)
    anomaly_type: Mapped[str] = mapped_column(String(64))
    severity: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16))
    # Present exactly when it was opened suppressed.
    suppressed_reason: Mapped[str | None] = mapped_column(String(32))
    title: Mapped[str] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    current_value_cents: Mapped[int] = mapped_column(BigInteger)
    expected_value_cents: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(8))
    entity_type: Mapped[str | None] = mapped_column(Id)
    entity_id: Mapped[str | None] = mapped_column(Id)
    # Present when a later day showed that this incident and another have one cause.
    merged_into: Mapped[str | None] = mapped_column(Id)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    acknowledged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    resolved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("tenant_id", "anomaly_id"),
        Index(None, "tenant_id", "status", "opened_at"),
        Index(None, "tenant_id", "opened_at", "id"),
        one_of("severity", Severity),
        one_of("status", IncidentStatus),
        one_of("suppressed_reason", SuppressedReason),
        CheckConstraint("current_value_cents >= 0 AND expected_value_cents >= 0", name="cents"),
    )


class IncidentEvent(Base):
    """One step in an incident's timeline; never changed."""

    __tablename__ = "incident_events"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    incident_id: Mapped[str] = mapped_column(Id)
    kind: Mapped[str] = mapped_column(String(32))
    actor: Mapped[str] = mapped_column(Id)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    detail: Mapped[dict[str, Any]] = mapped_column(Json)
    # Present on what a detector said: the same content is told once.
    content_hash: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        UniqueConstraint("tenant_id", "incident_id", "content_hash"),
        ForeignKeyConstraint(["tenant_id", "incident_id"], ["incidents.tenant_id", "incidents.id"]),
    )
