"""What was spent, as callers ask for it."""

from dataclasses import dataclass
from datetime import date

from comptroller.money import Money


@dataclass(frozen=True, slots=True)
class DayCost:
    """What one value of a dimension cost on one day in one currency, by the current deliveries."""

    day: date
    dimension: str
    value: str
    cost: Money
