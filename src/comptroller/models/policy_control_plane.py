"""Limits, their versions and overrides, and breaches."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from comptroller.enums import BreachType, LimitMode, Window
from comptroller.models.mapping import Base, ExactDecimal, Id, Json, Quanta, UtcDateTime, one_of

_IN_FORCE = text("archived_at IS NULL")


class TenantPolicy(Base):
    """One row a tenant: the version of its limits and kills, locked shared by admission, exclusively by a change."""

    __tablename__ = "tenant_policies"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    # A spend to which no limit applies is refused.
    requires_limit: Mapped[bool] = mapped_column(Boolean)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Limit(Base):
    """A rule with a ceiling."""

    __tablename__ = "limits"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(Id)
    unit: Mapped[str] = mapped_column(String(16))
    ceiling_quanta: Mapped[int] = mapped_column(Quanta)
    every: Mapped[str] = mapped_column(String(16))
    timezone: Mapped[str] = mapped_column(String(64))
    scope: Mapped[dict[str, Any]] = mapped_column(Json)
    per: Mapped[list[str]] = mapped_column(Json)
    require: Mapped[list[str]] = mapped_column(Json)
    mode: Mapped[str] = mapped_column(String(16))
    warn_at: Mapped[list[str]] = mapped_column(Json)
    opens_incident: Mapped[bool] = mapped_column(Boolean)
    builtin: Mapped[bool] = mapped_column(Boolean)
    # Absent: in force from its creation, and without end.
    effective_from: Mapped[datetime | None] = mapped_column(UtcDateTime)
    effective_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(Integer)
    # The tenant's policy version that this row last changed in: what a process must read again.
    changed_in: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(Id)
    archived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index(
            "uq_limits_name",
            "tenant_id",
            "name",
            unique=True,
            postgresql_where=_IN_FORCE,
            sqlite_where=_IN_FORCE,
        ),
        Index(None, "tenant_id", "changed_in"),
        one_of("every", Window),
        one_of("mode", LimitMode),
        CheckConstraint("builtin OR ceiling_quanta > 0", name="ceiling"),
    )


class LimitVersion(Base):
    """Who changed a limit, when, what and why."""

    __tablename__ = "limit_versions"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    limit_id: Mapped[str] = mapped_column(Id, primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    content: Mapped[dict[str, Any]] = mapped_column(Json)
    reason: Mapped[str] = mapped_column(Text)
    changed_by: Mapped[str] = mapped_column(Id)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (ForeignKeyConstraint(["tenant_id", "limit_id"], ["limits.tenant_id", "limits.id"]),)


class LimitOverride(Base):
    """A timed, approved change of a limit's ceiling."""

    __tablename__ = "limit_overrides"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    limit_id: Mapped[str] = mapped_column(Id)
    ceiling_quanta: Mapped[int] = mapped_column(Quanta)
    reason: Mapped[str] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(Id)
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index(None, "tenant_id", "limit_id", "expires_at"),
        ForeignKeyConstraint(["tenant_id", "limit_id"], ["limits.tenant_id", "limits.id"]),
        CheckConstraint("ceiling_quanta > 0", name="ceiling"),
    )


class LimitWarning(Base):
    """A warning threshold that was crossed; the key tells each at most once a window."""

    __tablename__ = "limit_warnings"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    limit_id: Mapped[str] = mapped_column(Id, primary_key=True)
    subject: Mapped[str] = mapped_column(Text, primary_key=True)
    window_start: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    threshold: Mapped[str] = mapped_column(String(64), primary_key=True)
    spent_quanta: Mapped[int] = mapped_column(Quanta)
    crossed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (ForeignKeyConstraint(["tenant_id", "limit_id"], ["limits.tenant_id", "limits.id"]),)


class LimitBreach(Base):
    """A recorded crossing or refusal."""

    __tablename__ = "limit_breaches"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    limit_id: Mapped[str] = mapped_column(Id)
    breach_type: Mapped[str] = mapped_column(String(16))
    value_at_breach: Mapped[Decimal] = mapped_column(ExactDecimal)
    limit_value: Mapped[Decimal] = mapped_column(ExactDecimal)
    # May name a run of the caller's own tables.
    run_id: Mapped[str | None] = mapped_column(Id)
    incident_id: Mapped[str | None] = mapped_column(Id)
    details: Mapped[dict[str, Any] | None] = mapped_column(Json)
    # Present on refusals by admission: repeats of one (limit, window, subject, type) share a row.
    dedup_key: Mapped[str | None] = mapped_column(String(64))
    occurrences: Mapped[int] = mapped_column(BigInteger)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("tenant_id", "dedup_key"),
        Index(None, "tenant_id", "limit_id", "recorded_at"),
        ForeignKeyConstraint(["tenant_id", "limit_id"], ["limits.tenant_id", "limits.id"]),
        ForeignKeyConstraint(["tenant_id", "incident_id"], ["incidents.tenant_id", "incidents.id"]),
        one_of("breach_type", BreachType),
        CheckConstraint("occurrences > 0", name="occurrences"),
    )
