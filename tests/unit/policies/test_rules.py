from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from comptroller.domains.policies.engine.rules import draft_limit, redraft, threshold_quanta
from comptroller.enums import LimitMode, Window
from comptroller.errors import InvalidInputError
from comptroller.money import Money

PLAIN: dict[str, Any] = {
    "name": "research",
    "ceiling": "500 USD",
    "every": "month",
    "timezone": "UTC",
    "where": {},
    "per": (),
    "require": (),
    "mode": "block",
    "warn_at": (),
    "opens_incident": False,
    "effective_from": None,
    "effective_until": None,
}


def test_a_limit_is_stored_in_quanta_of_its_unit():
    draft = draft_limit(**PLAIN | {"where": {"team": "b", "agent": "a"}, "per": ["user", "user"], "warn_at": ["80 %"]})
    assert (draft.unit, draft.ceiling_quanta) == ("USD", 500 * 10**9)
    assert (draft.where, draft.per, draft.warn_at) == ((("agent", "a"), ("team", "b")), ("user",), ("80%",))
    assert (draft.every, draft.mode) == (Window.MONTH, LimitMode.BLOCK)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"ceiling": 5.0}, "float"),
        ({"ceiling": Decimal(5)}, "Decimal"),
        ({"ceiling": "-1 USD"}, "above zero"),
        ({"ceiling": "0 USD"}, "above zero"),
        ({"ceiling": Money(Decimal(0), "USD")}, "above zero"),
        ({"ceiling": "NaN USD"}, "not understood"),
        ({"ceiling": "5 XXX"}, "unknown unit"),
        ({"ceiling": "5 bananas"}, "unknown unit"),
        ({"ceiling": "5"}, "not understood"),
        ({"ceiling": "1e3 USD"}, "not understood"),
        ({"ceiling": "1.5 requests"}, "whole number"),
        ({"ceiling": "99999999999 USD"}, "out of range"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"every": "fortnight"}, "every"),
        ({"mode": "maybe"}, "mode"),
        ({"name": ""}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"where": {"Team": "a"}}, "dimension"),
        ({"where": {"team": ""}}, "team"),
        ({"where": {"team": 5}}, "team"),
        ({"where": "team=a"}, "mapping"),
        ({"per": "user"}, "list"),
        ({"per": ["No Name"]}, "dimension"),
        ({"require": ["team", 7]}, "dimension"),
        ({"warn_at": "80%"}, "list"),
        ({"warn_at": ["0%"]}, "above zero"),
        ({"warn_at": ["5 EUR"]}, "not in USD"),
        ({"warn_at": ["-5 USD"]}, "above zero"),
        ({"warn_at": [0.8]}, "float"),
        ({"warn_at": [f"{n}%" for n in range(1, 18)]}, "at most 16"),
        ({"opens_incident": 1}, "true or false"),
        ({"effective_from": datetime(2025, 1, 1)}, "time zone"),  # noqa: DTZ001 — the point
        (
            {"effective_from": datetime(2025, 1, 2, tzinfo=UTC), "effective_until": datetime(2025, 1, 1, tzinfo=UTC)},
            "before",
        ),
        ({"ceiling": "3 runs", "every": "day"}, "runs"),
    ],
)
def test_a_value_that_is_not_acceptable_is_named(changed: dict[str, Any], named: str):
    with pytest.raises(InvalidInputError, match=named):
        draft_limit(**PLAIN | changed)


def test_a_limit_on_runs_is_a_gauge_without_a_window():
    assert draft_limit(**PLAIN | {"ceiling": "3 runs", "every": None}).every is Window.LIFETIME


def test_another_unit_is_no_change_but_another_limit():
    with pytest.raises(InvalidInputError, match="create another"):
        redraft(draft_limit(**PLAIN), {"ceiling": "500 EUR"})


@pytest.mark.parametrize(
    ("threshold", "quanta"), [("80%", 8 * 10**9), ("33.3333%", 3_333_330_000), ("4 USD", 4 * 10**9)]
)
def test_a_threshold_is_an_amount_under_the_ceiling_then_in_force(threshold: str, quanta: int):
    assert threshold_quanta(threshold, "USD", 10 * 10**9) == quanta


def test_a_threshold_between_two_quanta_is_crossed_at_the_upper_one():
    assert threshold_quanta("33%", "requests", 10) == 4
