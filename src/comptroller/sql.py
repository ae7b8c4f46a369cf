"""Statements written once with ``:name`` parameters, kept ready for each driver."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, CursorResult

_PARAMETER: Final = re.compile(r"(?<!:):([a-z_]+)")
_JSON_CAST: Final = re.compile(r"CAST\((:[a-z_]+|'[^']*') AS JSONB\)")


class Statement:
    """One statement in both dialects; executing it skips compilation and never flushes the session.

    Args:
        postgresql: The statement with ``:name`` parameters.
        sqlite: SQLite's wording where it differs by more than ``CAST(… AS JSONB)``.
    """

    def __init__(self, postgresql: str, sqlite: str | None = None) -> None:
        self._texts = {
            "postgresql": _PARAMETER.sub(r"%(\1)s", postgresql),
            "sqlite": _JSON_CAST.sub(r"\1", sqlite or postgresql),
        }

    def execute(self, conn: Connection, parameters: Mapping[str, Any]) -> CursorResult[*tuple[Any, ...]]:
        """Execute over the connection; instants and decimals take the form in which SQLite stores them."""
        name = conn.dialect.name
        bound = as_lite(parameters) if name == "sqlite" else parameters
        return conn.exec_driver_sql(self._texts[name], bound)


def as_lite(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters as SQLite's driver takes them."""
    return {name: lite_value(value) for name, value in parameters.items()}


def lite_value(value: Any) -> Any:
    """Return one value as SQLite stores it: instants as UTC text, decimals as plain digits."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return format(value, "f") if isinstance(value, Decimal) else value
