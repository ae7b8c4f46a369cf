"""What a call's tokens cost: exact, at the price in force on its day."""

from collections.abc import Iterable
from datetime import date
from decimal import Context, Decimal
from typing import Final

from comptroller.money import Money
from comptroller.types.price_row import PriceRow
from comptroller.types.usage import Priced, Usage

_EXACT: Final = Context(prec=96)
_MILLION: Final = Decimal(1_000_000)


def price(rows: Iterable[PriceRow], usage: Usage, day: date) -> Priced | None:
    """Return what a usage costs; None if a price that it needs is not known. A missing price is never zero."""
    row = _in_force(rows, usage, day)
    if row is None:
        return None
    cached, written = usage.cached_input_tokens, usage.cache_write_tokens
    parts = (
        (usage.input_tokens - cached - written, row.input_per_million),
        (cached, _first(row.cache_read_per_million, row.input_per_million)),
        (written, _first(row.cache_write_per_million, row.input_per_million)),
        (usage.output_tokens, row.output_per_million),
    )
    cost = row.per_request
    for tokens, per_million in parts:
        if tokens and per_million is None:
            return None
        cost = _EXACT.add(cost, _EXACT.multiply(tokens, per_million or Decimal(0)) / _MILLION)
    return Priced(Money(cost, row.currency), usage.input_tokens + usage.output_tokens, row.version)


def _in_force(rows: Iterable[PriceRow], usage: Usage, day: date) -> PriceRow | None:
    valid = [
        row
        for row in rows
        if (row.valid_from is None or row.valid_from <= day) and row.min_input_tokens <= usage.input_tokens
    ]
    return max(valid, key=lambda row: (row.is_override, row.valid_from or date.min, row.min_input_tokens), default=None)


def _first(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return other if one is None else one
