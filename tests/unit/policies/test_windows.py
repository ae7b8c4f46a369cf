from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comptroller.domains.policies.engine.windows import EPOCH, Bounds, bounds, first_instant, zone
from comptroller.enums import Window
from comptroller.errors import InvalidInputError

ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",  # set forward and back at midnight
    "America/Havana",  # set forward at midnight
    "Asia/Beirut",  # set back at midnight into the day before
    "Africa/Cairo",
    "Australia/Lord_Howe",  # by half an hour
    "Pacific/Chatham",  # 12:45 and 13:45 ahead
    "Africa/Casablanca",  # set back for Ramadan
    "America/Asuncion",  # stopped changing in 2024
]
ENDS: list[tzinfo] = [timezone(timedelta(hours=14)), timezone(timedelta(hours=-14)), ZoneInfo("Pacific/Kiritimati")]
CALENDAR = [Window.DAY, Window.WEEK, Window.MONTH, Window.QUARTER, Window.YEAR]
SHORTER = [Window.MINUTE, Window.HOUR]
FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)


def changes(place: tzinfo) -> list[datetime]:
    """Every instant in 2024 to 2030 at which the zone's offset changes."""
    found = []
    for hour in range(int((LAST - FIRST) / timedelta(hours=6))):
        before, after = FIRST + timedelta(hours=6 * hour), FIRST + timedelta(hours=6 * hour + 6)
        while after - before > timedelta(seconds=1):
            if before.astimezone(place).utcoffset() == after.astimezone(place).utcoffset():
                break
            middle = before + (after - before) / 2
            same = before.astimezone(place).utcoffset() == middle.astimezone(place).utcoffset()
            before, after = (middle, after) if same else (before, middle)
        else:
            found.append(after.replace(microsecond=0))
    return found


def holds(window: Bounds, at: datetime) -> bool:
    return window.start <= at and (window.end is None or at < window.end)


@pytest.mark.parametrize("name", ZONES)
def test_no_instant_around_a_clock_change_is_in_two_windows_or_in_none(name: str):
    place = ZoneInfo(name)
    seen = changes(place)
    assert len(seen) >= 1, name
    for change in seen:
        for window in (*CALENDAR, *SHORTER):
            for shift in (-86400, -3600, -1800, -1, -0.001, 0, 0.001, 1, 1800, 3600, 7200, 86400):
                at = change + timedelta(seconds=shift)
                found = bounds(window, place, at)
                assert found.end is not None
                assert holds(found, at)
                assert bounds(window, place, found.start) == found
                assert bounds(window, place, found.end - timedelta(microseconds=1)) == found
                following = bounds(window, place, found.end)
                assert following.start == found.end
                assert found.start.tzinfo is UTC


@pytest.mark.parametrize("name", ZONES)
def test_a_year_of_days_has_no_gap_and_no_overlap(name: str):
    place = ZoneInfo(name)
    days = []
    at = first_instant(date(2024, 1, 1), place)
    while at < LAST:
        window = bounds(Window.DAY, place, at)
        assert window.end is not None
        days.append(window)
        at = window.end
    assert all(before.end == after.start for before, after in pairwise(days))
    lengths = {(day.end - day.start) / timedelta(hours=1) for day in days if day.end}
    assert lengths <= {23, 23.5, 24, 24.5, 25}
    dates = [day.start.astimezone(place).date() for day in days]
    assert all(after - before == timedelta(days=1) for before, after in pairwise(dates))


def test_a_day_of_24_hours_is_never_32_hours():
    start = bounds(Window.DAY, ZoneInfo("America/Los_Angeles"), datetime(2025, 6, 1, 3, tzinfo=UTC))
    assert start == Bounds(datetime(2025, 5, 31, 7, tzinfo=UTC), datetime(2025, 6, 1, 7, tzinfo=UTC))


def test_day_begins_when_the_clock_is_set_forward_over_midnight():
    place = ZoneInfo("America/Havana")
    found = bounds(Window.DAY, place, datetime(2025, 3, 9, 12, tzinfo=UTC))
    assert found == Bounds(datetime(2025, 3, 9, 5, tzinfo=UTC), datetime(2025, 3, 10, 4, tzinfo=UTC))


@pytest.mark.parametrize("place", ENDS)
def test_days_at_the_ends_of_the_earth_are_24_hours(place: tzinfo):
    at = datetime(2028, 2, 29, 12, tzinfo=UTC)
    found = bounds(Window.DAY, place, at)
    assert found.end == found.start + timedelta(days=1)
    assert found.start.astimezone(place).time() == datetime.min.time()
    assert holds(found, at)


@pytest.mark.parametrize(
    ("window", "day", "start", "end"),
    [
        (Window.DAY, "2024-02-29", "2024-02-29", "2024-03-01"),
        (Window.MONTH, "2024-02-29", "2024-02-01", "2024-03-01"),
        (Window.MONTH, "2027-02-28", "2027-02-01", "2027-03-01"),
        (Window.MONTH, "2025-12-31", "2025-12-01", "2026-01-01"),
        (Window.QUARTER, "2024-02-29", "2024-01-01", "2024-04-01"),
        (Window.QUARTER, "2025-11-24", "2025-10-01", "2026-01-01"),
        (Window.WEEK, "2024-02-29", "2024-02-26", "2024-03-04"),
        (Window.WEEK, "2025-01-01", "2024-12-30", "2025-01-06"),
        (Window.YEAR, "2024-02-29", "2024-01-01", "2025-01-01"),
    ],
)
def test_calendar_windows_begin_where_people_say(window: Window, day: str, start: str, end: str):
    at = datetime.fromisoformat(day).replace(hour=13, tzinfo=UTC)
    found = bounds(window, UTC, at)
    expected = [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (start, end)]
    assert [found.start, found.end] == expected


@pytest.mark.parametrize("window", [Window.RUN, Window.LIFETIME])
def test_runs_and_lifetimes_have_no_end(window: Window):
    assert bounds(window, UTC, datetime(2025, 1, 1, tzinfo=UTC)) == Bounds(EPOCH, None)


@given(
    st.sampled_from([*CALENDAR, *SHORTER]),
    st.sampled_from(ZONES),
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 — hypothesis wants them naive
)
def test_every_instant_is_in_its_window(window: Window, name: str, at: datetime):
    found = bounds(window, ZoneInfo(name), at)
    assert holds(found, at)
    assert found.end is not None
    assert bounds(window, ZoneInfo(name), found.end).start == found.end


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "Europe", "x" * 100, None, 7, "UTC\x00"])
def test_a_zone_that_does_not_exist_is_refused_by_name(name: object):
    with pytest.raises(InvalidInputError, match="timezone"):
        zone(name)
