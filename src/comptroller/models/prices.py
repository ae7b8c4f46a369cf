"""What a model's tokens cost: the catalogue for everybody, a tenant's overrides. Prices are per million tokens."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import BigInteger, Date, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from comptroller.models.mapping import Base, ExactDecimal, Id, UtcDateTime


class CataloguePrice(Base):
    """A list price as a version of the catalogue gave it; rows are never changed."""

    __tablename__ = "catalogue_prices"

    version: Mapped[str] = mapped_column(String(64), primary_key=True)
    provider: Mapped[str] = mapped_column(Id, primary_key=True)
    model: Mapped[str] = mapped_column(Id, primary_key=True)
    # The catalogue's "always" is the first of January of the year 1.
    valid_from: Mapped[date] = mapped_column(Date, primary_key=True)
    min_input_tokens: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    # Absent where the model has no such price.
    input_per_million: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    output_per_million: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    cache_read_per_million: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    cache_write_per_million: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    per_request: Mapped[Decimal] = mapped_column(ExactDecimal)
    currency: Mapped[str] = mapped_column(String(8))
    loaded_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PriceOverride(Base):
    """A contract's or self-hosted model's price; a change is a new version, the newest one of a day counts."""

    __tablename__ = "price_overrides"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    version: Mapped[str] = mapped_column(Id, primary_key=True)
    # "*" stands for any provider.
    provider: Mapped[str] = mapped_column(Id)
    model: Mapped[str] = mapped_column(Id)
    valid_from: Mapped[date] = mapped_column(Date)
    input_per_million: Mapped[Decimal] = mapped_column(ExactDecimal)
    output_per_million: Mapped[Decimal] = mapped_column(ExactDecimal)
    # Absent: cached input costs as much as input.
    cache_read_per_million: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    cache_write_per_million: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    currency: Mapped[str] = mapped_column(String(8))
    reason: Mapped[str] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
