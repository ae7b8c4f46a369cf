"""Breaches as callers see them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from comptroller.enums import BreachType


@dataclass(frozen=True, slots=True)
class Breach:
    """A recorded crossing or refusal; repeats within one window share one, and count up its occurrences."""

    id: str
    limit_id: str
    breach_type: BreachType
    value_at_breach: Decimal
    limit_value: Decimal
    run_id: str | None
    incident_id: str | None
    details: dict[str, Any] | None
    occurrences: int
    recorded_at: datetime
    last_at: datetime
