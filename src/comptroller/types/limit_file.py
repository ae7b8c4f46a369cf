"""Limits as a file, and what it would change or would have refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from comptroller.money import Money


class PlannedStep(StrEnum):
    """What applying a file does to one limit."""

    CREATE = "create"
    UPDATE = "update"
    ARCHIVE = "archive"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """One limit of a file beside the one in force: each changed value, before and after."""

    name: str
    step: PlannedStep
    changes: Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class PastCall:
    """One call of the past: when, what it cost, who made it."""

    at: datetime
    cost: Money
    requests: int
    tokens: int | None
    dimensions: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a file would have done to past calls.

    Args:
        refused: How many calls it would have refused, by the limits that did.
        saved: Their cost, in each currency.
        first: The first refused calls, at most 100, with the limits that refused.
    """

    calls: int
    refused: int
    by_limit: Mapping[str, int]
    saved: Mapping[str, Decimal]
    first: tuple[tuple[PastCall, tuple[str, ...]], ...]
