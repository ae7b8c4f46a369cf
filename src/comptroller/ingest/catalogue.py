"""The catalogue of public prices that ships with genai-prices, read offline; imported only when asked for."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, Final

from comptroller.types.price_row import PriceRow

_INPUT: Final = "input_mtok"
_OUTPUT: Final = "output_mtok"
_CACHE_READ: Final = "cache_read_mtok"
_CACHE_WRITE: Final = "cache_write_mtok"
_REQUESTS: Final = "requests_kcount"


def catalogue() -> list[PriceRow]:
    """Return every price in the installed catalogue that is per token, without a network.

    Prices that depend on the time of day count as their dearest; prices for images, audio or searches are no token
    prices and are left out.
    """
    from genai_prices import __version__  # noqa: PLC0415 - heavy: pydantic and 2,000 models
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415

    version = f"genai-prices {__version__}"
    return [
        row
        for provider in get_snapshot().providers
        for model in provider.models
        for row in _rows(provider.id, model, version)
    ]


def match_model(name: str, provider: str | None) -> tuple[str, str] | None:
    """Return the catalogue's (provider, model) for a name as usage writes it, None if it knows none."""
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415

    snapshot = get_snapshot()
    for reference, hint in _references(name, provider):
        try:
            found, model = snapshot.find_provider_model(reference, None, hint, None)
        except LookupError:
            continue
        return str(found.id), str(model.id)
    return None


def _references(name: str, provider: str | None) -> Iterator[tuple[str, str | None]]:
    yield name, provider
    yield name, "litellm"  # takes a provider/ prefix apart
    yield name, None
    prefix, _, bare = name.rpartition("/")
    if prefix:
        yield bare, prefix.split("/")[0]


def _rows(provider: str, model: Any, version: str) -> Iterator[PriceRow]:
    by_day: dict[date | None, dict[str, Any]] = {}
    for conditional in model.prices if isinstance(model.prices, list) else [None]:
        price = model.prices if conditional is None else conditional.prices
        constraint = None if conditional is None else conditional.constraint
        day = getattr(constraint, "start_date", None)
        known = {key: value for key, value in vars(price).items() if value is not None}
        by_day[day] = _dearest(by_day.get(day, {}), known)
    for day, prices in by_day.items():
        if _INPUT in prices or _OUTPUT in prices:
            yield from _tiers(provider, str(model.id), prices, day=day, version=version)


def _dearest(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return {
        key: max((prices[key] for prices in (one, other) if key in prices), key=_at_most) for key in one.keys() | other
    }


def _at_most(price: Any) -> Decimal:
    """The highest price; tiers are the catalogue's own, so anything without them is a plain Decimal."""
    return max(
        Decimal(step)
        for step in ([price.base, *(tier.price for tier in price.tiers)] if _has_tiers(price) else [price])
    )


def _has_tiers(price: Any) -> bool:
    return hasattr(price, "tiers")


def _tiers(provider: str, model: str, prices: dict[str, Any], *, day: date | None, version: str) -> Iterator[PriceRow]:
    starts = {tier.start + 1 for price in prices.values() for tier in getattr(price, "tiers", ())}
    for start in sorted({0} | starts):
        yield PriceRow(
            provider=provider,
            model=model,
            input_per_million=_at(prices.get(_INPUT), start),
            output_per_million=_at(prices.get(_OUTPUT), start),
            cache_read_per_million=_at(prices.get(_CACHE_READ), start),
            cache_write_per_million=_at(prices.get(_CACHE_WRITE), start),
            per_request=(_at(prices.get(_REQUESTS), start) or Decimal(0)) / 1000,
            valid_from=day,
            min_input_tokens=start,
            version=version,
        )


def _at(price: Any, tokens: int) -> Decimal | None:
    """The price for requests of at least so many input tokens; a tier begins above its start."""
    if price is None or isinstance(price, Decimal):
        return price
    reached = [tier for tier in price.tiers if tier.start < tokens]
    return Decimal(max(reached, key=lambda tier: tier.start).price if reached else price.base)
