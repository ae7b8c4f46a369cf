"""Feedback: repeats become quieter, new kinds do not, planned days are exactly those days."""

import pytest

from comptroller.domains.analytics.engine.feedback import (
    FeedbackRules,
    Opinion,
    heed_feedback,
    needed_score,
    planned_windows,
)
from comptroller.domains.analytics.engine.severity import NoticeRules, suppression
from comptroller.enums import AnomalyKind, Feedback, Grain, SuppressedReason
from unit.analytics.made_bills import FIRST, key
from unit.analytics.test_severity import draft

SERIES = key("service", "s")
FALSE = Opinion(SERIES, AnomalyKind.SPIKE, FIRST - 10, FIRST - 9, Feedback.FALSE)


def is_kept(anomaly, *opinions):
    kept, hidden = heed_feedback([anomaly], opinions)
    assert len(kept) + len(hidden) == 1
    return bool(kept)


def test_a_repeat_needs_a_higher_score_after_false():
    assert not is_kept(draft(score=1.2), FALSE)
    assert is_kept(draft(score=1.6), FALSE)
    assert is_kept(draft(score=1.2))


@pytest.mark.parametrize(
    "other",
    [
        draft(score=1.2, kind=AnomalyKind.SHIFT),
        draft(score=1.2, primary=key("service", "t")),
        draft(score=1.2, primary=key("account", "s")),
        draft(score=1.2, currency="EUR"),
    ],
)
def test_other_kinds_and_series_are_untouched(other):
    assert is_kept(other, FALSE)


def test_the_anomaly_it_was_said_of_stays():
    assert is_kept(draft(score=1.2, days=3), Opinion(SERIES, AnomalyKind.SPIKE, FIRST, FIRST + 1, Feedback.FALSE))


def test_anomalies_before_it_stay():
    assert is_kept(draft(score=1.2), Opinion(SERIES, AnomalyKind.SPIKE, FIRST + 5, FIRST + 6, Feedback.FALSE))


def test_an_hourly_repeat_is_judged_by_the_days_between():
    hour = {"grain": Grain.HOUR, "start": FIRST * 24 + 5, "end": FIRST * 24 + 6}
    assert not is_kept(draft(score=1.2, **hour), FALSE)
    assert is_kept(draft(score=1.2, **hour), Opinion(SERIES, AnomalyKind.SPIKE, FIRST, FIRST + 1, Feedback.FALSE))


def test_true_takes_one_false_back():
    true = Opinion(SERIES, AnomalyKind.SPIKE, FIRST - 8, FIRST - 7, Feedback.TRUE)
    assert is_kept(draft(score=1.2), FALSE, true)


def test_the_needed_score_grows_to_a_cap_and_fades():
    rules = FeedbackRules()
    assert needed_score([], rules) == 1.0
    assert needed_score([(0.0, Feedback.FALSE)], rules) == 1.5
    assert needed_score([(0.0, Feedback.FALSE)] * 2, rules) == 2.25
    assert needed_score([(0.0, Feedback.FALSE)] * 50, rules) == 4.0
    assert needed_score([(90.0, Feedback.FALSE)] * 2, rules) == pytest.approx(1.5)
    assert needed_score([(900.0, Feedback.FALSE)], rules) < 1.01
    assert needed_score([(0.0, Feedback.TRUE)], rules) == 1.0
    assert needed_score([(0.0, Feedback.PLANNED)], rules) == 1.0


def test_planned_suppresses_exactly_the_days_of_its_anomaly():
    windows = planned_windows([Opinion(SERIES, AnomalyKind.SPIKE, FIRST, FIRST + 2, Feedback.PLANNED), FALSE])
    assert suppression(draft(days=2), NoticeRules(), windows) is SuppressedReason.PLANNED
    assert suppression(draft(days=3), NoticeRules(), windows) is None
    assert is_kept(draft(score=1.1), Opinion(SERIES, AnomalyKind.SPIKE, FIRST - 9, FIRST - 8, Feedback.PLANNED))
