"""Deliveries of cost files, their rows, and the series made of them."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Date, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from comptroller.models.mapping import Base, ExactDecimal, Id, Json, Quanta, UtcDateTime

_CURRENT = text("superseded_at IS NULL")


class CostDelivery(Base):
    """One delivery of a (source, billing account, billing period); a newer one supersedes it, rows stay readable."""

    __tablename__ = "cost_deliveries"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    source: Mapped[str] = mapped_column(Id)
    billing_account: Mapped[str] = mapped_column(Id)
    period_start: Mapped[date] = mapped_column(Date)
    period_end: Mapped[date] = mapped_column(Date)
    # Further parts of one delivery (--append) count up from 1.
    part: Mapped[int] = mapped_column(Integer)
    content_sha256: Mapped[str] = mapped_column(String(64))
    format: Mapped[str] = mapped_column(String(32))
    files: Mapped[list[str]] = mapped_column(Json)
    row_count: Mapped[int] = mapped_column(BigInteger)
    bad_count: Mapped[int] = mapped_column(BigInteger)
    # Exact decimal sum less the sum of quanta, as text, for each currency.
    rounding: Mapped[dict[str, Any]] = mapped_column(Json)
    delivered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    superseded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index(
            "uq_cost_deliveries_current",
            "tenant_id",
            "source",
            "billing_account",
            "period_start",
            "part",
            unique=True,
            postgresql_where=_CURRENT,
            sqlite_where=_CURRENT,
        ),
    )


class CostRow(Base):
    """One row of a bill or usage file, exact as given, beside its quanta."""

    __tablename__ = "cost_rows"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    delivery_id: Mapped[str] = mapped_column(Id, primary_key=True)
    row_no: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    charge_start: Mapped[datetime] = mapped_column(UtcDateTime)
    charge_end: Mapped[datetime] = mapped_column(UtcDateTime)
    day: Mapped[date] = mapped_column(Date)
    charge_category: Mapped[str] = mapped_column(String(16))
    charge_class: Mapped[str | None] = mapped_column(String(16))
    provider: Mapped[str] = mapped_column(Text)
    billing_account: Mapped[str] = mapped_column(Text)
    account: Mapped[str] = mapped_column(Text)
    service: Mapped[str] = mapped_column(Text)
    region: Mapped[str | None] = mapped_column(Text)
    resource_id: Mapped[str | None] = mapped_column(Text)
    sku_id: Mapped[str | None] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    model: Mapped[str | None] = mapped_column(Text)
    user_id: Mapped[str | None] = mapped_column(Text)
    team: Mapped[str] = mapped_column(Text)
    owner: Mapped[str | None] = mapped_column(Text)
    key_alias: Mapped[str | None] = mapped_column(Text)
    tags: Mapped[str | None] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(String(8))
    billed_cost: Mapped[Decimal] = mapped_column(ExactDecimal)
    effective_cost: Mapped[Decimal] = mapped_column(ExactDecimal)
    # Absent where the file has no such column.
    list_cost: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    contracted_cost: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    billed_quanta: Mapped[int] = mapped_column(Quanta)
    effective_quanta: Mapped[int] = mapped_column(Quanta)
    list_quanta: Mapped[int | None] = mapped_column(Quanta)
    contracted_quanta: Mapped[int | None] = mapped_column(Quanta)
    consumed_quantity: Mapped[str | None] = mapped_column(Text)
    consumed_unit: Mapped[str | None] = mapped_column(Text)
    input_tokens: Mapped[int | None] = mapped_column(BigInteger)
    output_tokens: Mapped[int | None] = mapped_column(BigInteger)
    # The price that made the cost; absent where the file states the cost.
    price_version: Mapped[str | None] = mapped_column(Text)
    usage_id: Mapped[str | None] = mapped_column(Text)

    __table_args__ = ({"sqlite_with_rowid": False},)


class DailyCost(Base):
    """A delivery's cost of one day along one dimension; what detection and dashboards read."""

    __tablename__ = "daily_costs"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    delivery_id: Mapped[str] = mapped_column(Id, primary_key=True)
    dimension: Mapped[str] = mapped_column(String(16), primary_key=True)
    value: Mapped[str] = mapped_column(Text, primary_key=True)
    charge_category: Mapped[str] = mapped_column(String(16), primary_key=True)
    currency: Mapped[str] = mapped_column(String(8), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    billed_quanta: Mapped[int] = mapped_column(Quanta)
    effective_quanta: Mapped[int] = mapped_column(Quanta)
    list_quanta: Mapped[int | None] = mapped_column(Quanta)
    contracted_quanta: Mapped[int | None] = mapped_column(Quanta)
    row_count: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = ({"sqlite_with_rowid": False},)


class HourlyCost(Base):
    """A delivery's cost of one hour along one dimension, for usage whose times are that fine."""

    __tablename__ = "hourly_costs"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    delivery_id: Mapped[str] = mapped_column(Id, primary_key=True)
    dimension: Mapped[str] = mapped_column(String(16), primary_key=True)
    value: Mapped[str] = mapped_column(Text, primary_key=True)
    charge_category: Mapped[str] = mapped_column(String(16), primary_key=True)
    currency: Mapped[str] = mapped_column(String(8), primary_key=True)
    hour_at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    billed_quanta: Mapped[int] = mapped_column(Quanta)
    effective_quanta: Mapped[int] = mapped_column(Quanta)
    list_quanta: Mapped[int | None] = mapped_column(Quanta)
    contracted_quanta: Mapped[int | None] = mapped_column(Quanta)
    row_count: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = ({"sqlite_with_rowid": False},)


class OwnerRule(Base):
    """Which team and person owns an account, subscription, tag, key alias or model."""

    __tablename__ = "owner_rules"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    field: Mapped[str] = mapped_column(String(32))
    value: Mapped[str] = mapped_column(Text)
    team: Mapped[str] = mapped_column(Text)
    owner: Mapped[str | None] = mapped_column(Text)
