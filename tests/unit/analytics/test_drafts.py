"""Descriptions: one sentence that says who burns how much, against what, since when, and why."""

from decimal import Decimal

import pytest

from comptroller.domains.analytics.engine.drafts import Carrier, days_of, describe, next_id
from comptroller.enums import AnomalyKind, Grain
from unit.analytics.made_bills import FIRST, UNIT, key
from unit.analytics.test_severity import draft

EC2 = key("service", "AmazonEC2")
PLACES = (Carrier(key("account", "123"), 0.97), Carrier(key("region", "eu-west-1"), 0.99), Carrier(EC2, 1.0))


def told(actual, expected, *, days=1, is_open=False, **more):
    facts = {"primary": EC2, "kind": AnomalyKind.BURST, "actual": int(Decimal(actual) * UNIT)} | more
    return describe(draft(expected=expected, days=days, is_open=is_open, **facts))


def test_a_burst_that_goes_on():
    sentence = told("1236.90", "399", days=3, is_open=True, carriers=PLACES)
    assert sentence == (
        "AmazonEC2 cost 412.30 USD a day since 4 Oct, 3.1 \N{MULTIPLICATION SIGN} the expected 133.00; "
        "97% of it in account 123 / eu-west-1"
    )


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        (told("50", "20"), "AmazonEC2 cost 50.00 USD on 4 Oct, 2.5 \N{MULTIPLICATION SIGN} the expected 20.00"),
        (told("50", "20", is_open=True), "on 4 Oct, 2.5"),
        (told("50", "20", is_open=True, kind=AnomalyKind.SHIFT), "since 4 Oct, 2.5"),
        (told("100", "40", days=2), "cost 50.00 USD a day from 4 Oct to 5 Oct, 2.5"),
        (told("22", "20"), "10% above the expected 20.00"),
        (told("4560", "20"), "cost 4,560 USD on 4 Oct, 228 \N{MULTIPLICATION SIGN} the expected 20.00"),
        (told("123456", "20"), "cost 123,456 USD on 4 Oct, against the expected 20.00"),
        (told("5", "0"), "cost 5.00 USD on 4 Oct, against the expected 0.00"),
        (told("0.000123", "0.00001"), "cost 0.00012 USD on 4 Oct, 12.3"),
        (told("5", "0", kind=AnomalyKind.NEW_SPEND), "is new: 5.00 USD on 4 Oct, where nothing was spent before"),
        (
            told("0", "70", days=2, is_open=True, direction=-1, kind=AnomalyKind.DROP),
            "AmazonEC2 fell silent since 4 Oct: nothing spent, 35.00 USD a day expected",
        ),
        (told("30", "70", direction=-1, kind=AnomalyKind.DROP), "fell to 30.00 USD on 4 Oct, 57% below the expected"),
        (told("50", "20", grain=Grain.HOUR, start=FIRST * 24 + 7, end=FIRST * 24 + 8), "on 4 Oct 07:00 UTC, 2.5"),
        (
            told("50", "20", grain=Grain.HOUR, start=FIRST * 24, end=FIRST * 24 + 2),
            "25.00 USD an hour from 4 Oct 00:00",
        ),
        (
            told("50", "20", grain=Grain.HOUR, start=FIRST * 24 + 22, end=FIRST * 24 + 25, is_open=True),
            "since 4 Oct 22:00 UTC, 2.5",
        ),
        (told("50", "20", grain=Grain.HOUR, start=FIRST * 24 + 22, end=FIRST * 24 + 26), "22:00 to 5 Oct 02:00 UTC"),
    ],
)
def test_every_kind_has_its_sentence(sentence, expected):
    assert expected in sentence


@pytest.mark.parametrize(
    ("series", "name"),
    [
        (key("total", "(total)"), "Total spend cost"),
        (key("account", "123"), "Account 123 cost"),
        (key("tag", "team=ml"), "Tag team=ml cost"),
        (key("model", "gpt-5"), "gpt-5 cost"),
        (key("user", "ana"), "User ana cost"),
    ],
)
def test_every_dimension_has_its_name(series, name):
    assert told("50", "20", primary=series).startswith(name)


def test_what_is_spread_over_several_values_is_told_with_their_shares():
    carriers = (Carrier(key("account", "1"), 0.5), Carrier(key("account", "2"), 0.4))
    assert told("50", "20", carriers=carriers).endswith("; mostly account 1 (50%), account 2 (40%)")


def test_three_places_are_told_the_most_telling_first():
    values = [("tag", "env=prod", 0.9), ("team", "ml", 0.91), ("region", "r", 0.92), ("account", "1", 0.93)]
    values += [("service", "s3", 0.94)]
    carriers = tuple(Carrier(key(dimension, value), share) for dimension, value, share in values)
    sentence = told("50", "20", primary=key("user", "ana"), carriers=carriers)
    assert sentence.endswith("; 92% of it in s3 / account 1 / r")


def test_all_of_it_is_said_in_words():
    assert told("50", "20", carriers=(Carrier(key("region", "r"), 0.997),)).endswith("; all of it in r")


def test_the_primary_and_the_total_explain_nothing():
    assert "it in" not in told("50", "20", carriers=(Carrier(EC2, 1.0), Carrier(key("total", "(total)"), 1.0)))


def test_spend_without_a_region_or_an_owner_is_told_in_no_place():
    carriers = (Carrier(key("region", "(none)"), 1.0), Carrier(key("team", "(unowned)"), 1.0))
    assert told("50", "20", carriers=carriers).endswith("the expected 20.00")


def test_an_hourly_anomaly_touches_the_days_of_its_hours():
    assert days_of(draft(days=3)) == (FIRST, FIRST + 3)
    assert days_of(draft(grain=Grain.HOUR, start=FIRST * 24 + 23, end=FIRST * 24 + 25)) == (FIRST, FIRST + 2)


def test_the_next_id_is_another_one():
    assert len({"anm_a", next_id("anm_a"), next_id(next_id("anm_a"))}) == 3
