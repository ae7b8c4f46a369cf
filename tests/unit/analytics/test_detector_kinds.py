"""What the daily detector calls what it sees."""

from datetime import date, timedelta

import numpy as np
import pytest

from comptroller.domains.analytics.engine.daily import judge_daily
from comptroller.domains.analytics.engine.panel import KIND_CODES, KINDS, Panel, empty_judgement, kind_at
from comptroller.enums import AnomalyKind, Sensitivity

MONDAY = date(2025, 1, 6)
DAYS = 120
START = 80


def steady(seed=1, *, rows=40, days=DAYS, noise=0.05):
    return np.exp(np.random.default_rng(seed).normal(np.log(100), noise, (rows, days)))


def kinds_in(values, first=START, last=None, *, sensitivity=Sensitivity.NORMAL):
    judged = judge_daily(Panel(values, MONDAY), sensitivity=sensitivity)
    codes = judged.kind[:, first : last or values.shape[1]]
    return [{KINDS[code - 1] for code in row[row > 0]} for row in codes]


def test_one_dear_day_is_a_spike():
    values = steady()
    values[:, START] *= 3
    assert all(kinds == {AnomalyKind.SPIKE} for kinds in kinds_in(values, START, START + 1))


def test_abnormal_days_in_a_row_become_a_burst():
    values = steady()
    values[:, START : START + 3] *= 3
    found = kinds_in(values, START + 1, START + 3)
    assert all(kinds & {AnomalyKind.BURST, AnomalyKind.SHIFT} for kinds in found)
    assert sum(AnomalyKind.BURST in kinds for kinds in found) > 0.9 * len(found)


def test_a_lasting_change_becomes_a_shift():
    values = steady()
    values[:, START:] *= 2
    assert all(AnomalyKind.SHIFT in kinds for kinds in kinds_in(values))


def test_a_slow_rise_is_found_within_two_weeks_and_called_drift():
    values = steady(noise=0.03)
    values[:, START:] *= 1.02 ** np.arange(1, DAYS - START + 1)
    judged = judge_daily(Panel(values, MONDAY), sensitivity=Sensitivity.NORMAL)
    assert judged.flag[:, START : START + 15].any(axis=1).mean() > 0.9
    drifts = (judged.kind[:, START : START + 22] == KIND_CODES[AnomalyKind.DRIFT]).any(axis=1)
    assert drifts.mean() > 0.5


def test_a_fall_to_nothing_is_a_drop_on_its_first_day():
    values = steady()
    values[:, START : START + 5] = 0
    assert all(kinds == {AnomalyKind.DROP} for kinds in kinds_in(values, START, START + 1))


def test_a_fall_by_half_is_no_drop():
    values = steady()
    values[:, START : START + 2] *= 0.5
    assert not any(AnomalyKind.DROP in kinds for kinds in kinds_in(values))


def test_spend_without_history_is_new_spend_on_its_first_day():
    values = steady()
    values[:, :60] = np.nan
    judged = judge_daily(Panel(values, MONDAY), sensitivity=Sensitivity.NORMAL)
    assert (judged.kind[:, 60] == KIND_CODES[AnomalyKind.NEW_SPEND]).all()
    assert not judged.flag[:, 61:].any()


def test_series_that_start_with_the_watch_are_not_new():
    assert not judge_daily(Panel(steady(), MONDAY), sensitivity=Sensitivity.HIGH).flag[:, :14].any()


def test_a_young_series_is_judged_upward_only():
    values = steady(days=12)
    values[:20, 8] *= 30
    values[20:, 8] = 0
    judged = judge_daily(Panel(values, MONDAY), sensitivity=Sensitivity.NORMAL)
    assert judged.flag[:20, 8].all()
    assert not judged.flag[20:].any()


def test_recovery_after_a_spike_is_not_flagged():
    values = steady()
    values[:, START] *= 8
    judged = judge_daily(Panel(values, MONDAY), sensitivity=Sensitivity.HIGH)
    assert judged.flag[:, START + 1 :].mean() < 0.002


def test_credits_are_neither_spikes_nor_drops():
    values = steady()
    values[:, START] = -500
    assert not judge_daily(Panel(values, MONDAY), sensitivity=Sensitivity.HIGH).flag[:, START].any()


@pytest.mark.parametrize("rest", [0.0, 0.05, 0.4])
def test_quiet_weekends_are_normal(rest):
    values = steady(noise=0.08)
    values[:, (np.arange(DAYS) % 7) >= 5] *= rest
    assert judge_daily(Panel(values, MONDAY), sensitivity=Sensitivity.HIGH).flag.mean() < 0.002


def test_ordinary_growth_is_normal():
    values = steady() * 1.006 ** np.arange(DAYS)
    assert judge_daily(Panel(values, MONDAY), sensitivity=Sensitivity.HIGH).flag.mean() < 0.002


@pytest.mark.parametrize("fee_day", [1, 28])
def test_a_monthly_fee_is_flagged_at_most_once(fee_day):
    values = steady(days=160)
    days = [MONDAY + timedelta(days=step) for step in range(160)]
    fees = [step for step, day in enumerate(days) if day.day == fee_day]
    values[:, fees] += 400
    judged = judge_daily(Panel(values, MONDAY), sensitivity=Sensitivity.NORMAL)
    assert judged.flag[:, fees[1:]].mean() < 0.05


def test_a_repeated_month_end_is_expected():
    values = steady(days=160)
    days = [MONDAY + timedelta(days=step) for step in range(160)]
    ends = [step for step, day in enumerate(days) if (day + timedelta(days=1)).day == 1]
    values[:, ends] *= 3
    judged = judge_daily(Panel(values, MONDAY), sensitivity=Sensitivity.NORMAL)
    assert not judged.flag[:, ends].any()
    assert (judged.expected[:, ends[-1]] > 200).all()


def test_a_sparse_series_is_judged_on_its_days_of_spend():
    rng = np.random.default_rng(5)
    values = steady(noise=0.2, days=200) * (rng.random((40, 200)) < 0.3)
    quiet = judge_daily(Panel(values, MONDAY), sensitivity=Sensitivity.HIGH)
    assert quiet.flag.mean() < 0.002
    row, step = np.argwhere(values[:, 150:] > 0)[0]
    values[row, 150 + step] *= 20
    assert judge_daily(Panel(values, MONDAY), sensitivity=Sensitivity.NORMAL).flag[row, 150 + step]


def test_verdicts_do_not_depend_on_the_currency():
    values = steady(noise=0.2)
    values[:, START] *= 4
    one = judge_daily(Panel(values, MONDAY), sensitivity=Sensitivity.NORMAL)
    other = judge_daily(Panel(values * 1e-6, MONDAY), sensitivity=Sensitivity.NORMAL)
    assert (one.flag == other.flag).all()


def test_the_band_holds_ordinary_days_and_the_flagged_day_lies_outside():
    values = steady()
    values[:, START] *= 3
    judged = judge_daily(Panel(values, MONDAY), sensitivity=Sensitivity.NORMAL)
    inside = (values >= judged.low) & (values <= judged.high)
    assert inside[:, 40:START].mean() > 0.97
    assert not inside[:, START].any()
    assert np.allclose(judged.expected[:, START], 100, rtol=0.25)


def test_a_panel_of_another_shape_or_type_is_refused():
    with pytest.raises(ValueError, match="two axes"):
        Panel(np.zeros(3), MONDAY)
    with pytest.raises(ValueError, match="float64"):
        Panel(np.zeros((1, 3), dtype=np.float32), MONDAY)


def test_kind_at_names_the_kind_or_nothing():
    judged = empty_judgement(1, 2)
    judged.kind[0, 1] = KIND_CODES[AnomalyKind.DRIFT]
    assert kind_at(judged, 0, 0) is None
    assert kind_at(judged, 0, 1) is AnomalyKind.DRIFT
