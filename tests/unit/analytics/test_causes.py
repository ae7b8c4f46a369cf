"""Causes: one anomaly per cause, whatever the number of series that show it."""

from dataclasses import replace

import numpy as np
import pytest

from comptroller.domains.analytics.engine.causes import find_causes
from comptroller.domains.analytics.engine.drafts import anomaly_id, describe
from comptroller.domains.analytics.engine.episodes import find_episodes
from comptroller.domains.analytics.engine.observation import Observation
from comptroller.domains.analytics.engine.panel import Judgement
from comptroller.enums import AnomalyKind, Grain
from unit.analytics.made_bills import FIRST, Bill, Culprit, judge, key


def causes(observation):
    return find_causes(observation, find_episodes(observation))


def names(draft):
    return {draft.primary.value, *(evidence.key.value for evidence in draft.evidence)}


def test_a_spike_in_one_cell_is_one_anomaly_with_the_other_series_as_evidence():
    (draft,) = causes(Bill(culprits=[Culprit(40, 43, 800, 1, 2, 3)]).observe())
    assert names(draft) == {"service-1", "account-2", "region-3", "(total)"}
    assert draft.primary.value == "service-1"
    assert (draft.start, draft.end, draft.is_open) == (FIRST + 40, FIRST + 43, False)


def test_a_spike_of_a_whole_account_is_one_anomaly_of_that_account():
    (draft,) = causes(Bill(culprits=[Culprit(40, 43, 800, account=2)]).observe())
    assert draft.primary.value == "account-2"
    assert {"service-1", "region-3", "(total)"} <= names(draft)


def test_a_rise_of_everything_is_one_anomaly_of_the_total():
    (draft,) = causes(Bill(culprits=[Culprit(40, 45, 800)]).observe())
    assert draft.primary.value == "(total)"


@pytest.mark.parametrize("second", [Culprit(40, 41, 500, 2, 3, 1), Culprit(40, 41, 500, 2, 3, 3)])
def test_two_spikes_on_one_day_in_different_services_stay_two(second):
    drafts = causes(Bill(culprits=[Culprit(40, 41, 800, 1, 2, 3), second]).observe())
    assert [draft.primary.value for draft in drafts] == ["service-1", "account-3"]
    assert all("(total)" in names(draft) for draft in drafts)


def test_two_spikes_of_equal_size_stay_two():
    drafts = causes(Bill(culprits=[Culprit(40, 41, 800, 1, 2, 3), Culprit(40, 41, 800, 2, 3, 1)]).observe())
    assert len(drafts) == 2


def test_two_spikes_in_the_only_account_stay_two():
    bill = Bill(shape=(6, 1, 1), size=100, culprits=[Culprit(40, 41, 900, service=1), Culprit(40, 41, 700, service=4)])
    assert [draft.primary.value for draft in causes(bill.observe())] == ["service-1", "service-4"]


def test_spikes_on_different_days_are_different_anomalies():
    bill = Bill(culprits=[Culprit(30, 31, 800, 1, 2, 3), Culprit(40, 41, 800, 1, 2, 3)])
    assert [draft.start - FIRST for draft in sorted(causes(bill.observe()), key=lambda d: d.start)] == [30, 40]


def test_currencies_are_never_joined():
    dollars = Bill(culprits=[Culprit(40, 41, 800, 1, 2, 3)]).observe()
    euros = Bill(culprits=[Culprit(40, 41, 800, 1, 2, 3)]).observe(currency="EUR")
    both = Observation(
        [*dollars.keys, *euros.keys],
        np.concatenate([dollars.actual_quanta, euros.actual_quanta]),
        Judgement(
            *(
                np.concatenate([getattr(dollars.judgement, name), getattr(euros.judgement, name)])
                for name in Judgement.__dataclass_fields__
            )
        ),
        dollars.first_step,
        dollars.settled_until,
    )
    drafts = causes(both)
    assert sorted(draft.primary.currency for draft in drafts) == ["EUR", "USD"]
    assert all(evidence.key.currency == d.primary.currency for d in drafts for evidence in d.evidence)


def test_a_rise_and_a_fall_on_one_day_are_two():
    bill = Bill(culprits=[Culprit(40, 41, 800, 1, 2, 3), Culprit(40, 41, -250, account=3)])
    assert {draft.direction for draft in causes(bill.observe())} == {1, -1}


def test_tags_of_one_key_are_different_money_and_of_two_keys_may_be_the_same():
    keys = [key("tag", "env=prod"), key("tag", "env=dev"), key("tag", "app=shop"), key("total", "(total)")]
    actual = np.tile(np.array([[100.0], [100.0], [100.0], [400.0]]), 30)
    actual[:, 20] += [500, 0, 500, 500]
    (draft,) = causes(judge(keys, actual, [100, 100, 100, 400], [3, 3, 3, 6]))
    assert names(draft) == {"env=prod", "app=shop", "(total)"}
    actual[:, 20] = [600, 600, 100, 1400]
    assert len(causes(judge(keys, actual, [100, 100, 100, 400], [3, 3, 3, 6]))) == 2


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_the_series_changes_nothing(seed):
    bill = Bill(
        seed=seed, culprits=[Culprit(40, 42, 800, 1, 2, 3), Culprit(41, 43, 500, 2, 3, 1), Culprit(20, 25, 300)]
    )
    straight = bill.observe()
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(straight.keys)).tolist()
    mixed = replace(
        straight,
        keys=[straight.keys[row] for row in rows],
        actual_quanta=straight.actual_quanta[rows],
        judgement=Judgement(*(getattr(straight.judgement, n)[rows] for n in Judgement.__dataclass_fields__)),
    )
    episodes = find_episodes(mixed)
    assert find_causes(mixed, [episodes[i] for i in rng.permutation(len(episodes))]) == find_causes(
        straight, find_episodes(straight)
    )


def test_every_flagged_episode_is_in_some_anomaly():
    observation = Bill(seed=3, culprits=[Culprit(40, 42, 800, 1, 2, 3), Culprit(41, 43, 500, 2, 3, 1)]).observe()
    episodes = find_episodes(observation)
    told = {
        (k, start)
        for d in find_causes(observation, episodes)
        for k, start in [(d.primary, d.start), *((e.key, e.start) for e in d.evidence)]
    }
    assert told == {(observation.keys[e.series], e.start) for e in episodes}


def test_an_id_depends_on_content_alone():
    first = anomaly_id(key("service", "s"), 1, FIRST, Grain.DAY)
    assert first == anomaly_id(key("service", "s"), 1, FIRST, Grain.DAY) == "anm_70e9add843de791f0db09ccd89"
    others = [
        anomaly_id(key("account", "s"), 1, FIRST, Grain.DAY),
        anomaly_id(key("service", "s", "EUR"), 1, FIRST, Grain.DAY),
        anomaly_id(key("service", "s"), -1, FIRST, Grain.DAY),
        anomaly_id(key("service", "s"), 1, FIRST + 1, Grain.DAY),
        anomaly_id(key("service", "s"), 1, FIRST, Grain.HOUR),
    ]
    assert len({first, *others}) == 6


def test_a_series_that_learned_the_new_level_sooner_is_still_evidence():
    keys = [key("account", "a"), key("service", "new")]
    actual = np.repeat(np.array([[100.0], [0.0]]), 40, axis=1)
    actual[:, 25:35] += 300
    observation = judge(keys, actual, [100.0, 0.0], [3.0, 3.0])
    observation.judgement.flag[1, 26:] = False
    observation.judgement.expected[1, 26:] = 300
    (draft,) = causes(observation)
    assert (draft.primary.value, names(draft), draft.end - draft.start) == ("a", {"a", "new"}, 10)


def test_no_flags_no_anomalies():
    assert causes(Bill().observe()) == []


def test_the_kind_is_the_primarys():
    (draft,) = causes(Bill(culprits=[Culprit(40, 43, 800, 1, 2, 3)]).observe())
    assert draft.kind is AnomalyKind.BURST
    assert describe(draft).startswith("service-1 cost 1,074 USD a day from 13 Nov to 15 Nov, 3.9 ")
