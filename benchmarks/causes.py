"""How often one cause becomes one anomaly, and how often its culprit is named; and how fast.

Run: ``uv run --locked python -m benchmarks causes``. Bills of (service, account, region) cells with known culprits on
named seeds, once with verdicts that know the true mean and noise, so that only grouping and explanation are measured,
once with those of the shipped detector (normal sensitivity). The first table is time over size.
"""

import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from comptroller.domains.analytics.engine.causes import find_causes
from comptroller.domains.analytics.engine.continuity import AnomalyOnRecord, decide
from comptroller.domains.analytics.engine.daily import judge_daily
from comptroller.domains.analytics.engine.episodes import find_episodes
from comptroller.domains.analytics.engine.explain import Explainer, explain_slice
from comptroller.domains.analytics.engine.observation import step_start
from comptroller.domains.analytics.engine.panel import Judgement, Panel
from comptroller.enums import Sensitivity
from unit.analytics.made_bills import AXES, FIRST, UNIT, Bill, Culprit, judge, key

SEEDS = range(5000, 5200)  # thresholds were settled on seeds below 2000
SHAPE = (12, 8, 5)


def cell(rng):
    return [int(rng.integers(size)) for size in SHAPE]


def culprits(rng, story, history):
    """Return the culprits of a story; sizes are shares of the whole bill's daily spend."""
    start = history + int(rng.integers(0, 15))
    days = int(rng.choice([1, 3, 7]))
    size = float(rng.choice([0.1, 0.2, 0.5]))
    span = (start, min(start + days, history + 25))
    first, second = cell(rng), cell(rng)
    while any(a == b for a, b in zip(first[:2], second[:2], strict=True)):
        second = cell(rng)
    service, account, region = first
    told = {
        "one cell": [(*span, size, *first)],
        "a service, all accounts": [(*span, size, service, None, None)],
        "an account, all services": [(*span, size, None, account, None)],
        "a service in a region": [(*span, size, service, None, region)],
        "everything": [(*span, size + 0.2, None, None, None)],
        "two cells, same days": [(*span, size, *first), (*span, size * float(rng.uniform(0.4, 2.5)), *second)],
        "two services, same days": [
            (*span, size, service, None, None),
            (*span, size * 0.7, second[0], None, None),
        ],
        "a service and a small cell": [(*span, size, service, None, None), (*span, size * 0.2, *second)],
        "a cell, to the end": [(start, history + 25, size, *first)],
        "a service, to the end": [(start, history + 25, size, service, None, None)],
        "two cells, days overlap": [
            (*span, size, *first),
            (start + 1, min(start + 4, history + 25), size * 0.7, *second),
        ],
    }
    return told[story]


STORIES = (
    "one cell",
    "a service, all accounts",
    "an account, all services",
    "a service in a region",
    "everything",
    "two cells, same days",
    "two services, same days",
    "two cells, days overlap",
    "a service and a small cell",
    "a cell, to the end",
    "a service, to the end",
)


def named(facts):
    return {f"{axis.value}-{value}" for axis, value in zip(AXES, facts, strict=True) if value is not None}


def sliced(bill, draft):
    """Return the carriers from the primary series split by the other axes, as the store would give it."""
    _, cost = bill.cells()
    if draft.primary.value == "(total)":
        part, axes = cost, AXES
    else:
        axis = [a.value for a in AXES].index(draft.primary.dimension.value)
        part = cost.take([int(draft.primary.value.rsplit("-", 1)[1])], axis=axis)
        axes = AXES
    keys, rows = [], []
    for place, dimension in enumerate(axes):
        others = tuple(i for i in range(3) if i != place)
        summed = part.sum(axis=others)
        if summed.shape[0] == SHAPE[place]:
            keys += [key(dimension, f"{dimension.value}-{i}") for i in range(summed.shape[0])]
            rows.append(summed)
    return explain_slice(draft, keys, np.round(np.concatenate(rows) * UNIT).astype(np.int64), FIRST)


def made(story, noise, seed, history=35):
    """Return a bill and what was done to it."""
    rng = np.random.default_rng(seed)
    bill = Bill(seed=seed, shape=SHAPE, noise=noise, presence=0.5, band=4.5, days=history + 25)
    total = bill.cells()[0].sum()
    facts = [(s, e, size * total, *where) for s, e, size, *where in culprits(rng, story, history)]
    bill.culprits = [Culprit(*fact) for fact in facts]
    return bill, facts


def detected(bills):
    """Return what the shipped detector sees of many bills, judged in one panel."""
    seen = [bill.observe() for bill in bills]
    values = np.concatenate([observation.actual_quanta for observation in seen]) / UNIT
    values[values.max(axis=1) == 0] = np.nan
    verdict = judge_daily(Panel(values, step_start(FIRST).date()), sensitivity=Sensitivity.NORMAL)
    at = np.cumsum([0, *(len(observation.keys) for observation in seen)])
    for observation, low, high in zip(seen, at[:-1], at[1:], strict=True):
        names = Judgement.__dataclass_fields__
        yield replace(observation, judgement=Judgement(*(getattr(verdict, name)[low:high] for name in names)))


class Tally:
    """Count over bills what was grouped and named as it was made."""

    def __init__(self):
        self.bills = self.seen = self.right = self.causes = self.primary = self.run = self.cut = self.clean = 0

    def add(self, bill, facts, observation):
        drafts = find_causes(observation, find_episodes(observation))
        spans = [(FIRST + fact[0], FIRST + fact[1]) for fact in facts]
        drafts = [d for d in drafts if d.direction > 0 and any(d.start < end and start < d.end for start, end in spans)]
        self.bills += 1
        self.seen += bool(drafts)
        self.right += len(drafts) == len(facts)
        explainer = Explainer(observation)
        wanted = [named(fact[3:]) or {"(total)"} for fact in facts]
        for want in wanted:
            mine = [d for d in drafts if d.primary.value in want]
            told = [{c.key.value for c in explainer.explain(d)} | {d.primary.value} for d in mine]
            others = {name for other in wanted if other is not want for name in other} - want
            self.causes += 1
            self.primary += bool(mine)
            self.run += any(want <= names for names in told)
            self.cut += any(want <= {c.key.value for c in sliced(bill, d)} | {d.primary.value} for d in mine)
            self.clean += any(want <= names and not names & others for names in told)

    def row(self, story):
        of_bills = "".join(f"{count / self.bills:14.1%}" for count in (self.seen, self.right))
        counts = (self.primary, self.run, self.cut, self.clean)
        return f"{story:26s}" + of_bills + "".join(f"{count / self.causes:14.1%}" for count in counts)


WORDS = ("flagged", "right number", "primary true", "named (run)", "named (slice)", "no false name")
HEAD = f"{'story':26s}" + "".join(f"{word:>14s}" for word in WORDS)


def stories(noise):
    print(f"\nverdicts that know the truth, noise of a cell {noise:.0%}, seeds {SEEDS[0]}-{SEEDS[-1]}\n{HEAD}")
    for story in STORIES:
        tally = Tally()
        for seed in SEEDS:
            bill, facts = made(story, noise, seed)
            tally.add(bill, facts, bill.observe())
        print(tally.row(story))


def with_detector(noise):
    seeds = SEEDS[: len(SEEDS) // 2]
    print(f"\nverdicts of the shipped detector, noise of a cell {noise:.0%}, seeds {seeds[0]}-{seeds[-1]}\n{HEAD}")
    for story in STORIES:
        tally = Tally()
        pairs = [made(story, noise, seed, history=90) for seed in seeds]
        for (bill, facts), observation in zip(pairs, detected([bill for bill, _ in pairs]), strict=True):
            tally.add(bill, facts, observation)
        print(tally.row(story))


def crowd(series, episodes, days=180):
    """Return an observation of many series with flags spread at random, and the time that each step takes."""
    rng = np.random.default_rng(7)
    axes = ("service", "account", "region", "user", "team")
    keys = [key(axes[i % 5], f"v{i // 5}") for i in range(series - 1)] + [key("total", "(total)")]
    mean = rng.lognormal(3, 1, series)
    mean[-1] = mean[:-1].sum() / 5
    sigma = mean * 0.05
    actual = mean[:, None] * (1 + 0.005 * rng.standard_normal((series, days), dtype=np.float32))
    for row in rng.choice(series - 1, episodes, replace=False):
        start = int(rng.integers(0, days - 5))
        actual[row, start : start + int(rng.integers(1, 5))] += mean[row] * rng.uniform(1, 9)
    return judge(keys, actual, mean, sigma)


def speed():
    print("\n series  episodes  episodes s  causes s  second run s  explainer s  explain ms each")
    for series, flagged in ((1000, 100), (10_000, 1000), (100_000, 10_000)):
        observation = crowd(series, flagged)
        marks = [time.perf_counter()]
        episodes = find_episodes(observation)
        marks.append(time.perf_counter())
        drafts = find_causes(observation, episodes)
        marks.append(time.perf_counter())
        records = [
            AnomalyOnRecord(
                d.anomaly_id,
                d.primary,
                d.kind,
                d.direction,
                d.start,
                d.end,
                d.is_open,
                d.actual,
                d.expected,
                d.low,
                d.high,
                frozenset(e.key for e in d.evidence),
            )
            for d in drafts
        ]
        assert decide(observation, drafts, records) == []
        marks.append(time.perf_counter())
        explainer = Explainer(observation)
        marks.append(time.perf_counter())
        for draft in drafts[:100]:
            explainer.explain(draft)
        marks.append(time.perf_counter())
        find, causes, again, build, explain = np.diff(marks).tolist()
        print(
            f"{series:7d} {len(episodes):9d} {find:11.2f} {causes:9.2f} {again:13.2f} {build:12.2f} "
            f"{explain * 10:16.1f}"
        )


def main():
    speed()
    for noise in (0.05, 0.2):
        stories(noise)
        with_detector(noise)


if __name__ == "__main__":
    main()
