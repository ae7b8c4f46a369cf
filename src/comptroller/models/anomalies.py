"""What the detector found, its evidence, and what people said of it."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Boolean, Date, Float, ForeignKeyConstraint, Index, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from comptroller.enums import Feedback, Grain, Severity, SuppressedReason
from comptroller.models.mapping import Base, Id, Json, Quanta, UtcDateTime, one_of


class Anomaly(Base):
    """Cost against a baseline: one cause, whatever the number of series that show it."""

    __tablename__ = "anomalies"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(64))
    dimension: Mapped[str] = mapped_column(String(16))
    value: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(String(8))
    start_at: Mapped[datetime] = mapped_column(UtcDateTime)
    end_at: Mapped[datetime] = mapped_column(UtcDateTime)
    is_open: Mapped[bool] = mapped_column(Boolean)
    grain: Mapped[str] = mapped_column(String(8))
    # +1: too much was spent, -1: too little; 0 where a limit's period is the subject.
    direction: Mapped[int] = mapped_column(SmallInteger)
    actual_quanta: Mapped[int] = mapped_column(Quanta)
    expected_quanta: Mapped[int] = mapped_column(Quanta)
    low_quanta: Mapped[int] = mapped_column(Quanta)
    high_quanta: Mapped[int] = mapped_column(Quanta)
    stake_quanta: Mapped[int] = mapped_column(Quanta)
    score: Mapped[float] = mapped_column(Float)
    severity: Mapped[str] = mapped_column(String(16))
    team: Mapped[str | None] = mapped_column(Text)
    owner: Mapped[str | None] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)
    explanation: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    # Present: on record, its incident opened suppressed, no notice.
    suppressed_reason: Mapped[str | None] = mapped_column(String(32))
    feedback: Mapped[str | None] = mapped_column(String(16))
    feedback_by: Mapped[str | None] = mapped_column(Id)
    feedback_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Present when a later day showed that this and another anomaly have one cause.
    merged_into: Mapped[str | None] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index(None, "tenant_id", "end_at"),
        Index(None, "tenant_id", "merged_into"),
        one_of("severity", Severity),
        one_of("grain", Grain),
        one_of("suppressed_reason", SuppressedReason),
        one_of("feedback", Feedback),
    )


class AnomalySeries(Base):
    """A series that shows an anomaly: its evidence."""

    __tablename__ = "anomaly_series"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    anomaly_id: Mapped[str] = mapped_column(Id, primary_key=True)
    dimension: Mapped[str] = mapped_column(String(16), primary_key=True)
    value: Mapped[str] = mapped_column(Text, primary_key=True)
    stake_quanta: Mapped[int] = mapped_column(Quanta)

    __table_args__ = (ForeignKeyConstraint(["tenant_id", "anomaly_id"], ["anomalies.tenant_id", "anomalies.id"]),)


class PlannedWindow(Base):
    """Days on which spend of a scope is expected to be unusual."""

    __tablename__ = "planned_windows"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    # Dimension values that must all match; an empty scope is the whole tenant.
    scope: Mapped[dict[str, Any]] = mapped_column(Json)
    start_on: Mapped[date] = mapped_column(Date)
    end_on: Mapped[date] = mapped_column(Date)
    reason: Mapped[str] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class MutedSeries(Base):
    """A series whose incidents open suppressed."""

    __tablename__ = "muted_series"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    dimension: Mapped[str] = mapped_column(String(16), primary_key=True)
    value: Mapped[str] = mapped_column(Text, primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
