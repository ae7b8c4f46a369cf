"""Periods of a limit: warned, exceeded, forecast; each once per window."""

from decimal import Decimal

import numpy as np
import pytest

from comptroller.domains.analytics.engine.forecast import ForecastRules, PeriodDays, forecast_period
from comptroller.domains.analytics.engine.periods import PeriodLimit, PeriodRules, check_period, describe_period
from comptroller.enums import Severity
from unit.analytics.made_bills import FIRST, UNIT

START = FIRST + 27  # Thursday, 2024-10-31


def limit(ceiling=1000, unit="USD"):
    return PeriodLimit("lim_1", "research-monthly", ceiling * UNIT, unit)


def days(*spent, length=30, history=(), settled_until=None):
    return PeriodDays(START, START + length, [s * UNIT for s in spent], [h * UNIT for h in history], settled_until)


def told(findings):
    return [(finding.kind.value.removeprefix("BUDGET_"), finding.threshold) for finding in findings]


RULES = PeriodRules(percents=(Decimal(50), Decimal("80.5")), amounts=(900 * UNIT,))


@pytest.mark.parametrize(
    ("spent", "expected"),
    [
        ((100, 300), []),
        ((100, 399), []),
        ((100, 400), [("WARNING", "50%")]),
        ((800, 4), [("WARNING", "50%")]),
        ((800, 5), [("WARNING", "80.5%")]),
        ((800, 100), [("WARNING", "amount:900000000000")]),
        ((800, 200), [("WARNING", "amount:900000000000")]),  # all of it may be spent
        ((800, 201), [("EXCEEDED", "")]),
        ((), []),
    ],
)
def test_the_highest_threshold_crossed_is_told(spent, expected):
    assert told(check_period(limit(), days(*spent), rules=RULES)) == expected


def test_each_threshold_is_told_once_per_window():
    record = []
    words = []
    for known in ((400, 100), (400, 150), (400, 420), (400, 430), (400, 700), (400, 900)):
        findings = check_period(limit(), days(*known), record, RULES)
        record += [finding.finding_id for finding in findings]
        words += told(findings)
    assert words == [("WARNING", "50%"), ("WARNING", "80.5%"), ("EXCEEDED", "")]


def test_another_window_and_another_limit_are_told_anew():
    (first,) = check_period(limit(), days(1200))
    later = PeriodDays(START + 30, START + 60, [1200 * UNIT])
    other = PeriodLimit("lim_2", "other", 1000 * UNIT, "USD")
    assert check_period(limit(), later, [first.finding_id])
    assert check_period(other, days(1200), [first.finding_id])
    assert check_period(limit(), days(1200), [first.finding_id]) == []


def test_the_day_of_the_crossing_is_known():
    (finding,) = check_period(limit(), days(500, 400, 200, 10))
    assert (finding.day - START, finding.current, finding.expected) == (2, 1110 * UNIT, 1000 * UNIT)


def test_half_over_is_critical():
    assert check_period(limit(), days(1499))[0].severity is Severity.HIGH
    assert check_period(limit(), days(1500))[0].severity is Severity.CRITICAL


def test_amounts_are_exact():
    just = PeriodDays(START, START + 30, [1000 * UNIT, 1])
    assert told(check_period(limit(), just)) == [("EXCEEDED", "")]


def test_a_ceiling_of_nothing_is_exceeded_by_anything_and_warns_of_nothing():
    assert told(check_period(limit(0), days(0, 0), rules=RULES)) == []
    assert told(check_period(limit(0), days(0, 1), rules=RULES)) == [("EXCEEDED", "")]


WEEK = (100, 100, 100, 100, 100, 20, 20)  # from Thursday: the two last are Tuesday and Wednesday


def test_a_steady_burn_is_forecast_with_its_day_and_excess():
    period = days(*[50] * 10, history=[50] * 30)
    (finding,) = check_period(limit(), period)
    assert told([finding]) == [("FORECAST", "")]
    assert finding.day - START == 20
    assert finding.forecast.expected == 1500 * UNIT
    assert "will pass its 1,000 USD about 20 Nov and end 500 USD over" in describe_period(finding)


def test_weekdays_are_known_to_the_forecast():
    history = list(WEEK) * 4
    forecast = forecast_period(days(history=history, length=7))
    assert forecast.path[-1] == pytest.approx(540 * UNIT, rel=0.05)
    steps = np.diff([0, *forecast.path]) / UNIT
    assert steps[5] < 50 < steps[0]


def test_a_forecast_that_is_only_possible_is_not_told():
    rng = np.random.default_rng(1)
    noisy = [int(x) for x in rng.lognormal(3.5, 1.0, 40)]
    period = days(*noisy[:5], history=noisy[5:])
    forecast = forecast_period(period)
    between = PeriodLimit("lim_1", "l", (forecast.low + forecast.expected) // 2, "USD")
    assert forecast.low < between.ceiling < forecast.expected
    assert told(check_period(between, period)) == []
    below = PeriodLimit("lim_1", "l", forecast.low - 1, "USD")
    assert ("FORECAST", "") in told(check_period(below, period))


def test_too_few_days_give_no_forecast():
    assert forecast_period(days(50, 50, 50)) is None
    assert forecast_period(days(50, 50, 50), ForecastRules(least_days=3)) is not None


def test_provisional_days_are_a_floor_and_not_the_rate():
    history = [50] * 30
    partial = forecast_period(days(50, 50, 5, 1, history=history, settled_until=START + 2))
    full = forecast_period(days(50, 50, history=history))
    assert partial.expected == full.expected == 1500 * UNIT
    risen = forecast_period(days(50, 50, 500, 1, history=history, settled_until=START + 2))
    assert risen.expected == 1950 * UNIT


def test_one_odd_day_is_not_the_rate():
    odd = forecast_period(days(*[50] * 9, 5000, history=[49, 51] * 15))
    assert odd.expected < 7500 * UNIT


def test_a_finished_period_is_its_sum():
    done = forecast_period(days(*[50] * 30))
    assert (done.expected, done.low, done.high) == (1500 * UNIT,) * 3


def test_a_period_of_nothing_is_forecast_as_nothing():
    forecast = forecast_period(days(*[0] * 10))
    assert (forecast.expected, forecast.low, forecast.high) == (0, 0, 0)


def test_sums_do_not_overflow():
    huge = PeriodDays(START, START + 30, [2**62] * 10)
    assert forecast_period(huge).path[9] == 10 * 2**62


def test_the_band_holds_four_in_five_ends():
    rng = np.random.default_rng(7)
    inside = 0
    for _ in range(200):
        week = rng.lognormal(0, 0.3, 7)
        cost = [round(UNIT * 100 * week[day % 7] * x) for day, x in enumerate(rng.lognormal(0, 0.25, 90))]
        period = PeriodDays(START, START + 30, cost[60:70], cost[:60])
        forecast = forecast_period(period)
        inside += forecast.low <= sum(cost[60:]) <= forecast.high
    assert 140 <= inside <= 190


def test_more_days_than_the_period_has_are_refused():
    with pytest.raises(ValueError, match="cannot have 3 days"):
        days(1, 2, 3, length=2)


def test_sentences():
    (warned,) = check_period(limit(), days(850))
    assert describe_period(warned) == "research-monthly has spent 85% of its 1,000 USD: 850 USD"
    (exceeded,) = check_period(limit(), days(1000, 45))
    assert describe_period(exceeded) == "research-monthly passed its 1,000 USD on 1 Nov: 45 USD over so far"
