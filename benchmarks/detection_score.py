"""Score flags against labelled intervals: events found, false alarms, money, delay."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

LASTING = ("shift", "drift")
LASTING_DAYS = 14
GAP = 2
GRACE = 2


@dataclass
class Score:
    """What a detector reached on one labelled set."""

    found: int
    missed: int
    false_alarms: int
    series_days: int
    money_found: float
    delay: float
    by_kind: dict[str, float]
    false_by_shape: Counter = field(default_factory=Counter)
    found_by_shape: dict[str, float] = field(default_factory=dict)

    @property
    def precision(self) -> float:
        return self.found / max(self.found + self.false_alarms, 1)

    @property
    def recall(self) -> float:
        return self.found / max(self.found + self.missed, 1)

    @property
    def f1(self) -> float:
        return 2 * self.found / max(2 * self.found + self.false_alarms + self.missed, 1)

    @property
    def per_thousand(self) -> float:
        return 1000 * self.false_alarms / self.series_days


def runs(flags: np.ndarray, gap: int = GAP) -> list[tuple[int, int]]:
    """Return (first, last) of each run of flags; up to ``gap`` quiet days do not end a run."""
    days = np.flatnonzero(flags)
    if not len(days):
        return []
    cuts = np.flatnonzero(np.diff(days) > gap + 1)
    return list(zip(days[np.r_[0, cuts + 1]], days[np.r_[cuts, len(days) - 1]], strict=True))


def score(flags: np.ndarray, labelled, *, values: np.ndarray | None = None) -> Score:
    """Score flags of shape (series, steps) against ``labelled.labels`` by the rule in docs/detection.md."""
    values = labelled.values if values is None else values
    covered = np.zeros(flags.shape, dtype=bool)
    kinds: dict[str, list[bool]] = {}
    shapes: dict[str, list[bool]] = {}
    money = found_money = 0.0
    delays = []
    for label in labelled.labels:
        last = min(label.end, label.start + LASTING_DAYS) if label.kind in LASTING else label.end
        days = np.flatnonzero(flags[label.series, label.start : last + 1])
        hit = len(days) > 0
        kinds.setdefault(label.kind, []).append(hit)
        shapes.setdefault(str(labelled.shape[label.series]), []).append(hit)
        money += label.stake
        found_money += label.stake * hit
        if hit:
            delays.append(int(days[0]))
        covered[label.series, label.start : label.end + 1 + GRACE] = True
    false = Counter()
    for row in np.flatnonzero(flags.any(axis=1)):
        for first, last in runs(flags[row]):
            if not covered[row, first : last + 1].any():
                false[str(labelled.shape[row])] += 1
    found = sum(sum(hits) for hits in kinds.values())
    total = len(labelled.labels)
    return Score(
        found=found,
        missed=total - found,
        false_alarms=sum(false.values()),
        series_days=int(np.isfinite(values).sum()),
        money_found=found_money / money if money else 1.0,
        delay=float(np.mean(delays)) if delays else 0.0,
        by_kind={kind: float(np.mean(hits)) for kind, hits in sorted(kinds.items())},
        false_by_shape=false,
        found_by_shape={shape: float(np.mean(hits)) for shape, hits in sorted(shapes.items())},
    )


class FastScore:
    """The same counts over many trials of one labelled set: F1, false alarms per 1,000 series-days, recall."""

    def __init__(self, labelled) -> None:
        shape = labelled.values.shape
        self.covered = np.zeros(shape, dtype=bool)
        self.series_days = int(np.isfinite(labelled.values).sum())
        rows, starts, ends = [], [], []
        for label in labelled.labels:
            last = min(label.end, label.start + LASTING_DAYS) if label.kind in LASTING else label.end
            rows.append(label.series)
            starts.append(label.start)
            ends.append(last + 1)
            self.covered[label.series, label.start : label.end + 1 + GRACE] = True
        self.rows, self.starts, self.ends = np.array(rows), np.array(starts), np.array(ends)

    def __call__(self, flags: np.ndarray) -> tuple[float, float, float]:
        series, steps = flags.shape
        sums = np.zeros((series, steps + 1), dtype=np.int32)
        np.cumsum(flags, axis=1, out=sums[:, 1:])
        found = int((sums[self.rows, self.ends] > sums[self.rows, self.starts]).sum())
        padded = np.zeros((series, steps + GAP + 1), dtype=bool)
        padded[:, GAP + 1 :] = flags
        begins = flags.copy()
        for back in range(1, GAP + 2):
            begins &= ~padded[:, GAP + 1 - back : GAP + 1 - back + steps]
        numbers = np.cumsum(begins.ravel())[flags.ravel()]
        false = 0
        if len(numbers):
            touched = np.zeros(numbers[-1] + 1, dtype=bool)
            touched[numbers[self.covered[flags]]] = True
            false = int(numbers[-1] - touched[1:].sum())
        total = len(self.rows)
        return 2 * found / (found + false + total), 1000 * false / self.series_days, found / max(total, 1)
