"""Causes of what the detector flags: from a bill to one anomaly, and day by day to the same."""

from dataclasses import replace

import numpy as np

from comptroller.domains.analytics.engine.causes import find_causes
from comptroller.domains.analytics.engine.continuity import Close, Extend, Open
from comptroller.domains.analytics.engine.daily import judge_daily
from comptroller.domains.analytics.engine.drafts import describe
from comptroller.domains.analytics.engine.episodes import find_episodes
from comptroller.domains.analytics.engine.explain import Explainer
from comptroller.domains.analytics.engine.observation import step_start
from comptroller.domains.analytics.engine.panel import Panel
from comptroller.enums import Sensitivity
from unit.analytics.made_bills import FIRST, UNIT, Bill, Culprit
from unit.analytics.test_continuity import Book

BILL = Bill(seed=11, days=110, culprits=[Culprit(90, 93, 900, 1, 2, 3)])


def detected(bill, days=None):
    observation = bill.observe(days)
    panel = Panel(observation.actual_quanta / UNIT, step_start(FIRST).date())
    return replace(observation, judgement=judge_daily(panel, sensitivity=Sensitivity.NORMAL))


def test_a_spike_that_shows_in_four_series_is_one_anomaly_with_its_culprit_named():
    observation = detected(BILL)
    (draft,) = [d for d in find_causes(observation, find_episodes(observation)) if d.start == FIRST + 90]
    shown = {draft.primary.value, *(evidence.key.value for evidence in draft.evidence)}
    assert shown == {"service-1", "account-2", "region-3", "(total)"}
    assert (draft.end - FIRST, draft.is_open) == (93, False)
    assert abs(draft.stakes / UNIT / 2700 - 1) < 0.1
    told = replace(draft, carriers=Explainer(observation).explain(draft))
    assert {carrier.key.value for carrier in told.carriers} == {"service-1", "account-2", "region-3"}
    assert "a day from 2 Jan to 4 Jan" in describe(told)


def test_one_run_a_day_opens_extends_and_closes_what_one_run_over_all_finds():
    daily, once = Book(), Book()
    seen = []
    for days in range(88, 100):
        seen += daily.run(detected(BILL, days))
    once.run(detected(BILL, 99))
    assert [type(decision) for decision in seen] == [Open, Extend, Extend, Close]
    assert {r.anomaly_id: (r.end, r.actual) for r in daily.records.values()} == {
        r.anomaly_id: (r.end, r.actual) for r in once.records.values()
    }


def test_quiet_days_are_quiet():
    drafts = [find_causes(o, find_episodes(o)) for o in (detected(Bill(seed=seed, days=110)) for seed in range(3))]
    assert sum(len(found) for found in drafts) <= 2  # 15 series over 110 days each: normal sensitivity allows one


def test_the_days_before_and_after_cost_what_they_cost():
    observation = detected(BILL)
    row = [key.value for key in observation.keys].index("service-1")
    (draft,) = [d for d in find_causes(observation, find_episodes(observation)) if d.start == FIRST + 90]
    assert draft.actual == int(np.sum(observation.actual_quanta[row, 90:93]))
