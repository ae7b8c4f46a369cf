"""What the calendar says of a day: weekday, edges of the month, the same day of earlier months."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from comptroller.domains.analytics.engine.thresholds import FIRST_DAYS, LAST_DAYS

MONTHS_BACK = 3
THIRTY = (30, 60, 90)
"""Some providers bill every thirty days."""
MEMORY = 96
"""Days remembered: three months and the slack between them."""


@dataclass(frozen=True, slots=True)
class DayFacts:
    """Hold what is known of a day before it begins.

    Attributes:
        ordinal: The day as a number.
        weekday: 0 is Monday.
        is_edge: Whether it is among the first or last days of its month.
        same_number: Days back to the same day number in earlier months, the nearest first.
        same_distance: Days back to the day with the same distance to the month's end.
    """

    ordinal: int
    weekday: int
    is_edge: bool
    same_number: tuple[int, ...]
    same_distance: tuple[int, ...]


def day_facts(day: date) -> DayFacts:
    """Return the facts of one day."""
    to_end = (_month_end(day) - day).days
    ends = list(_earlier_month_ends(day))
    numbers = [(day - end.replace(day=day.day)).days for end in ends if day.day <= end.day]
    distances = [(day - end).days + to_end for end in ends if to_end < end.day]
    return DayFacts(
        ordinal=day.toordinal(),
        weekday=day.weekday(),
        is_edge=to_end < LAST_DAYS or day.day <= FIRST_DAYS,
        same_number=tuple(lag for lag in numbers if lag < MEMORY),
        same_distance=tuple(lag for lag in distances if lag < MEMORY),
    )


def _month_end(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def _earlier_month_ends(day: date) -> Iterator[date]:
    end = day
    for _ in range(MONTHS_BACK):
        end = end.replace(day=1) - timedelta(days=1)
        yield end
