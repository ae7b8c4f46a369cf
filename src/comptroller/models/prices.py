"""What a model's tokens cost: the catalogue for everybody, a tenant's overrides."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from comptroller.models.base import Base, ExactDecimal, Id, UtcDateTime


class CataloguePrice(Base):
    """A list price as a catalogue version gave it; rows are never changed."""

    __tablename__ = "catalogue_prices"

    version: Mapped[str] = mapped_column(String(64), primary_key=True)
    provider: Mapped[str] = mapped_column(Id, primary_key=True)
    model: Mapped[str] = mapped_column(Id, primary_key=True)
    input_per_million: Mapped[Decimal] = mapped_column(ExactDecimal)
    output_per_million: Mapped[Decimal] = mapped_column(ExactDecimal)
    # Absent where the provider has no such rate.
    cache_read_per_million: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    currency: Mapped[str] = mapped_column(String(8))
    loaded_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PriceOverride(Base):
    """A contract discount or a self-hosted model's price; a change is a new version."""

    __tablename__ = "price_overrides"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    model: Mapped[str] = mapped_column(Id, primary_key=True)
    version: Mapped[str] = mapped_column(Id, primary_key=True)
    provider: Mapped[str | None] = mapped_column(Id)
    input_per_million: Mapped[Decimal] = mapped_column(ExactDecimal)
    output_per_million: Mapped[Decimal] = mapped_column(ExactDecimal)
    # Absent: cached input costs as much as input.
    cache_read_per_million: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    currency: Mapped[str] = mapped_column(String(8))
    valid_from: Mapped[datetime] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
