from datetime import timedelta
from typing import Any

import pytest

from comptroller.errors import InvalidInputError, NotFoundError
from comptroller.money import Money
from desks import NOON, TurnedClock


def spend(ct: Any, amount: str, **who: str) -> None:
    ct.reserve(amount, **who).settle(amount)


def test_explain_lists_each_limit_that_applies_where_it_stands(ct: Any):
    ct.limits.create("daily", ceiling="10 USD", every="day", timezone="Europe/Berlin")
    ct.limits.create("calls", ceiling="100 requests", every="minute")
    ct.limits.create("other", ceiling="1 USD", where={"team": "other"})
    spend(ct, "2 USD", user="ana")
    ct.reserve("3 USD", user="ana")
    told = {each.limit.name: each for each in ct.explain(user="ana").standings}
    assert set(told) == {"daily", "calls"}
    daily = told["daily"]
    assert (str(daily.spent), str(daily.held), str(daily.left)) == ("2 USD", "3 USD", "5 USD")
    assert daily.window_end == NOON.replace(hour=23)
    assert str(told["calls"].left) == "98 requests"


def test_explain_names_the_override_in_force_and_the_kill(ct: Any):
    ct.limits.create("daily", ceiling="10 USD", every="day")
    made = ct.limits.override("daily", ceiling="20 USD", seconds=60, why="launch")
    ct.kill(where={"user": "ana"}, why="lost key")
    told = ct.explain(user="ana")
    assert (told.standings[0].ceiling, told.standings[0].override_id) == (Money.parse("20 USD"), made.id)
    assert told.killed == "lost key"
    assert ct.explain(user="bob").killed is None


def test_a_past_decision_is_explained_by_its_hold(ct: Any):
    ct.limits.create("daily", ceiling="10 USD", every="day")
    hold = ct.reserve("4 USD", user="ana")
    assert ct.explain_hold(hold.id).is_open
    hold.settle("1 USD", price_version="v1")
    told = ct.explain_hold(hold.id)
    assert (told.limits, told.dimensions, told.settled_ratio) == (("daily",), {"user": "ana"}, 0.25)
    assert [(step.kind.value, str(step.amount), step.price_version) for step in told.steps] == [
        ("reserve", "4 USD", None),
        ("settle", "1 USD", "v1"),
    ]
    with pytest.raises(NotFoundError):
        ct.explain_hold("0" * 32)


def test_top_shows_what_was_spent_held_left_and_refused(ct: Any, clock: TurnedClock):
    ct.limits.create("per-user", ceiling="5 USD", every="day", per=["user"])
    spend(ct, "1 USD", user="old")
    clock.turn(hours=2)
    spend(ct, "2 USD", user="ana")
    ct.reserve("1 USD", user="bob")
    with pytest.raises(Exception, match="per-user"):
        ct.reserve("9 USD", user="bob")
    rows = {row.value: row for row in ct.top(by="user")}
    assert set(rows) == {"ana", "bob"}
    assert (str(rows["ana"].per_hour), str(rows["ana"].left)) == ("2 USD", "3 USD")
    assert (str(rows["bob"].held), rows["bob"].refusals) == ("1 USD", 1)
    with pytest.raises(InvalidInputError):
        ct.top(by="user", count=0)


def test_a_forecast_says_when_a_balance_runs_out_with_a_band(ct: Any, clock: TurnedClock):
    ct.limits.create("total", ceiling="10 USD")
    ct.limits.create("daily", ceiling="9 USD", every="day")
    clock.now = NOON.replace(hour=0)
    for amount in ("1 USD", "3 USD", "1 USD", "1 USD"):
        spend(ct, amount)
        clock.turn(hours=1)
    told = {each.standing.limit.name: each for each in ct.forecast()}
    assert told["total"].per_hour == Money.parse("1.5 USD")
    assert told["total"].runs_out_at == clock.now + timedelta(hours=4 / 1.5)
    assert told["total"].earliest_at == clock.now + timedelta(hours=4 / 3)
    assert told["total"].latest_at == clock.now + timedelta(hours=4)
    assert told["daily"].runs_out_at == clock.now + timedelta(hours=2)


def test_doctor_finds_nothing_where_nothing_is_wrong(ct: Any, is_async: bool, database_url: str):
    ct.limits.create("total", ceiling="10 USD")
    spend(ct, "1 USD")
    # The tests' PostgreSQL is not durable, and their clock stands in the past: doctor must say so, and nothing else.
    expected = {"durability", "clocks"} if database_url.startswith("postgresql") else set()
    assert {one.name for one in ct.doctor()} == expected


def test_doctor_finds_what_keeps_limits_from_being_kept(ct: Any, clock: TurnedClock):
    ct.limits.create("dollars", ceiling="10 USD", where={"team": "a"})
    ct.limits.create("euros", ceiling="10 EUR", where={"user": "ana"})
    ct.limits.create("ended", ceiling="1 JPY", where={"team": "b"}, effective_until=NOON + timedelta(minutes=1))
    for _ in range(20):
        ct.reserve("1 USD", team="c").settle("0.1 USD")
    ct.reserve("1 USD", team="a", seconds=1)
    clock.turn(minutes=12)
    found = {(one.name, one.is_grave) for one in ct.doctor()} - {("durability", True), ("clocks", True)}
    assert found == {
        ("currencies", True),
        ("ungoverned", True),
        ("worker", True),
        ("holds", False),
        ("over", False),
    }
