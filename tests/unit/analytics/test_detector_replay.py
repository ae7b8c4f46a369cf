"""One day's update, a replay, and any split of the series give the same bits; nothing looks ahead."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from datetime import date, timedelta
from functools import partial
from multiprocessing import get_context

import numpy as np
import pytest

from comptroller.domains.analytics.engine import daily
from comptroller.domains.analytics.engine.daily import judge_daily, judge_in_chunks
from comptroller.domains.analytics.engine.memory import States, new_states
from comptroller.domains.analytics.engine.panel import KIND_CODES, Judgement, Panel
from comptroller.domains.analytics.engine.state import update
from comptroller.enums import AnomalyKind, Sensitivity

FIRST = date(2025, 1, 8)


def mixed(rows=37, days=90, seed=3):
    """Dense, sparse, late and wild series."""
    rng = np.random.default_rng(seed)
    values = np.exp(rng.normal(3, rng.uniform(0.05, 1.0, (rows, 1)), (rows, days)))
    values[::4] *= rng.random(values[::4].shape) < 0.4
    values[1::5, :33] = np.nan
    values[2::6, 70:] *= 5
    values[3::7, 40] = -4
    return values


def same(one: Judgement, other: Judgement):
    for item in fields(one):
        assert getattr(one, item.name).tobytes() == getattr(other, item.name).tobytes(), item.name


def rows_of(judged: Judgement, rows):
    return Judgement(*(np.ascontiguousarray(getattr(judged, item.name)[rows]) for item in fields(judged)))


def by_updates(values, states):
    days = []
    for step in range(values.shape[1]):
        states, judged = update(states, FIRST + timedelta(days=step), values[:, step])
        if step % 20 == 19:
            states = States.unpack(states.pack())
        days.append(judged)
    return Judgement(*(np.stack([getattr(day, item.name) for day in days], axis=1) for item in fields(Judgement)))


def test_daily_updates_from_stored_states_equal_a_replay():
    values = mixed()
    same(by_updates(values, new_states(len(values))), judge_daily(Panel(values, FIRST), sensitivity=Sensitivity.NORMAL))


@pytest.mark.parametrize("cut", [1, 5, 16, 30])
def test_any_split_of_the_series_gives_the_same_bits(cut):
    values = mixed()
    whole = judge_daily(Panel(values, FIRST), sensitivity=Sensitivity.HIGH)
    for rows in (slice(0, cut), slice(cut, None)):
        same(judge_daily(Panel(values[rows], FIRST), sensitivity=Sensitivity.HIGH), rows_of(whole, rows))


def test_chunks_do_not_change_the_answer(monkeypatch):
    panel = Panel(mixed(), FIRST)
    whole = judge_daily(panel, sensitivity=Sensitivity.NORMAL)
    monkeypatch.setattr(daily, "CHUNK", 7)
    assert [start for start, _ in judge_in_chunks(panel, sensitivity=Sensitivity.NORMAL)] == [0, 7, 14, 21, 28, 35]
    same(judge_daily(panel, sensitivity=Sensitivity.NORMAL), whole)


def _judge(values):
    return judge_daily(Panel(values, FIRST), sensitivity=Sensitivity.NORMAL)


def test_processes_give_the_same_bits():
    values = mixed()
    whole = _judge(values)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        judge = partial(judge_daily, sensitivity=Sensitivity.NORMAL)
        parts = list(pool.map(judge, [Panel(values[:19], FIRST), Panel(values[19:], FIRST)]))
    for part, rows in zip(parts, (slice(0, 19), slice(19, None)), strict=True):
        same(part, rows_of(whole, rows))


@pytest.mark.parametrize("today", [20, 45, 71])
def test_a_verdict_uses_nothing_after_its_day(today):
    values = mixed()
    changed = values.copy()
    changed[:, today + 1 :] = 1e6
    one, other = _judge(values), _judge(changed)
    for item in fields(one):
        past = slice(0, today + 1)
        assert getattr(one, item.name)[:, past].tobytes() == getattr(other, item.name)[:, past].tobytes()


def test_the_band_of_a_day_is_known_before_it():
    values = mixed()
    changed = values.copy()
    changed[:, 60] = 1e6
    one, other = _judge(values), _judge(changed)
    started = np.isfinite(one.expected[:, 60])
    assert (one.high[started, 60] == other.high[started, 60]).all()


def test_a_state_takes_at_most_two_kilobytes():
    assert new_states(10).bytes_per_series <= 2048
    assert new_states(10).pack().shape[1] == new_states(10).bytes_per_series


def test_bytes_of_another_length_are_no_state():
    with pytest.raises(ValueError, match="a state has"):
        States.unpack(np.zeros((2, new_states(1).bytes_per_series + 4), dtype=np.uint8))


@pytest.mark.parametrize("skip", [0, 2])
def test_a_missing_or_repeated_day_is_refused(skip):
    states, _ = update(new_states(3), FIRST, np.ones(3))
    with pytest.raises(ValueError, match="not the next day"):
        update(states, FIRST + timedelta(days=skip), np.ones(3))


def test_a_provisional_day_is_never_a_drop_but_may_be_a_spike():
    values = np.exp(np.random.default_rng(2).normal(4, 0.05, (20, 60)))
    values[:10, 59] = 0
    values[10:, 59] *= 4
    shares = np.ones(60)
    shares[59] = 0.6
    panel = Panel(values, FIRST)
    judged = judge_daily(panel, sensitivity=Sensitivity.NORMAL, provisional=shares)
    assert not judged.flag[:10, 59].any()
    assert (judged.kind[10:, 59] == KIND_CODES[AnomalyKind.SPIKE]).all()
    assert judge_daily(panel, sensitivity=Sensitivity.NORMAL).flag[:10, 59].all()


def test_a_provisional_day_teaches_nothing():
    values = mixed(8, 50)
    states = new_states(8)
    for step in range(49):
        update(states, FIRST + timedelta(days=step), values[:, step])
    before = states.pack()
    update(states, FIRST + timedelta(days=49), values[:, 49], provisional=0.5)
    left, right = States.unpack(before), States.unpack(states.pack())
    for name in ("fast", "slow", "fit", "variance", "day", "age"):
        assert getattr(left, name).tobytes() == getattr(right, name).tobytes()


def test_shares_of_another_length_are_refused():
    with pytest.raises(ValueError, match="shares given"):
        judge_daily(Panel(np.ones((2, 5)), FIRST), sensitivity=Sensitivity.HIGH, provisional=np.ones(4))
