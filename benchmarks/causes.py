"""How often one cause becomes one anomaly, and how often its culprit is named; and how fast.

Run: ``uv run --locked python benchmarks/causes.py``. Bills of (service, account, region) cells with known culprits on
named seeds; the verdicts know the true mean and noise, so that only grouping and explanation are measured. The second
table is time over size: 100,000 series and 10,000 episodes.
"""

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from comptroller.domains.analytics.engine.causes import find_causes
from comptroller.domains.analytics.engine.continuity import AnomalyOnRecord, decide
from comptroller.domains.analytics.engine.episodes import find_episodes
from comptroller.domains.analytics.engine.explain import Explainer, explain_slice
from unit.analytics.made_bills import AXES, FIRST, UNIT, Bill, Culprit, judge, key

SEEDS = range(1000, 1200)  # thresholds were settled on seeds below 100
SHAPE = (12, 8, 5)


def cell(rng):
    return [int(rng.integers(size)) for size in SHAPE]


def culprits(rng, story):
    """Return the culprits of a story; sizes are shares of the whole bill's daily spend."""
    start = int(rng.integers(35, 50))
    days = int(rng.choice([1, 3, 7]))
    size = float(rng.choice([0.1, 0.2, 0.5]))
    span = (start, min(start + days, 60))
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
        "two cells, days overlap": [(*span, size, *first), (start + 1, min(start + 4, 60), size * 0.7, *second)],
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


def stories(noise):
    print(f"\nnoise of a cell {noise:.0%}, {len(SEEDS)} bills per story (seeds {SEEDS[0]}-{SEEDS[-1]})")
    print(f"{'story':28s} flagged  right number  primary true  named (run)  named (slice)  no false name")
    for story in STORIES:
        seen = count = primary = run = cut = clean = causes = 0
        for seed in SEEDS:
            rng = np.random.default_rng(seed)
            bill = Bill(seed=seed, shape=SHAPE, noise=noise, presence=0.5, band=4.5)
            total = bill.cells()[0].sum()
            facts = [(s, e, size * total, *where) for s, e, size, *where in culprits(rng, story)]
            bill.culprits = [Culprit(*fact) for fact in facts]
            observation = bill.observe()
            drafts = find_causes(observation, find_episodes(observation))
            drafts = [
                d
                for d in drafts
                if d.direction > 0 and any(d.start < FIRST + f[1] and d.end > FIRST + f[0] for f in facts)
            ]
            seen += bool(drafts)
            count += len(drafts) == len(facts)
            explainer = Explainer(observation)
            wanted = [named(fact[3:]) or {"(total)"} for fact in facts]
            for want in wanted:
                causes += 1
                mine = [d for d in drafts if d.primary.value in want]
                primary += bool(mine)
                tell = [{c.key.value for c in explainer.explain(d)} | {d.primary.value} for d in mine]
                run += any(want <= names for names in tell)
                cut += any(want <= {c.key.value for c in sliced(bill, d)} | {d.primary.value} for d in mine)
                others = {name for other in wanted if other is not want for name in other} - want
                clean += any(want <= names and not names & others for names in tell)
        print(
            f"{story:28s} {seen / len(SEEDS):7.1%} {count / len(SEEDS):13.1%} {primary / causes:13.1%} "
            f"{run / causes:12.1%} {cut / causes:14.1%} {clean / causes:14.1%}"
        )


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


if __name__ == "__main__":
    speed()
    for noise in (0.05, 0.2):
        stories(noise)
