"""Prices of models: rows of a versioned table, found for a model's name as written, joined to usage in DuckDB."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

import duckdb

from comptroller.ingest.catalogue import match_model
from comptroller.types.price_row import ANY_PROVIDER, PriceRow

# Places kept of a price per million tokens, so that a cost is exact to 18 places; catalogues carry float noise beyond.
PRICE_PLACES: Final = 12
_BEGINNING: Final = date(1, 1, 1)
_END: Final = date(9999, 12, 31)
_NO_LIMIT: Final = 2**63 - 1
_EXACT: Final = Context(prec=60)


class PriceList:
    """Price rows, looked up by the names that usage has for models.

    A name is tried as it is, without a ``provider/`` before it, and as the catalogue matches it (dated names, regional
    prefixes). For one model overrides win over the catalogue, later days over earlier ones.
    """

    def __init__(self, rows: Iterable[PriceRow]) -> None:
        self.rows = tuple(rows)
        self._by_model: dict[str, list[PriceRow]] = {}
        for row in self.rows:
            self._by_model.setdefault(row.model.lower(), []).append(row)

    def find(self, model: str, provider: str | None = None) -> tuple[PriceRow, ...]:
        """Return all rows that price the model, empty if it is unknown.

        A name behind a prefix is tried only with the provider that the prefix names: what a gateway of one's own
        calls ``local/gpt-4o`` need not be anybody's public model.
        """
        prefix, _, bare = model.lower().rpartition("/")
        matched = None
        sold = self._sold(model.lower(), (provider or "").lower()) or self._sold(bare, prefix.split("/")[0])
        if not sold:
            matched = match_model(model, provider)
            sold = self._matched(matched) or (() if prefix else self._first(bare))
        names = [model.lower(), bare, matched[1].lower() if matched else ""]
        return (*sold, *(row for name in dict.fromkeys(names) for row in self._sold(name, ANY_PROVIDER)))

    def _sold(self, model: str, seller: str) -> tuple[PriceRow, ...]:
        return tuple(row for row in self._by_model.get(model, ()) if row.provider.lower() == seller)

    def _first(self, model: str) -> tuple[PriceRow, ...]:
        """The rows of the first seller listed, whom the name alone means."""
        sellers = [row.provider.lower() for row in self._by_model.get(model, ()) if row.provider != ANY_PROVIDER]
        return self._sold(model, sellers[0]) if sellers else ()

    def _matched(self, matched: tuple[str, str] | None) -> tuple[PriceRow, ...]:
        if matched is None:
            return ()
        provider, model = matched[0].lower(), matched[1].lower()
        return self._sold(model, provider) or self._first(model)


def mend(model: str) -> str:
    """Return the command that gives the model a price."""
    shown = model if re.fullmatch(r"[\w.:/@-]+", model) else "'" + model.replace("'", "'\\''") + "'"
    return f"comptroller prices set {shown} --input PER_MILLION --output PER_MILLION"


@dataclass(frozen=True, slots=True)
class PricedName:
    """The prices that one (model, provider) of a file resolved to."""

    model: str
    provider: str | None
    rows: tuple[PriceRow, ...]


def write_prices(connection: duckdb.DuckDBPyConnection, names: Sequence[PricedName]) -> None:
    """Fill the table ``prices`` with one row per name and stretch of days and tokens; stretches never overlap."""
    connection.execute("delete from prices")
    values = [(name.model, name.provider, *stretch) for name in names for stretch in _stretches(name.rows)]
    if values:
        marks = ", ".join("?" for _ in values[0])
        connection.executemany(f"insert into prices values ({marks})", values)


def _stretches(rows: Sequence[PriceRow]) -> list[tuple[object, ...]]:
    """Cut the rows into stretches of days; within one, the best source's rows share the token counts out."""
    starts = sorted({row.valid_from or _BEGINNING for row in rows})
    result: list[tuple[object, ...]] = []
    for start, end in zip(starts, [*starts[1:], _END], strict=True):
        current = _in_force(rows, start)
        limits = [*(row.min_input_tokens for row in current[1:]), _NO_LIMIT]
        result += [_values(row, start, end, limit) for row, limit in zip(current, limits, strict=True)]
    return result


def _in_force(rows: Sequence[PriceRow], day: date) -> list[PriceRow]:
    begun = [row for row in rows if (row.valid_from or _BEGINNING) <= day]
    best = max((row.is_override, row.valid_from or _BEGINNING) for row in begun)
    chosen = {row.min_input_tokens: row for row in begun if (row.is_override, row.valid_from or _BEGINNING) == best}
    lowest = min(chosen)
    chosen[0] = chosen[lowest]
    return [chosen[limit] for limit in sorted(chosen)]


def _values(row: PriceRow, start: date, end: date, below: int) -> tuple[object, ...]:
    cached = row.input_per_million if row.cache_read_per_million is None else row.cache_read_per_million
    written = row.input_per_million if row.cache_write_per_million is None else row.cache_write_per_million
    per_token = [_picos(price) for price in (row.input_per_million, row.output_per_million, cached, written)]
    per_request = int(row.per_request.scaleb(18, _EXACT).to_integral_value(rounding=ROUND_HALF_EVEN))
    return (start, end, row.min_input_tokens, below, *per_token, per_request, row.currency, row.provider, row.version)


def _picos(price: Decimal | None) -> int | None:
    """A price per million in 10⁻¹² is a price per token in 10⁻¹⁸."""
    if price is None:
        return None
    return int(price.scaleb(PRICE_PLACES, _EXACT).to_integral_value(rounding=ROUND_HALF_EVEN))


PRICES: Final = """
create table prices (
    price_model varchar, price_provider_hint varchar, price_from date, price_to date,
    price_min_tokens bigint, price_max_tokens bigint,
    input_attos hugeint, output_attos hugeint, cache_read_attos hugeint, cache_write_attos hugeint,
    request_attos hugeint, price_currency varchar, price_provider varchar, price_row_version varchar
)
"""
# Conditions of the join of a usage row to its one price.
PRICE_JOIN: Final = (
    "raw_billed is null and raw_model = price_model and raw_provider is not distinct from price_provider_hint "
    "and charge_start >= price_from and charge_start < price_to "
    "and tier_tokens >= price_min_tokens and tier_tokens < price_max_tokens"
)
# The exact cost in 10⁻¹⁸; NULL where tokens were used that the model has no price for.
PRICED_ATTOS: Final = (
    "(request_attos * uses::hugeint + case when coalesce(input_tokens, 0) = 0 then 0::hugeint else "
    "(input_tokens - cache_read_tokens - cache_write_tokens)::hugeint * input_attos "
    "+ cache_read_tokens::hugeint * cache_read_attos + cache_write_tokens::hugeint * cache_write_attos end "
    "+ case when coalesce(output_tokens, 0) = 0 then 0::hugeint else output_tokens::hugeint * output_attos end)"
)
