"""Bounds of a limit's windows: half-open, aware UTC, and without a gap or an overlap in any zone.

Minutes and hours are counted in UTC, so that each lasts as long as the next. A day begins with the first instant of
its date in the limit's zone; weeks begin on Monday.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, assert_never
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from comptroller.checks import shown
from comptroller.enums import Window
from comptroller.errors import InvalidInputError

# Where a window has no bounds of its own (a run, a lifetime), its balance is keyed by this instant.
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
SHORT: Final = frozenset({Window.MINUTE, Window.HOUR})
_ZONE_MAX: Final = 64
_QUARTER: Final = 3


@dataclass(frozen=True, slots=True)
class Bounds:
    """A period from ``start`` to ``end``, the end excluded; without an end it lasts for ever."""

    start: datetime
    end: datetime | None


def zone(name: object) -> tzinfo:
    """Return the IANA zone of that name.

    Raises:
        InvalidInputError: If there is none.
    """
    if not isinstance(name, str) or not name or len(name) > _ZONE_MAX:
        raise InvalidInputError(f"timezone {shown(name)} is no IANA name such as Europe/Berlin or UTC")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInputError(f"timezone {shown(name)} does not exist: use an IANA name such as UTC") from error


def bounds(window: Window, place: tzinfo, at: datetime) -> Bounds:
    """Return the window that holds an instant.

    Args:
        window: The kind of period.
        place: The zone whose calendar counts.
        at: An aware instant.
    """
    match window:
        case Window.MINUTE:
            start = at.astimezone(UTC).replace(second=0, microsecond=0)
            return Bounds(start, start + timedelta(minutes=1))
        case Window.HOUR:
            start = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
            return Bounds(start, start + timedelta(hours=1))
        case Window.RUN | Window.LIFETIME:
            return Bounds(EPOCH, None)
        case Window.DAY | Window.WEEK | Window.MONTH | Window.QUARTER | Window.YEAR:
            return _calendar_bounds(window, place, at)
    assert_never(window)


def _calendar_bounds(window: Window, place: tzinfo, at: datetime) -> Bounds:
    first = _first_day(window, at.astimezone(place).date())
    start, end = first_instant(first, place), first_instant(_next_day(window, first), place)
    while at >= end:  # a clock set back over midnight shows the old date again
        first = _next_day(window, first)
        start, end = end, first_instant(_next_day(window, first), place)
    return Bounds(start, end)


def first_instant(day: date, place: tzinfo) -> datetime:
    """Return the first instant of a date; where midnight is skipped, that is when the clock is set forward."""
    return datetime.combine(day, time(), place).astimezone(UTC)


def _first_day(window: Window, day: date) -> date:
    match window:
        case Window.DAY:
            return day
        case Window.WEEK:
            return day - timedelta(days=day.weekday())
        case Window.QUARTER:
            return day.replace(month=day.month - (day.month - 1) % _QUARTER, day=1)
        case Window.YEAR:
            return day.replace(month=1, day=1)
        case _:
            return day.replace(day=1)


def _next_day(window: Window, first: date) -> date:
    match window:
        case Window.DAY:
            return first + timedelta(days=1)
        case Window.WEEK:
            return first + timedelta(days=7)
        case Window.QUARTER:
            return _months_later(first, _QUARTER)
        case Window.YEAR:
            return first.replace(year=first.year + 1)
        case _:
            return _months_later(first, 1)


def _months_later(first: date, months: int) -> date:
    month = first.month - 1 + months
    return first.replace(year=first.year + month // 12, month=month % 12 + 1)
