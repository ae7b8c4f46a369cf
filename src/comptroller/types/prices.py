"""Prices as callers see them."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Price:
    """What a model's tokens cost from a day on, per million tokens, in ``currency``."""

    provider: str
    model: str
    input_per_million: Decimal | None
    output_per_million: Decimal | None
    cache_read_per_million: Decimal | None
    currency: str
    valid_from: date | None
    version: str
    is_override: bool


@dataclass(frozen=True, slots=True)
class CatalogueUpdate:
    """What an update of the catalogue brought."""

    version: str
    prices: int
    is_new: bool
