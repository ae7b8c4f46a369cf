from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comptroller.domains.notices.engine.routing import (
    ATTEMPTS_MAX,
    Notice,
    check_rules,
    ready_at,
    retry_after,
    rules_as_json,
    rules_of_json,
    wants,
)
from comptroller.domains.notices.engine.times import read_times
from comptroller.enums import Severity
from comptroller.errors import InvalidInputError
from comptroller.types.notices import ChannelRules

NIGHT = datetime(2026, 3, 10, 2, 30, tzinfo=UTC)  # a Tuesday
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
OPENED = Notice("incident.opened", Severity.HIGH, {"team": "research"})

CASES = [
    (ChannelRules(), True),
    (ChannelRules(severity=Severity.HIGH), True),
    (ChannelRules(severity=Severity.CRITICAL), False),
    (ChannelRules(kinds=("incident",)), True),
    (ChannelRules(kinds=("incident.opened",)), True),
    (ChannelRules(kinds=("limit", "kill")), False),
    (ChannelRules(kinds=("inc",)), False),
    (ChannelRules(where={"team": ("research", "web")}), True),
    (ChannelRules(where={"team": ("web",)}), False),
    (ChannelRules(where={"region": ("eu",)}), False),
    (ChannelRules(only="mon-fri 08:00-18:00"), True),
    (ChannelRules(only="sat-sun 00:00-23:59"), False),
    (ChannelRules(only="08:00-11:00", timezone="Asia/Tokyo"), False),
]


@pytest.mark.parametrize(("rules", "expected"), CASES)
def test_a_channel_tells_what_its_rules_name(rules: ChannelRules, expected: bool):
    assert wants(rules, OPENED, NOON) is expected


def test_quiet_hours_delay_what_is_not_critical():
    rules = ChannelRules(quiet="22:00-07:00")
    assert ready_at(rules, Severity.HIGH, NIGHT) == datetime(2026, 3, 10, 7, 0, tzinfo=UTC)
    assert ready_at(rules, Severity.CRITICAL, NIGHT) == NIGHT
    assert ready_at(rules, Severity.HIGH, NOON) == NOON


def test_quiet_hours_follow_the_zone_over_a_change_of_the_clock():
    rules = ChannelRules(quiet="22:00-07:00", timezone="Europe/Berlin")
    before = datetime(2026, 3, 28, 22, 0, tzinfo=UTC)  # 23:00 in Berlin; the clock is set forward at 01:00 UTC
    assert ready_at(rules, Severity.LOW, before) == datetime(2026, 3, 29, 5, 0, tzinfo=UTC)


def test_gathering_waits_after_quiet_hours_and_never_for_critical():
    rules = ChannelRules(quiet="22:00-07:00", group_seconds=30)
    assert ready_at(rules, Severity.LOW, NOON) == NOON + timedelta(seconds=30)
    assert ready_at(rules, Severity.LOW, NIGHT) == datetime(2026, 3, 10, 7, 0, 30, tzinfo=UTC)
    assert ready_at(rules, Severity.CRITICAL, NOON) == NOON


@given(attempts=st.integers(1, ATTEMPTS_MAX), luck=st.floats(0, 1, exclude_max=True))
def test_waits_grow_are_spread_and_have_a_bound(attempts: int, luck: float):
    wait = retry_after(attempts, luck).total_seconds()
    full = min(5 * 2 ** (attempts - 1), 3600)
    assert full / 2 <= wait <= full


@pytest.mark.parametrize("text", ["", "7-9", "25:00-26:00", "mon-xyz 08:00-09:00", "08:00", "mon 08:00-09:00 tue"])
def test_times_that_are_not_understood_are_refused(text: str):
    with pytest.raises(InvalidInputError, match="are not understood"):
        read_times(text, "UTC")


@pytest.mark.parametrize(
    "rules",
    [ChannelRules(kinds=("mail",)), ChannelRules(group_seconds=-1), ChannelRules(quiet="x"),
     ChannelRules(only="08:00-09:00", timezone="Mars/Base")],
)  # fmt: skip
def test_rules_that_are_not_acceptable_are_refused(rules: ChannelRules):
    with pytest.raises(InvalidInputError):
        check_rules(rules)


def test_rules_survive_their_storage():
    rules = ChannelRules(
        Severity.HIGH, ("limit",), {"team": ("a", "b")}, "08:00-09:00", "22:00-07:00", "UTC", 30, 60, True
    )
    assert rules_of_json(rules_as_json(rules)) == rules
