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
ALARM_COST = 0.1
ALARM_FADE = 1 / 60
"""Each run of flags makes the series heard a tenth less; it is forgiven over two months."""
GOES_ON = 0.6
STILL_UNUSUAL = 0.4
"""After a flagged day this score is enough, if the day by itself has that: what goes on needs no second proof."""


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
    heard = 1 + ALARM_COST * states.alarms
    up, down, single = up / heard, down / heard, single / heard
    means = [mean / heard for mean in means]
    score = np.where(evidence.new, NEW_SCORE, np.maximum(np.maximum(up, down), 0)).astype(np.float32)
    goes_on = (states.run > 0) & (score >= GOES_ON) & (np.maximum(single, down) >= STILL_UNUSUAL)
    score = np.where(goes_on, np.maximum(score, 1), score)
    flag = score >= 1
    run = np.where(flag, states.run + 1, 0).astype(np.float32)
    lasting = flag & ((run >= SHIFT_DAYS) | ((single < 1) & (np.maximum(means[1], means[2]) >= 1)))
    kind = np.full(score.shape, KIND_CODES[AnomalyKind.SPIKE], dtype=np.uint8)
    kind[(run > 1) | ((single < 1) & (means[0] >= 1))] = KIND_CODES[AnomalyKind.BURST]
    kind[lasting] = KIND_CODES[AnomalyKind.SHIFT]
    rows = np.flatnonzero(lasting)
    kind[rows[_creeps(evidence.course[:, rows])]] = KIND_CODES[AnomalyKind.DRIFT]
    kind[down > up] = KIND_CODES[AnomalyKind.DROP]
    kind[evidence.new] = KIND_CODES[AnomalyKind.NEW_SPEND]
    kind[~flag] = 0
    if is_whole:
        states.alarms = states.alarms * np.float32(1 - ALARM_FADE) + (run == 1)
        states.run = run
    return Verdict(score, flag, kind)


def _creeps(course: Floats) -> Flags:
    """Return which courses (newest day first) a ramp fits better than a step, each from its best day on."""
    days = course[::-1].astype(np.float64)
    days = days - days.mean(axis=0)
    place = np.arange(len(days), dtype=np.float64)
    best = []
    for shapes in ([place >= cut for cut in place[1:]], [np.maximum(place - cut, 0) for cut in place[:-3]]):
        centred = np.stack([shape - shape.mean() for shape in shapes])
        explained = np.stack([(shape[:, None] * days).sum(axis=0) for shape in centred])
        strength = np.maximum(explained, 0) ** 2 / (centred**2).sum(axis=1)[:, None]
        best.append(strength.max(axis=0, initial=0))
    return np.asarray(best[1] > best[0])
