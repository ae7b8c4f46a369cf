"""The price table: the catalogue is loaded at first need, overrides are versions of their own."""

from datetime import datetime

from sqlalchemy.orm import Session

from comptroller.domains.analytics.driver import prices as driver
from comptroller.domains.audit.driver import write_entry
from comptroller.ids import uuid7
from comptroller.ingest.catalogue import catalogue
from comptroller.types.caller import Caller
from comptroller.types.price_row import PriceRow
from comptroller.types.prices import CatalogueUpdate, Price


def load_prices(session: Session, tenant_id: str, *, now: datetime) -> list[PriceRow]:
    """Return all prices in force or to come; loads the installed catalogue where there is none yet."""
    if driver.catalogue_version(session) is None:
        driver.add_catalogue(session, catalogue(), now=now)
    return driver.price_rows(session, tenant_id)


def known_prices(session: Session, tenant_id: str) -> list[PriceRow] | None:
    """Return the prices on record, or None where there are none yet: the installed catalogue is meant then.

    Loading the catalogue takes longer than reading a small bill, and most bills state their costs.
    """
    found = driver.price_rows(session, tenant_id)
    return found if driver.catalogue_version(session) is not None else None if not found else [*catalogue(), *found]


def update_catalogue(session: Session, *, now: datetime) -> CatalogueUpdate:
    """Load the installed catalogue if its version is not on record; works without a network."""
    rows = catalogue()
    version = rows[0].version
    if driver.has_catalogue(session, version):
        return CatalogueUpdate(version, len(rows), is_new=False)
    return CatalogueUpdate(version, driver.add_catalogue(session, rows, now=now), is_new=True)


def set_price(session: Session, caller: Caller, row: PriceRow, *, reason: str, now: datetime) -> Price:
    """Write an override: from its day on it wins over the catalogue; what is priced already keeps its price."""
    version = f"override {uuid7()}"
    stored = PriceRow(
        provider=row.provider, model=row.model, input_per_million=row.input_per_million,
        output_per_million=row.output_per_million, cache_read_per_million=row.cache_read_per_million,
        cache_write_per_million=row.cache_write_per_million, currency=row.currency, valid_from=row.valid_from,
        version=version, is_override=True,
    )  # fmt: skip
    driver.add_override(session, caller.tenant, stored, reason=reason, actor=caller.actor, now=now)
    detail = {
        "model": row.model,
        "provider": row.provider,
        "input_per_million": str(row.input_per_million),
        "output_per_million": str(row.output_per_million),
        "currency": row.currency,
        "valid_from": None if row.valid_from is None else row.valid_from.isoformat(),
        "reason": reason,
    }
    write_entry(
        session, caller, action="price.set", object_type="price", object_id=version, detail=detail, now=now
    )  # fmt: skip
    return as_price(stored)


def as_price(row: PriceRow) -> Price:
    """Return a price as callers see it."""
    return Price(
        provider=row.provider,
        model=row.model,
        input_per_million=row.input_per_million,
        output_per_million=row.output_per_million,
        cache_read_per_million=row.cache_read_per_million,
        currency=row.currency,
        valid_from=row.valid_from,
        version=row.version,
        is_override=row.is_override,
    )
