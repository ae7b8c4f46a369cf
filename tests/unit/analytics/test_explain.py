"""Explanations: the values that carry the excess are named, the others are not."""

import numpy as np
import pytest

from comptroller.domains.analytics.engine.causes import find_causes
from comptroller.domains.analytics.engine.episodes import find_episodes
from comptroller.domains.analytics.engine.explain import Explainer, explain_slice
from unit.analytics.made_bills import AXES, FIRST, UNIT, Bill, Culprit, judge, key


def explained(observation):
    explainer = Explainer(observation)
    return [
        {carrier.key.value: round(carrier.share, 2) for carrier in explainer.explain(draft)}
        for draft in find_causes(observation, find_episodes(observation))
    ]


def test_the_cell_of_a_spike_is_named_on_every_axis():
    (named,) = explained(Bill(culprits=[Culprit(40, 43, 800, 1, 2, 3)]).observe())
    assert set(named) == {"service-1", "account-2", "region-3"}
    assert min(named.values()) > 0.9


@pytest.mark.parametrize("seed", range(8))
def test_a_known_culprit_is_named_for_any_bill(seed):
    rng = np.random.default_rng(seed)
    cell = [int(rng.integers(size)) for size in (6, 5, 4)]
    (named,) = explained(Bill(seed=seed, culprits=[Culprit(40, 43, 1500, *cell)]).observe())
    assert {f"{axis.value}-{value}" for axis, value in zip(AXES, cell, strict=True)} == set(named)


def test_two_spikes_of_one_day_keep_their_own_explanations():
    bill = Bill(culprits=[Culprit(40, 41, 800, 1, 2, 3), Culprit(40, 41, 500, 2, 3, 1)])
    first, second = explained(bill.observe())
    assert set(first) == {"service-1", "account-2", "region-3"}
    assert set(second) == {"service-2", "account-3", "region-1"}


def test_an_axis_on_which_the_excess_is_spread_wide_is_left_out():
    bill = Bill(shape=(3, 3, 30), size=100, noise=0.01, culprits=[Culprit(40, 41, 3000, service=1)])
    (named,) = explained(bill.observe())
    assert "service-1" in named
    assert not any(name.startswith("region") for name in named)


def test_the_smallest_set_that_carries_four_fifths_is_named():
    keys = [key("service", "s"), *(key("account", f"a{i}") for i in range(6)), key("total", "(total)")]
    means = [100.0, *[200.0] * 6, 1300.0]
    actual = np.repeat(np.array(means)[:, None], 30, axis=1)
    actual[:, 20] += [1000, 450, 400, 80, 40, 30, 0, 1000]
    (named,) = explained(judge(keys, actual, means, [2.0] * 8))
    assert named == {"s": 1.0, "a0": 0.45, "a1": 0.4}


def test_of_several_values_that_are_abnormal_for_other_reasons_none_is_named():
    keys = [key("service", "s"), key("account", "a"), key("account", "b"), key("region", "r")]
    actual = np.full((4, 30), 100.0)
    actual[:, 20] += [300, 900, 800, 5000]
    observation = judge(keys, actual, [100.0] * 4, [2.0, 900.0, 900.0, 9000.0], band=1.0)
    observation.judgement.high[:] = observation.judgement.low[:]
    (named,) = explained(observation)
    assert set(named) == {"s", "r"}


def test_a_value_whose_new_level_was_learned_is_still_named():
    keys = [key("account", "a"), key("service", "new"), key("service", "old")]
    actual = np.repeat(np.array([[100.0], [0.0], [100.0]]), 60, axis=1)
    actual[:2, 40:50] += 300
    observation = judge(keys, actual, [100.0, 0.0, 100.0], [3.0] * 3)
    observation.judgement.flag[1, 40:] = False
    observation.judgement.expected[1, 41:] = 300
    (named,) = explained(observation)
    assert named == {"a": 1.0, "new": 1.0}


def test_other_currencies_explain_nothing():
    keys = [key("service", "s"), key("account", "a", "EUR")]
    actual = np.full((2, 30), 100.0)
    actual[:, 20] += 500
    first, second = explained(judge(keys, actual, [100.0] * 2, [2.0] * 2))
    assert [set(first), set(second)] == [{"a"}, {"s"}] or [set(first), set(second)] == [{"s"}, {"a"}]


def test_a_drop_names_what_is_missing():
    bill = Bill(size=100, culprits=[Culprit(40, 50, -1e9, 1, 2, None)])
    observation = bill.observe()
    (draft,) = [d for d in find_causes(observation, find_episodes(observation)) if d.direction < 0][:1]
    assert {c.key.value for c in Explainer(observation).explain(draft)} >= {"service-1", "account-2"}


def test_a_slice_explains_without_the_other_anomalies_of_the_day():
    bill = Bill(culprits=[Culprit(40, 41, 800, 1, 2, 3), Culprit(40, 41, 5000, 2, 3, 1)])
    observation = bill.observe()
    draft = next(d for d in find_causes(observation, find_episodes(observation)) if d.primary.value == "service-1")
    _, cost = bill.cells()
    keys = [key("account", f"account-{i}") for i in range(5)] + [key("region", f"region-{i}") for i in range(4)]
    rows = np.concatenate([cost[1].sum(axis=1), cost[1].sum(axis=0)])
    named = explain_slice(draft, keys, np.round(rows * UNIT).astype(np.int64), FIRST)
    assert {c.key.value for c in named} == {"service-1", "account-2", "region-3"}


def test_a_slice_without_history_is_all_excess():
    keys = [key("service", "s")]
    observation = judge(keys, np.array([[500.0]]), [0.0], [1.0])
    (draft,) = find_causes(observation, find_episodes(observation))
    amounts = np.array([[480 * UNIT], [20 * UNIT]], dtype=np.int64)
    named = explain_slice(draft, [key("account", "a"), key("account", "b")], amounts, FIRST)
    assert {c.key.value: round(c.share, 2) for c in named} == {"s": 1.0, "a": 0.96}
