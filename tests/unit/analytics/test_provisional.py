"""Provisional days: how full a day is at each age is learned from earlier deliveries."""

import numpy as np
import pytest

from comptroller.domains.analytics.engine.provisional import (
    FillSample,
    Fullness,
    FullnessRules,
    fill_samples,
    learn_fullness,
    provisional_steps,
)


def samples(**by_age):
    return [FillSample(int(age[1:]), share) for age, shares in by_age.items() for share in shares]


def test_the_median_share_of_each_age_is_learned_until_days_are_full():
    learned = learn_fullness(samples(a0=[0.4] * 6, a1=[0.9] * 6, a2=[1.0] * 6))
    assert learned == Fullness((0.4, 0.9))
    assert learned.provisional_days == 2


def test_one_empty_delivery_and_one_correction_move_nothing():
    learned = learn_fullness(samples(a0=[0.4] * 7 + [0.0, 9.0], a1=[1.0] * 20 + [0.0]))
    assert learned == Fullness((0.4,))


def test_an_age_that_is_full_only_sometimes_is_provisional():
    learned = learn_fullness(samples(a0=[0.5] * 6, a1=[1.0] * 6 + [0.7] * 3, a2=[1.0] * 9))
    assert learned == Fullness((0.5, 1.0))


def test_a_source_that_delivers_full_days_has_no_provisional_days():
    learned = learn_fullness(samples(a0=[1.0] * 9))
    assert learned == Fullness(())
    answer = provisional_steps(learned, 100, 10)
    assert (answer.settled_until, answer.shares.min()) == (100, 1.0)


def test_too_little_is_nothing_known():
    assert learn_fullness(samples(a0=[0.4] * 4)) is None
    assert learn_fullness([]) is None
    assert learn_fullness(samples(a0=[0.4] * 4), FullnessRules(least_samples=4)) is not None


def test_what_is_known_of_the_newest_day_alone_leaves_the_second_provisional():
    assert learn_fullness(samples(a0=[0.4] * 6)) == Fullness((0.4, 1.0))


def test_shares_do_not_fall_with_age():
    assert learn_fullness(samples(a0=[0.5] * 6, a1=[0.3] * 6, a2=[1.0] * 6)) == Fullness((0.5, 0.5))


def test_by_default_the_last_two_days_are_provisional_and_count_as_they_are():
    answer = provisional_steps(None, 100, 10)
    assert answer.settled_until == 98
    assert answer.shares.tolist() == [1.0] * 10


def test_the_newest_step_is_the_emptiest():
    answer = provisional_steps(Fullness((0.4, 0.9)), 100, 4)
    assert answer.shares.tolist() == [1.0, 1.0, 0.9, 0.4]
    assert answer.settled_until == 98


def test_a_panel_shorter_than_what_is_provisional_is_all_provisional():
    assert provisional_steps(Fullness((0.4, 0.6, 0.9)), 100, 2).shares.tolist() == [0.6, 0.4]


def test_samples_compare_each_delivery_with_the_last_word_on_the_day():
    day_by_day = [
        (day, {d: 50 if d == day else 80 if d == day - 1 else 100 for d in range(day + 1)}) for day in range(20)
    ]
    found = fill_samples(day_by_day)
    assert {s.share for s in found if s.age_days == 0} == {0.5}
    assert {s.share for s in found if s.age_days == 1} == {0.8}
    assert learn_fullness(found) == Fullness((0.5, 0.8))


def test_days_without_a_last_word_give_no_samples():
    assert fill_samples([(10, {9: 50, 10: 20}), (11, {9: 100, 10: 80})]) == []
    assert fill_samples([(1, {1: 0}), (20, {1: 0}), (21, {1: -5})]) == []


@pytest.mark.parametrize("seed", range(3))
def test_a_noisy_provider_is_learned_well(seed):
    rng = np.random.default_rng(seed)
    final = rng.lognormal(3, 0.5, 60)
    deliveries = []
    for newest in range(5, 60):
        filled = {
            day: min(1.0, [0.35, 0.8, 1.0][min(newest - day, 2)] * rng.normal(1, 0.05)) for day in range(newest + 1)
        }
        filled = {day: share if newest - day < 2 else 1.0 for day, share in filled.items()}
        deliveries.append((newest, {day: round(final[day] * share * 1e9) for day, share in filled.items()}))
    learned = learn_fullness(fill_samples(deliveries))
    assert learned.shares == pytest.approx((0.35, 0.8), rel=0.05)
