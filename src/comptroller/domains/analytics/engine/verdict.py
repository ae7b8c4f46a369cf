"""From evidence to a verdict: score, flag and kind."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comptroller.domains.analytics.engine.evidence import Evidence
from comptroller.domains.analytics.engine.memory import States
from comptroller.domains.analytics.engine.panel import KIND_CODES
from comptroller.domains.analytics.engine.thresholds import SHIFT_DAYS, Cuts
from comptroller.enums import AnomalyKind

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

NEW_SCORE = 1.5


@dataclass(frozen=True, slots=True)
class Verdict:
    """Hold one day's score, flag and kind code of each series."""

    score: Floats
    flag: Flags
    kind: NDArray[np.uint8]


def decide(states: States, evidence: Evidence, cuts: Cuts, *, is_whole: bool) -> Verdict:
    """Return the verdict and count flagged days; a day still filling is never a drop and leaves the count alone."""
    single = np.maximum(evidence.point / cuts.point, evidence.start / cuts.start)
    means = [mean / cut for mean, cut in zip(evidence.means, cuts.means, strict=True)]
    up = np.maximum(np.maximum(single, means[0]), np.maximum(means[1], means[2]))
    down = np.maximum(np.maximum(evidence.drop / cuts.drop, evidence.dip / cuts.dip), evidence.gap / cuts.gap)
    if not is_whole:
        down = np.zeros_like(down)
    score = np.where(evidence.new, NEW_SCORE, np.maximum(np.maximum(up, down), 0)).astype(np.float32)
    flag = score >= 1
    run = np.where(flag, states.run + 1, 0).astype(np.float32)
    lasting = (run >= SHIFT_DAYS) | ((single < 1) & (np.maximum(means[1], means[2]) >= 1))
    kind = np.full(score.shape, KIND_CODES[AnomalyKind.SPIKE], dtype=np.uint8)
    kind[(run > 1) | ((single < 1) & (means[0] >= 1))] = KIND_CODES[AnomalyKind.BURST]
    kind[lasting] = KIND_CODES[AnomalyKind.SHIFT]
    kind[lasting & evidence.rises] = KIND_CODES[AnomalyKind.DRIFT]
    kind[down >= np.maximum(up, 1)] = KIND_CODES[AnomalyKind.DROP]
    kind[evidence.new] = KIND_CODES[AnomalyKind.NEW_SPEND]
    kind[~flag] = 0
    if is_whole:
        states.run = run
    return Verdict(score, flag, kind)
