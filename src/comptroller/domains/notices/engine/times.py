"""Times of the week, as people write them: ``mon-fri 08:00-18:00``, ``22:00-07:00``."""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from comptroller.errors import InvalidInputError

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FORM: Final = re.compile(r"(?:([a-z]{3})(?:-([a-z]{3}))?\s+)?(\d{2}):(\d{2})-(\d{2}):(\d{2})")


@dataclass(frozen=True, slots=True)
class Times:
    """A daily stretch on some days of the week; over midnight it belongs to the day it begins on."""

    days: frozenset[int]
    start: time
    end: time
    place: tzinfo

    def end_of(self, now: datetime) -> datetime | None:
        """Return when the stretch that holds an instant ends, or None outside of them."""
        local = now.astimezone(self.place)
        for back in (0, 1):
            day = (local - timedelta(days=back)).date()
            if day.weekday() not in self.days:
                continue
            first = datetime.combine(day, self.start, self.place)
            over = self.end <= self.start
            last = datetime.combine(day + timedelta(days=1) if over else day, self.end, self.place)
            if first <= local < last:
                return last.astimezone(now.tzinfo)
        return None


def read_times(text: str, timezone: str) -> Times:
    """Return times as they are written.

    Raises:
        InvalidInputError: If they are not understood.
    """
    match = _FORM.fullmatch(text.strip().lower())
    form = f"times {text!r} in {timezone!r} are not understood: write '22:00-07:00' or 'mon-fri 08:00-18:00'"
    if match is None:
        raise InvalidInputError(form)
    try:
        place = ZoneInfo(timezone)
        first, last, *clock = match.groups()
        start, end = time(int(clock[0]), int(clock[1])), time(int(clock[2]), int(clock[3]))
        return Times(_days(first, last), start, end, place)
    except (ValueError, ZoneInfoNotFoundError, OSError) as error:
        raise InvalidInputError(form) from error


def _days(first: str | None, last: str | None) -> frozenset[int]:
    if first is None:
        return frozenset(range(7))
    begin = _DAYS.index(first)
    length = 0 if last is None else (_DAYS.index(last) - begin) % 7
    return frozenset((begin + step) % 7 for step in range(length + 1))
