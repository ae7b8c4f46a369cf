"""Read and write the price table: the newest catalogue and the tenant's overrides."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from comptroller.models.prices import CataloguePrice, PriceOverride
from comptroller.types.price_row import PriceRow

ALWAYS: Final = date(1, 1, 1)


def catalogue_version(session: Session) -> str | None:
    """Return the version of the newest catalogue, or None where none was ever loaded."""
    query = select(CataloguePrice.version).order_by(CataloguePrice.loaded_at.desc(), CataloguePrice.version.desc())
    return session.execute(query.limit(1)).scalar_one_or_none()


def has_catalogue(session: Session, version: str) -> bool:
    """Tell whether a version of the catalogue is on record."""
    query = select(func.count()).where(CataloguePrice.version == version)
    return bool(session.execute(query).scalar_one())


def add_catalogue(session: Session, rows: Iterable[PriceRow], *, now: datetime) -> int:
    """Write a version of the catalogue, once also where several do at once; returns how many prices it has."""
    values = {_identity(row): _catalogue_values(row, now) for row in rows}
    dialect = postgresql if session.connection().dialect.name == "postgresql" else sqlite
    session.execute(dialect.insert(CataloguePrice).on_conflict_do_nothing(), list(values.values()))
    return len(values)


def add_override(session: Session, tenant_id: str, row: PriceRow, *, reason: str, actor: str, now: datetime) -> None:
    """Write a new version of a model's price for one tenant."""
    values = {**_shared_values(row), "reason": reason, "created_by": actor, "created_at": now}
    session.execute(insert(PriceOverride).values(tenant_id=tenant_id, **values))


def price_rows(session: Session, tenant_id: str) -> list[PriceRow]:
    """Return the newest catalogue and the tenant's overrides, a later override of the same day in its place."""
    version = catalogue_version(session)
    listed = session.scalars(select(CataloguePrice).where(CataloguePrice.version == version))
    rows = [_row(price, per_request=price.per_request, tokens=price.min_input_tokens) for price in listed]
    own = session.scalars(
        select(PriceOverride).where(PriceOverride.tenant_id == tenant_id).order_by(PriceOverride.created_at)
    )
    newest = {(price.provider, price.model, price.valid_from): price for price in own}
    return rows + [_row(price, is_override=True) for price in newest.values()]


def _identity(row: PriceRow) -> tuple[Any, ...]:
    return (row.version, row.provider, row.model, row.valid_from, row.min_input_tokens)


def _shared_values(row: PriceRow) -> dict[str, Any]:
    return {
        "version": row.version,
        "provider": row.provider,
        "model": row.model,
        "valid_from": row.valid_from or ALWAYS,
        "input_per_million": row.input_per_million,
        "output_per_million": row.output_per_million,
        "cache_read_per_million": row.cache_read_per_million,
        "cache_write_per_million": row.cache_write_per_million,
        "currency": row.currency,
    }


def _catalogue_values(row: PriceRow, now: datetime) -> dict[str, Any]:
    extra = {"min_input_tokens": row.min_input_tokens, "per_request": row.per_request, "loaded_at": now}
    return {**_shared_values(row), **extra}


def _row(
    price: CataloguePrice | PriceOverride,
    *,
    per_request: Decimal = Decimal(0),
    tokens: int = 0,
    is_override: bool = False,
) -> PriceRow:
    return PriceRow(
        provider=price.provider,
        model=price.model,
        input_per_million=price.input_per_million,
        output_per_million=price.output_per_million,
        cache_read_per_million=price.cache_read_per_million,
        cache_write_per_million=price.cache_write_per_million,
        per_request=per_request,
        currency=price.currency,
        valid_from=None if price.valid_from == ALWAYS else price.valid_from,
        min_input_tokens=tokens,
        version=price.version,
        is_override=is_override,
    )
