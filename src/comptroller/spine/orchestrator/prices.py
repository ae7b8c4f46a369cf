"""Use cases of the price table."""

from datetime import date
from decimal import Decimal

from sqlalchemy.orm import Session

from comptroller import checks
from comptroller.spine.orchestrator.operation import operation
from comptroller.spine.services import prices as service
from comptroller.types.caller import Caller
from comptroller.types.price_row import ANY_PROVIDER, PriceRow
from comptroller.types.prices import CatalogueUpdate, Price


@operation
def list_prices(session: Session, caller: Caller, *, search: str | None = None) -> list[Price]:
    """Return the prices in force or to come, overrides first, those whose model contains a word."""
    rows = service.load_prices(session, caller.tenant, now=caller.now())
    wanted = (search or "").lower()
    found = [row for row in rows if wanted in row.model.lower() or wanted in row.provider.lower()]
    found.sort(key=lambda row: (not row.is_override, row.model, row.provider, row.min_input_tokens))
    return [service.as_price(row) for row in found]


@operation
def set_price(
    session: Session,
    caller: Caller,
    model: str,
    *,
    input_per_million: Decimal,
    output_per_million: Decimal,
    cache_read_per_million: Decimal | None = None,
    provider: str = ANY_PROVIDER,
    currency: str = "USD",
    valid_from: date | None = None,
    reason: str = "",
) -> Price:
    """Set what a model's tokens cost this tenant, per million; without ``valid_from`` it holds for all days."""
    row = PriceRow(
        provider=checks.required_id("provider", provider),
        model=checks.required_id("model", model),
        input_per_million=checks.exact_amount("input_per_million", input_per_million),
        output_per_million=checks.exact_amount("output_per_million", output_per_million),
        cache_read_per_million=(
            None
            if cache_read_per_million is None
            else checks.exact_amount("cache_read_per_million", cache_read_per_million)
        ),
        currency=currency,
        valid_from=valid_from,
    )
    return service.set_price(session, caller, row, reason=reason, now=caller.now())


@operation
def update_prices(session: Session, caller: Caller) -> CatalogueUpdate:
    """Load the catalogue that is installed, if it is newer than what is on record; needs no network."""
    return service.update_catalogue(session, now=caller.now())
