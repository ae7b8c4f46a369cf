"""One row of the price table."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from comptroller.errors import InvalidInputError
from comptroller.money import canonical_unit

ANY_PROVIDER: Final = "*"
MAX_PRICE: Final = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class PriceRow:
    """What a model's tokens cost from a day on.

    Args:
        provider: Who sells the model, as the catalogue names it; ``*`` for any, which only an override may say.
        model: The model's canonical name.
        input_per_million: Price of a million input tokens; None if the model has no such price.
        output_per_million: Of a million output tokens.
        cache_read_per_million: Of a million input tokens read from a cache; None means as input.
        cache_write_per_million: Of a million input tokens written to a cache; None means as input.
        per_request: Of each request, whatever its tokens.
        currency: ISO 4217.
        valid_from: First UTC day on which the price holds; None means always.
        min_input_tokens: The row holds for requests with at least this many input tokens (long-context prices).
        version: Written into every cost row that was priced with it.
        is_override: A contract's price; it wins over a catalogue's.
    """

    provider: str
    model: str
    input_per_million: Decimal | None
    output_per_million: Decimal | None
    cache_read_per_million: Decimal | None = None
    cache_write_per_million: Decimal | None = None
    per_request: Decimal = Decimal(0)
    currency: str = "USD"
    valid_from: date | None = None
    min_input_tokens: int = 0
    version: str = ""
    is_override: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "currency", canonical_unit(self.currency))
        amounts = (self.input_per_million, self.output_per_million, self.cache_read_per_million)
        for amount in (*amounts, self.cache_write_per_million, self.per_request):
            if amount is not None and not (amount.is_finite() and 0 <= amount <= MAX_PRICE):
                raise InvalidInputError(f"price {amount} of {self.model}: give a number from 0 to {MAX_PRICE}")
