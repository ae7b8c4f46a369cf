"""Severity: money first, then how unusual, then how long; and when no notice is sent."""

from dataclasses import replace
from decimal import Decimal

import pytest

from comptroller.domains.analytics.engine.drafts import AnomalyDraft, Carrier, Evidence
from comptroller.domains.analytics.engine.severity import (
    NoticeRules,
    PlannedWindow,
    Scope,
    SeverityRules,
    impact_percent,
    judge_severity,
    rank,
    suppression,
)
from comptroller.enums import AnomalyKind, Dimension, Grain, Severity, SuppressedReason, ThresholdJoin
from unit.analytics.made_bills import FIRST, UNIT, key


def draft(stakes="100", *, expected="50", direction=1, days=1, score=1.5, currency="USD", unit=UNIT, **more):
    spent = (Decimal(expected) + direction * Decimal(stakes)) * unit
    facts = {
        "anomaly_id": f"anm_{stakes}",
        "primary": key("service", "s", currency),
        "kind": AnomalyKind.SPIKE if direction > 0 else AnomalyKind.DROP,
        "direction": direction,
        "start": FIRST,
        "end": FIRST + days,
        "is_open": False,
        "grain": Grain.DAY,
        "actual": int(spent),
        "expected": int(Decimal(expected) * unit),
        "low": 0,
        "high": 0,
        "score": score,
    }
    return AnomalyDraft(**(facts | more))


@pytest.mark.parametrize(
    ("stakes", "daily", "severity"),
    [
        ("2000", "1000", Severity.CRITICAL),
        ("40", "50", Severity.HIGH),  # small money, but most of a day's spend
        ("40", "100000", Severity.MEDIUM),
        ("2000", "10000000", Severity.HIGH),  # big money, but a trifle to this tenant
        ("250", "1000", Severity.HIGH),
        ("25", "1000", Severity.MEDIUM),
        ("5", "1000", Severity.LOW),
        ("0.40", "0.05", Severity.LOW),  # eight days' spend, but cents
    ],
)
def test_severity_weighs_the_amount_and_its_share(stakes, daily, severity):
    assert judge_severity(draft(stakes), int(Decimal(daily) * UNIT)) is severity


def test_severity_never_falls_as_the_money_grows():
    order = [Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL]
    for daily in (1, 100, 10_000):
        grades = [order.index(judge_severity(draft(str(s)), daily * UNIT)) for s in (0.1, 1, 5, 20, 90, 300, 5000)]
        assert grades == sorted(grades)


def test_an_unusual_and_a_long_anomaly_weigh_more():
    daily = 10_000 * UNIT
    assert judge_severity(draft("2500"), daily) is Severity.HIGH
    assert judge_severity(draft("2500", score=9, days=10), daily) is Severity.CRITICAL


def test_a_drop_weighs_less_than_a_spike_of_the_same_money():
    daily = 1000 * UNIT
    assert judge_severity(draft("250"), daily) is Severity.HIGH
    assert judge_severity(draft("250", expected="250", direction=-1), daily) is Severity.MEDIUM


def test_thresholds_are_those_of_the_currency():
    assert judge_severity(draft("4000", currency="JPY"), 10**6 * UNIT) is Severity.MEDIUM
    assert judge_severity(draft("400", currency="USD"), 10**6 * UNIT) is Severity.MEDIUM
    assert judge_severity(draft("20", currency="JPY"), UNIT) is Severity.LOW


def test_an_unknown_currency_goes_by_its_share():
    assert judge_severity(draft("400", currency="ISK"), 100 * UNIT) is Severity.CRITICAL
    assert judge_severity(draft("400", currency="ISK"), 10**6 * UNIT) is Severity.LOW


def test_an_unknown_daily_spend_goes_by_the_amount():
    assert judge_severity(draft("250"), 0) is Severity.HIGH


def test_thresholds_are_settings():
    strict = SeverityRules(shares=(Decimal("0.002"), Decimal("0.001"), Decimal("0.0001")))
    assert judge_severity(draft("2500"), 10**6 * UNIT, strict) is Severity.CRITICAL


def test_rank_orders_by_severity_then_money_then_score_then_length():
    graded = [
        (Severity.HIGH, draft("10")),
        (Severity.MEDIUM, draft("900")),
        (Severity.MEDIUM, draft("90", score=9, anomaly_id="a")),
        (Severity.MEDIUM, draft("90", score=2, days=3, anomaly_id="b")),
        (Severity.MEDIUM, draft("90", score=2, days=1, anomaly_id="c")),
        (Severity.MEDIUM, draft("5000", currency="JPY")),
    ]
    shuffled = [graded[place] for place in (3, 5, 0, 2, 4, 1)]
    ordered = sorted(shuffled, key=lambda g: rank(g[1], g[0]))
    assert [ordered.index(g) for g in graded] == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("amount", "percent", "join", "told"),
    [
        (None, None, ThresholdJoin.AND, True),
        ("100", None, ThresholdJoin.AND, True),  # the threshold itself is enough, as AWS has it
        ("100.01", None, ThresholdJoin.AND, False),
        (None, "200", ThresholdJoin.AND, True),
        (None, "201", ThresholdJoin.AND, False),
        ("100", "201", ThresholdJoin.AND, False),
        ("100", "201", ThresholdJoin.OR, True),
        ("101", "200", ThresholdJoin.OR, True),
        ("101", "201", ThresholdJoin.OR, False),
    ],
)
def test_notice_thresholds_in_money_and_percent(amount, percent, join, told):
    rules = NoticeRules(
        amounts=None if amount is None else {"USD": Decimal(amount)},
        percent=None if percent is None else Decimal(percent),
        join=join,
    )
    assert suppression(draft("100"), rules) is (None if told else SuppressedReason.BELOW_THRESHOLD)


def test_a_threshold_unknown_for_the_currency_hides_nothing():
    assert suppression(draft("1", currency="EUR"), NoticeRules(amounts={"USD": Decimal(100)})) is None


def test_new_spend_passes_any_percentage():
    fresh = draft("5", expected="0")
    assert impact_percent(fresh) is None
    assert suppression(fresh, NoticeRules(percent=Decimal(10_000))) is None


HERE = Scope(Dimension.SERVICE, "s")


@pytest.mark.parametrize(
    ("windows", "is_planned"),
    [
        ([PlannedWindow(HERE, FIRST, FIRST + 3)], True),
        ([PlannedWindow(HERE, FIRST, FIRST + 2)], False),
        ([PlannedWindow(HERE, FIRST + 1, FIRST + 9)], False),
        ([PlannedWindow(HERE, FIRST, FIRST + 2), PlannedWindow(Scope(), FIRST + 2, FIRST + 3)], True),
        ([PlannedWindow(Scope(Dimension.SERVICE, "t"), FIRST, FIRST + 3)], False),
        ([PlannedWindow(Scope(Dimension.SERVICE, "s", "EUR"), FIRST, FIRST + 3)], False),
        ([PlannedWindow(Scope(kind=AnomalyKind.DROP), FIRST, FIRST + 3)], False),
        ([], False),
    ],
)
def test_a_planned_window_covers_exactly_its_days_and_scope(windows, is_planned):
    expected = SuppressedReason.PLANNED if is_planned else None
    assert suppression(draft(days=3), NoticeRules(), windows) is expected


def test_a_planned_day_covers_the_hours_of_that_day_and_no_others():
    windows = [PlannedWindow(HERE, FIRST, FIRST + 1)]
    inside = draft(grain=Grain.HOUR, start=FIRST * 24 + 20, end=FIRST * 24 + 24)
    beyond = draft(grain=Grain.HOUR, start=FIRST * 24 + 20, end=FIRST * 24 + 25)
    assert suppression(inside, NoticeRules(), windows) is SuppressedReason.PLANNED
    assert suppression(beyond, NoticeRules(), windows) is None


def test_a_planned_window_covers_what_carries_the_anomaly_and_not_its_small_parts():
    account = key("account", "a")
    windows = [PlannedWindow(Scope(Dimension.ACCOUNT, "a"), FIRST, FIRST + 1)]
    whole = draft("100", evidence=(Evidence(account, FIRST, FIRST + 1, 95 * UNIT),))
    part = draft("100", evidence=(Evidence(account, FIRST, FIRST + 1, 20 * UNIT),))
    assert suppression(whole, NoticeRules(), windows) is SuppressedReason.PLANNED
    assert suppression(part, NoticeRules(), windows) is None
    assert suppression(replace(part, carriers=(Carrier(account, 0.9),)), NoticeRules(), windows) is not None


def test_a_muted_series_is_told_apart_from_a_planned_one():
    assert suppression(draft(), NoticeRules(), [], [HERE]) is SuppressedReason.MUTED
    assert suppression(draft(), NoticeRules(), [], [Scope(Dimension.SERVICE, "t")]) is None
    both = suppression(draft(), NoticeRules(), [PlannedWindow(HERE, FIRST, FIRST + 1)], [HERE])
    assert both is SuppressedReason.PLANNED


def test_a_mute_can_be_of_one_kind():
    assert suppression(draft(), NoticeRules(), [], [Scope(kind=AnomalyKind.DRIFT)]) is None
    assert suppression(draft(), NoticeRules(), [], [Scope(kind=AnomalyKind.SPIKE)]) is SuppressedReason.MUTED
