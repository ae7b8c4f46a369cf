"""How good flags are against labelled windows; the rule stands in docs/detection.md.

A window is found when a step in it is flagged (for shifts and drifts, one of its first fifteen). Flags of a series with
at most two quiet steps between them are one alarm; an alarm that touches no window, nor the two steps after one, is
false. Precision, recall and F1 count windows and alarms; false alarms are given per 1,000 judged series-steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

LASTING: Final = frozenset({"shift", "drift"})
LASTING_STEPS: Final = 14
GAP: Final = 2
GRACE: Final = 2


@dataclass(frozen=True, slots=True)
class Window:
    """A labelled anomaly: steps ``start`` to ``end``, both included; ``stake`` is the money it is about."""

    series: int
    start: int
    end: int
    kind: str = ""
    stake: float = 1.0


@dataclass(frozen=True, slots=True)
class Quality:
    """What flags reached on a labelled set; ``delay`` is in steps, from a window's start to its first flag."""

    windows: int
    found: int
    false_alarms: int
    series_steps: int
    stake_found: float
    delay: float | None
    recall_by_kind: dict[str, float]

    @property
    def precision(self) -> float:
        """Return the share of windows found among them and false alarms; 1 where there is neither."""
        return self.found / (self.found + self.false_alarms) if self.found + self.false_alarms else 1.0

    @property
    def recall(self) -> float:
        """Return the share of windows found; 1 where there are none."""
        return self.found / self.windows if self.windows else 1.0

    @property
    def f1(self) -> float:
        """Return the harmonic mean of precision and recall."""
        total = self.windows + self.found + self.false_alarms
        return 2 * self.found / total if total else 1.0

    @property
    def false_alarms_per_thousand(self) -> float:
        """Return false alarms per 1,000 judged series-steps."""
        return 1000 * self.false_alarms / self.series_steps if self.series_steps else 0.0


def alarms(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the first and last step of each alarm of one series."""
    steps = np.flatnonzero(flags)
    if not len(steps):
        return []
    cuts = np.flatnonzero(np.diff(steps) > GAP + 1)
    return list(zip(steps[np.r_[0, cuts + 1]].tolist(), steps[np.r_[cuts, len(steps) - 1]].tolist(), strict=True))


def assess(flags: NDArray[np.bool_], windows: Sequence[Window], *, judged: NDArray[np.bool_]) -> Quality:
    """Return how good flags of the shape (series, steps) are; ``judged`` marks the steps that have data."""
    near = np.zeros(flags.shape, dtype=np.bool_)
    hits: list[int | None] = []
    for window in windows:
        last = min(window.end, window.start + LASTING_STEPS) if window.kind in LASTING else window.end
        seen = np.flatnonzero(flags[window.series, window.start : last + 1])
        hits.append(int(seen[0]) if len(seen) else None)
        near[window.series, window.start : window.end + 1 + GRACE] = True
    rows = np.flatnonzero(flags.any(axis=1))
    false = sum(not near[row, a : b + 1].any() for row in rows for a, b in alarms(flags[row]))
    delays = [hit for hit in hits if hit is not None]
    stake = sum(window.stake for window in windows)
    found_stake = sum(window.stake for window, hit in zip(windows, hits, strict=True) if hit is not None)
    return Quality(
        windows=len(windows),
        found=len(delays),
        false_alarms=false,
        series_steps=int(judged.sum()),
        stake_found=found_stake / stake if stake else 1.0,
        delay=float(np.mean(delays)) if delays else None,
        recall_by_kind=_by_kind(windows, hits),
    )


def _by_kind(windows: Sequence[Window], hits: Sequence[int | None]) -> dict[str, float]:
    kinds = sorted({window.kind for window in windows if window.kind})
    return {
        kind: float(np.mean([hit is not None for w, hit in zip(windows, hits, strict=True) if w.kind == kind]))
        for kind in kinds
    }
