"""Derive the detector's cuts from generated series of named seeds, and check them on other seeds.

    uv run python benchmarks/derive_thresholds.py

For each sensitivity the cuts are moved one by one as long as the aim rises: F1 over events, with a heavy price on false
alarms above the limit. The limit lies below the promise, so that other data may raise more. ``high`` adds recall to
its aim, no cut of it lies above that of ``normal``, and falls keep the cuts of ``normal``: they cost nothing.
The series are noisier than those of the reported table, so that the cuts hold beyond it.
Prints the cuts found, the cuts shipped, and what both reach on the seeds of the search and on the others.
"""

import sys
from dataclasses import dataclass
from datetime import datetime, timedelta

import detection_score
import numpy as np
import series

from comptroller.domains.analytics.engine.calendar import day_facts
from comptroller.domains.analytics.engine.evidence import see, weigh_evidence
from comptroller.domains.analytics.engine.hourly import judge_hourly
from comptroller.domains.analytics.engine.learning import learn_day
from comptroller.domains.analytics.engine.memory import new_states
from comptroller.domains.analytics.engine.outlook import foresee
from comptroller.domains.analytics.engine.stream import LEAST, detect_stream
from comptroller.domains.analytics.engine.thresholds import CUTS, Cuts
from comptroller.enums import Sensitivity

SEARCH_SEEDS = (101, 102, 103)
CHECK_SEEDS = (201, 202, 203)
NOISY = 1.4
NAMES = ("point", "drop", "dip", "mean_3", "mean_7", "mean_14", "gap", "start")
RISES = ("point", "mean_3", "mean_7", "mean_14", "start")


@dataclass(frozen=True)
class Aim:
    most_false: float
    recall_weight: float
    names: tuple[str, ...]


AIMS = {Sensitivity.NORMAL: Aim(0.12, 0.0, NAMES), Sensitivity.HIGH: Aim(0.35, 1.0, RISES)}


def evidence_of(labelled: series.Labelled) -> dict[str, np.ndarray]:
    """Return each kind of evidence for every day of every series."""
    values = labelled.values
    states = new_states(len(values))
    found = {name: np.zeros(values.shape, dtype=np.float32) for name in NAMES}
    with np.errstate(invalid="ignore", over="ignore"):
        for step in range(values.shape[1]):
            facts = day_facts(labelled.first_day + timedelta(days=step))
            outlook = foresee(states, facts)
            sight = see(states, facts, outlook, values[:, step])
            seen = weigh_evidence(states, outlook, sight)
            parts = (seen.point, seen.drop, seen.dip, *seen.means, seen.gap, seen.start)
            for name, part in zip(NAMES, parts, strict=True):
                found[name][:, step] = part
            learn_day(states, facts, outlook, sight, seen)
    return found


def as_dict(cuts: Cuts) -> dict[str, float]:
    values = (cuts.point, cuts.drop, cuts.dip, *cuts.means, cuts.gap, cuts.start)
    return dict(zip(NAMES, values, strict=True))


def flags(evidence: dict[str, np.ndarray], cuts: dict[str, float]) -> np.ndarray:
    out = np.zeros(evidence["point"].shape, dtype=bool)
    for name, cut in cuts.items():
        out |= evidence[name] >= cut
    return out


def search(sets: list, cuts: dict[str, float], aim: Aim, most: dict[str, float] | None = None) -> dict[str, float]:
    """Move one cut at a time while the aim rises, in ever smaller steps."""

    def worth(trial: dict[str, float]) -> float:
        results = np.array([scorer(flags(evidence, trial)) for evidence, scorer in sets]).mean(axis=0)
        return results[0] + aim.recall_weight * results[2] - 20 * max(0, results[1] - aim.most_false)

    best = worth(cuts)
    for step in (0.12, 0.08, 0.05, 0.03):
        for name in aim.names:
            for factor in (1 - step, 1 + step):
                trial = cuts | {name: cuts[name] * factor}
                if most and trial[name] > most[name]:
                    continue
                if (reached := worth(trial)) > best + 1e-5:
                    best, cuts = reached, trial
    return cuts


def prepare(seeds: tuple[int, ...]) -> list:
    sets = []
    for seed in seeds:
        labelled = series.daily(seed, calm=NOISY)
        sets.append((evidence_of(labelled), detection_score.FastScore(labelled)))
    return sets


def tell(title: str, sets: list, cuts: dict[str, float]) -> None:
    f1, false, recall = np.array([scorer(flags(evidence, cuts)) for evidence, scorer in sets]).mean(axis=0)
    print(f"  {title:<28} F1 {f1:.3f}  false alarms {false:.3f}  recall {recall:.3f}")


def derive_daily() -> None:
    chosen, others = prepare(SEARCH_SEEDS), prepare(CHECK_SEEDS)
    most = None
    for sensitivity, aim in AIMS.items():
        shipped = as_dict(CUTS[sensitivity])
        start = shipped
        if most:
            start = {name: min(cut, most[name]) if name in RISES else most[name] for name, cut in shipped.items()}
        found = most = search(chosen, start, aim, most)
        print(sensitivity.value, {name: round(float(cut), 2) for name, cut in found.items()})
        print("  shipped", shipped)
        tell("found, seeds of the search", chosen, found)
        tell("found, other seeds", others, found)
        tell("shipped, other seeds", others, shipped)


def derive_hourly() -> None:
    """Print what a common factor on the hourly cuts would do."""
    for seeds in ((111,), (211,)):
        for seed in seeds:
            labelled = series.hourly(seed)
            fast = detection_score.FastScore(labelled)
            for sensitivity in Sensitivity:
                judged = judge_hourly(labelled.values, first_hour=datetime(2025, 1, 6), sensitivity=sensitivity)  # noqa: DTZ001
                for factor in (0.9, 1.0, 1.1):
                    f1, false, _ = fast(judged.score >= factor)
                    print(f"  hours, seed {seed}, {sensitivity.value} x {factor}: F1 {f1:.3f}, false {24 * false:.3f}")


def derive_stream() -> None:
    """Print how often clean five-minute streams of two weeks are flagged, per 1,000 steps."""
    rng = np.random.default_rng(121)
    steps = 14 * 288
    seconds = np.arange(steps) * 300.0
    for sensitivity in Sensitivity:
        count = 0
        for _ in range(40):
            wave = rng.uniform(0, 3) * np.sin(2 * np.pi * seconds / 86_400)
            count += int(
                detect_stream(wave + rng.normal(0, 1, steps), seconds=seconds, sensitivity=sensitivity).flag.sum()
            )
        print(
            f"  clean streams, {sensitivity.value}: {1000 * count / (40 * (steps - LEAST)):.3f} flags per 1,000 steps"
        )


if __name__ == "__main__":
    derive_daily()
    if "--all" in sys.argv:
        derive_hourly()
        derive_stream()
