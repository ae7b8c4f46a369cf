"""What all tables share: naming of constraints, column types, the closed-set check."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, DateTime, Dialect, MetaData, Numeric, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator, TypeEngine

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
# Long enough for ids of the caller's own tables; the contract's functions refuse longer ones by name.
ID_LENGTH = 255
Id = String(ID_LENGTH)
Quanta = BigInteger
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

# Tables without a tenant, each with its reason; a test compares this list with the metadata.
GLOBAL_TABLES = {
    "catalogue_prices": "list prices are the same for everybody; a tenant's overrides are a tenant table",
    "tenants": "the directory of tenants, kept by the home tenant; a worker reads it to go from one to the next",
    "api_keys": "credentials: a key is found by its hash before its tenant is known",
    "users": "logins: a person is found by the address before the tenant is known",
    "login_sessions": "sessions: found by the hash of a cookie before the tenant is known",
    "login_attempts": "logins: also those of addresses that belong to no tenant are counted",
    "one_time_links": "credentials: a link is found by its hash before the tenant is known",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant in UTC; SQLite keeps it as sortable text."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive instant; hand SQLite the UTC wall time."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"instant {value} has no time zone")
        return value.astimezone(UTC).replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 — fixed signature
        """Return the instant aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal kept digit for digit: NUMERIC on PostgreSQL, text on SQLite."""

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the storage that loses no digit."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else Numeric(asdecimal=True))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """Write plain digits, never an exponent, where the storage is text."""
        if value is None or dialect.name != "sqlite":
            return value
        return format(value, "f")

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002 — fixed signature
        """Return the digits as they were stored."""
        return None if value is None else Decimal(value)


def one_of(column: str, members: type[StrEnum]) -> CheckConstraint:
    """Return a check that a column holds a member of a closed set (or NULL)."""
    words = ", ".join(f"'{member.value}'" for member in members)
    return CheckConstraint(f"{column} IN ({words})", name=column)


class Base(DeclarativeBase):
    """The declarative base; its metadata is the whole schema."""

    metadata = MetaData(naming_convention=NAMING)
