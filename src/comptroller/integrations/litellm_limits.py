"""Read the budgets of a LiteLLM database, without writing to it, as a file of limits that only observe."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from comptroller.errors import BadFileError
from comptroller.money import Money

# LiteLLM's durations that are a window of ours; its others have no fixed beginning.
_WINDOWS: Final = {
    "1m": "minute",
    "60s": "minute",
    "1h": "hour",
    "60m": "hour",
    "1d": "day",
    "24h": "day",
    "7d": "week",
    "1w": "week",
    "30d": "month",
    "1mo": "month",
    "365d": "year",
}
_COLUMNS: Final = "max_budget, budget_duration, tpm_limit, rpm_limit"
# Dimension, what names the value, and where the budget stands.
_QUERIES: Final = (
    ("key", f'SELECT coalesce(key_alias, token) AS value, {_COLUMNS} FROM "LiteLLM_VerificationToken"'),
    ("team", f'SELECT coalesce(team_alias, team_id) AS value, {_COLUMNS} FROM "LiteLLM_TeamTable"'),
    ("user", f'SELECT user_id AS value, {_COLUMNS} FROM "LiteLLM_UserTable"'),
    (
        "end_user",
        f"""SELECT e.user_id AS value, {_COLUMNS} FROM "LiteLLM_EndUserTable" AS e
            JOIN "LiteLLM_BudgetTable" AS b ON b.budget_id = e.budget_id""",
    ),
)


@dataclass(frozen=True, slots=True)
class ImportedLimits:
    """Limits as the text of a TOML file, and the budgets that could not be taken over, with the reason."""

    toml: str
    limits: int
    left_out: tuple[str, ...]


def read_litellm(url: str) -> ImportedLimits:
    """Return the budgets and rates of keys, teams, users and end users as limits in mode ``observe``.

    Raises:
        BadFileError: If the database cannot be read, or is none of LiteLLM's.
    """
    tables: list[str] = []
    left_out: list[str] = []
    try:
        with psycopg.connect(url.replace("postgresql+psycopg:", "postgresql:"), row_factory=dict_row) as connection:
            connection.read_only = True
            for dimension, query in _QUERIES:
                for row in connection.execute(query + " ORDER BY value"):
                    tables += _limits(dimension, row, left_out)
    except psycopg.Error as error:
        raise BadFileError(f"the LiteLLM database cannot be read: {' '.join(str(error).split())}") from error
    return ImportedLimits("\n".join(tables), len(tables), tuple(left_out))


def _limits(dimension: str, row: dict[str, Any], left_out: list[str]) -> Iterator[str]:
    name = f"{dimension}-{row['value']}"
    where = {dimension: str(row["value"])}
    if row["max_budget"] is not None:
        every = _WINDOWS.get(row["budget_duration"] or "", "" if row["budget_duration"] else "lifetime")
        amount = Decimal(repr(row["max_budget"]))
        if not every or not amount.is_finite() or amount <= 0:
            left_out.append(f"{name}: {amount} USD every {row['budget_duration']}")
        else:
            yield _table(f"{name}-budget", str(Money(amount, "USD")), every, where)
    for column, unit in (("tpm_limit", "tokens"), ("rpm_limit", "requests")):
        if row[column]:
            yield _table(f"{name}-{unit}", f"{row[column]} {unit}", "minute", where)


def _table(name: str, ceiling: str, every: str, where: dict[str, str]) -> str:
    pairs = ", ".join(f"{key} = {json.dumps(value)}" for key, value in where.items())
    return (
        f"[[limit]]\nname = {json.dumps(name)}\nceiling = {json.dumps(ceiling)}\nevery = {json.dumps(every)}\n"
        f'where = {{ {pairs} }}\nmode = "observe"\n'
    )
