"""Use cases of prices at the call: the list as a process keeps it, and the refusal of a model without a price."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from comptroller.domains.policies.engine import pricing
from comptroller.domains.policies.engine.admission import Finding
from comptroller.domains.policies.engine.page import Page
from comptroller.domains.policies.engine.windows import EPOCH
from comptroller.enums import BreachType
from comptroller.errors import InvalidInputError
from comptroller.ingest.pricing import PriceList
from comptroller.spine.orchestrator.operation import operation
from comptroller.spine.services.crossings import record_findings
from comptroller.spine.services.prices import load_prices
from comptroller.types.caller import Caller
from comptroller.types.spend import OverLimit, Refused
from comptroller.types.usage import Priced, Usage

PRICING_LIMIT = "builtin:pricing"


@operation
def price_list(session: Session, caller: Caller) -> PriceList:
    """Return the prices of the catalogue and the tenant's own; loads the catalogue where there is none yet."""
    return PriceList(load_prices(session, caller.tenant, now=caller.now()))


@operation
def refuse_unpriced(session: Session, caller: Caller, said: Usage, run_id: str | None) -> Refused:
    """Record that a call was refused because its model has no price."""
    name = said.model if said.provider is None else f"{said.provider}/{said.model}"
    reason = f"model {name} has no price: set one with comptroller prices set"
    over = OverLimit(PRICING_LIMIT, "pricing", BreachType.VIOLATED, reason)
    page = Page({})
    key = page.find(Finding(over, name, EPOCH, run_id, opens_incident=False))
    ids = record_findings(session, caller.tenant, page.findings, now=caller.now())
    return Refused((OverLimit(PRICING_LIMIT, "pricing", BreachType.VIOLATED, reason, breach_id=ids[key]),))


def priced(prices: PriceList, said: Usage, day: date) -> Priced | None:
    """Return what a usage costs; None if its model has no price."""
    return pricing.price(prices.find(said.model, said.provider), said, day)


def usage_of(said: Mapping[str, Any]) -> Usage:
    """Return a call's usage from what its caller says.

    Raises:
        InvalidInputError: If a word is unknown, or a value is not acceptable.
    """
    unknown = set(said) - set(Usage.__dataclass_fields__)
    if unknown:
        known = ", ".join(Usage.__dataclass_fields__)
        raise InvalidInputError(f"usage has no {', '.join(sorted(unknown))}: it has {known}")
    if "model" not in said:
        raise InvalidInputError("usage must name its model")
    return Usage(**said)
