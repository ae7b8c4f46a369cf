"""Anomalies over runs: opened once, extended, closed, merged; nothing to do the second time."""

from dataclasses import replace

import numpy as np
import pytest

from comptroller.domains.analytics.engine.causes import find_causes
from comptroller.domains.analytics.engine.continuity import AnomalyOnRecord, Close, Extend, Merge, Open, decide
from comptroller.domains.analytics.engine.episodes import find_episodes
from comptroller.enums import AnomalyKind
from unit.analytics.made_bills import FIRST, UNIT, Bill, Culprit, judge, key

SPIKE = Culprit(40, 43, 800, 1, 2, 3)


class Book:
    """Keeps records as the spine would, so that runs can follow each other."""

    def __init__(self):
        self.records = {}
        self.aliases = {}

    def run(self, observation):
        drafts = find_causes(observation, find_episodes(observation))
        decisions = decide(observation, drafts, list(self.records.values()))
        for decision in decisions:
            self.apply(decision)
        return decisions

    def apply(self, decision):
        match decision:
            case Open(draft):
                assert draft.anomaly_id not in self.records
                self.write(draft)
            case Extend(anomaly_id, draft):
                self.write(draft, self.records[anomaly_id].aliases)
            case Close(anomaly_id, end, None):
                self.records[anomaly_id] = replace(self.records[anomaly_id], end=end, is_open=False)
            case Close(anomaly_id, end, draft):
                assert (draft.end, draft.is_open) == (end, False)
                self.write(draft, self.records[anomaly_id].aliases)
            case Merge(surviving_id, merged_id):
                gone = self.records.pop(merged_id)
                survivor = self.records[surviving_id]
                aliases = (*survivor.aliases, merged_id, *gone.aliases)
                self.records[surviving_id] = replace(survivor, aliases=aliases)

    def write(self, draft, aliases=()):
        self.records[draft.anomaly_id] = AnomalyOnRecord(
            draft.anomaly_id,
            draft.primary,
            draft.kind,
            draft.direction,
            draft.start,
            draft.end,
            draft.is_open,
            draft.actual,
            draft.expected,
            draft.low,
            draft.high,
            frozenset(evidence.key for evidence in draft.evidence),
            aliases,
        )


def kinds(decisions):
    return [type(decision).__name__ for decision in decisions]


@pytest.mark.parametrize("seed", range(4))
def test_a_second_run_over_the_same_data_decides_nothing(seed):
    bill = Bill(
        seed=seed, culprits=[SPIKE, Culprit(40, 41, 500, 2, 3, 1), Culprit(20, 30, 300), Culprit(58, 60, 600, 4)]
    )
    book = Book()
    assert book.run(bill.observe())
    assert book.run(bill.observe()) == []


@pytest.mark.parametrize("seed", range(4))
def test_runs_day_by_day_end_with_the_anomalies_of_one_run_over_all(seed):
    bill = Bill(seed=seed, noise=0.02, culprits=[SPIKE, Culprit(45, 47, 900, 2, 3, 1)])
    daily, once = Book(), Book()
    for days in range(30, 61):
        daily.run(bill.observe(days))
        assert daily.run(bill.observe(days)) == []
    once.run(bill.observe())

    def facts(book):
        return {(r.primary, r.start, r.end, r.is_open, r.actual, r.evidence) for r in book.records.values()}

    assert facts(daily) == facts(once)


def test_an_anomaly_is_opened_extended_and_closed():
    bill, book = Bill(noise=0.02, culprits=[SPIKE]), Book()
    seen = {days: kinds(book.run(bill.observe(days))) for days in range(35, 50)}
    # The last two days are provisional: the first settled day after the anomaly is the 43rd, known with 46 days.
    assert {days: words for days, words in seen.items() if words} == {
        41: ["Open"],
        42: ["Extend"],
        43: ["Extend"],
        46: ["Close"],
    }
    (record,) = book.records.values()
    assert (record.start - FIRST, record.end - FIRST, record.is_open) == (40, 43, False)


def flat(extra_by_name, days):
    """Return an observation of flat series with extra cost on some days."""
    names = sorted(extra_by_name)
    keys = [key(*name.split("/", 1)) for name in names]
    means = [1000.0 if name.startswith("total") else 100.0 for name in names]
    actual = np.repeat(np.array(means)[:, None], days, axis=1)
    for row, name in enumerate(names):
        for day, extra in extra_by_name[name].items():
            actual[row, day : day + 1] += extra
    return judge(keys, actual, means, [3.0] * len(names))


def test_an_anomaly_that_comes_back_within_the_bridge_is_the_same():
    book = Book()
    book.run(flat({"service/a": {20: 900}}, days=26))
    (before,) = book.records
    decisions = book.run(flat({"service/a": {20: 900, 22: 900}}, days=27))
    assert kinds(decisions) == ["Extend"]
    (record,) = book.records.values()
    assert (record.anomaly_id, record.kind, record.end - FIRST) == (before, AnomalyKind.BURST, 23)


def test_an_anomaly_that_comes_back_later_is_another():
    book = Book()
    book.run(flat({"service/a": {15: 900}}, days=20))
    assert kinds(book.run(flat({"service/a": {15: 900, 22: 900}}, days=26))) == ["Open"]


def test_two_that_turn_out_to_be_one_merge_and_the_survivor_answers_for_both():
    book = Book()
    book.run(flat({"service/a": {20: 900}, "account/x": {}}, days=21))
    book.run(flat({"service/a": {20: 900}, "account/x": {21: 900}}, days=22))
    first, second = sorted(book.records.values(), key=lambda r: r.start)
    one = {20: 900, 21: 900, 22: 900}
    decisions = book.run(flat({"service/a": one, "account/x": one}, days=23))
    assert decisions[0] == Merge(first.anomaly_id, second.anomaly_id)
    (record,) = book.records.values()
    assert (record.anomaly_id, record.aliases) == (first.anomaly_id, (second.anomaly_id,))
    assert book.run(flat({"service/a": one, "account/x": one}, days=23)) == []


def test_one_that_turns_out_to_be_two_again_gives_the_second_an_id_of_its_own():
    book = Book()
    book.run(flat({"service/a": {20: 900}, "account/x": {}}, days=21))
    book.run(flat({"service/a": {20: 900}, "account/x": {21: 900}}, days=22))
    one = {20: 900, 21: 900, 22: 900}
    book.run(flat({"service/a": one, "account/x": one}, days=23))
    (merged,) = book.records.values()
    apart = flat({"service/a": {20: 900}, "account/x": {21: 9000}}, days=24)
    book.run(apart)
    assert len(book.records) == 2
    assert merged.anomaly_id in book.records
    assert not set(merged.aliases) & set(book.records)
    assert book.run(apart) == []


def test_a_more_specific_series_found_later_takes_over_under_the_same_id():
    book = Book()
    book.run(flat({"total/(total)": {20: 900}, "service/a": {}}, days=21))
    (before,) = book.records
    book.run(flat({"total/(total)": {20: 900, 21: 900}, "service/a": {20: 900, 21: 900}}, days=22))
    (record,) = book.records.values()
    assert (record.anomaly_id, record.primary.value) == (before, "a")


def test_a_flag_that_restated_data_takes_back_is_closed():
    book = Book()
    book.run(flat({"service/a": {24: 900}}, days=25))
    assert kinds(book.run(flat({"service/a": {}}, days=26))) == []
    (closed,) = book.run(flat({"service/a": {}}, days=28))
    assert (closed.end - FIRST, closed.draft) == (25, None)
    assert book.run(flat({"service/a": {}}, days=29)) == []


def test_restated_amounts_are_written():
    book = Book()
    book.run(flat({"service/a": {20: 900}}, days=28))
    (extended,) = book.run(flat({"service/a": {20: 950}}, days=28))
    assert (type(extended), extended.draft.actual) == (Extend, 1050 * UNIT)


def test_what_began_before_the_judged_days_keeps_its_start_and_adds_up():
    book = Book()
    burst = dict.fromkeys(range(20, 26), 900)
    book.run(flat({"service/a": burst}, days=24))
    later = replace(flat({"service/a": burst}, days=26), judged_from=FIRST + 24)
    assert kinds(book.run(later)) == ["Extend"]
    assert book.run(later) == []
    (record,) = book.records.values()
    assert (record.start - FIRST, record.end - FIRST, record.actual) == (20, 26, 6 * 1000 * UNIT)
    assert (record.expected, record.is_open) == (600 * UNIT, True)


def test_the_evidence_of_two_anomalies_does_not_merge_them():
    book = Book()
    two = {"service/a": {20: 900}, "service/b": {20: 700}, "total/(total)": {20: 1600}}
    book.run(flat(two, days=21))
    assert len(book.records) == 2
    again = {"service/a": {20: 900, 21: 900}, "service/b": {20: 700, 21: 700}, "total/(total)": {20: 1600, 21: 1600}}
    decisions = book.run(flat(again, days=22))
    assert kinds(decisions) == ["Extend", "Extend"]
