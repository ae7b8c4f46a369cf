"""The fixed numbers of the detector, the same for all data; ``benchmarks/derive_thresholds.py`` derives the cuts."""

from dataclasses import dataclass
from typing import Final

from comptroller.enums import Sensitivity


@dataclass(frozen=True, slots=True)
class Cuts:
    """Hold the cut of each kind of evidence; evidence at its cut has the score 1.

    Attributes:
        point: Surprise (minus the natural logarithm of the tail probability) of one day above its band.
        drop: Surprise of one day below its band.
        dip: Standard errors by which three days lie below the base.
        means: Standard errors by which the last 3, 7 and 14 days lie above the base.
        gap: Surprise of a run of days without spend in a series that spends on some days only.
        start: Log ratio to the dearest day so far in a series younger than two weeks.
    """

    point: float
    drop: float
    dip: float
    means: tuple[float, float, float]
    gap: float
    start: float


CUTS: Final[dict[Sensitivity, Cuts]] = {
    Sensitivity.NORMAL: Cuts(point=9.2, drop=8.0, dip=3.7, means=(3.9, 3.4, 3.2), gap=8.0, start=2.3),
    Sensitivity.HIGH: Cuts(point=8.0, drop=8.0, dip=3.7, means=(3.5, 2.95, 3.2), gap=8.0, start=2.2),
}


@dataclass(frozen=True, slots=True)
class HourlyCuts:
    """Hold the cuts for hours: surprise of one hour, standard errors of 3- and 6-hour means, of six hours' dip."""

    point: float
    means: tuple[float, float]
    dip: float


HOURLY_CUTS: Final[dict[Sensitivity, HourlyCuts]] = {
    Sensitivity.NORMAL: HourlyCuts(point=11.8, means=(5.9, 5.9), dip=5.0),
    Sensitivity.HIGH: HourlyCuts(point=10.0, means=(5.0, 5.0), dip=5.0),
}

STREAM_CUTS: Final[dict[Sensitivity, float]] = {Sensitivity.NORMAL: 9.0, Sensitivity.HIGH: 8.0}
"""Surprise from which a step of a metric stream is flagged."""

WINDOWS: Final = (3, 7, 14)
"""Days over which means are compared with the base."""

FLOOR_SHARE: Final = 0.02
"""Added to each cost as a share of the series' level before the logarithm, so that a day without spend is finite."""

FAST_RATE: Final = 0.2
SLOW_RATE: Final = 1 / 45
"""Weights of today in the fast (9-day) and the slow (90-day) level."""

SETTLING_DAYS: Final = 14
"""Two whole weeks: until then levels are plain means and no weekday is told from another."""

GROWTH_SD: Final = 0.005
"""How far daily growth rates of ordinary series spread; slopes are shrunk by it."""

GROWTH_CAP: Final = 0.012
"""No series is expected to grow faster than this a day, so a drift of 2 % a day stays visible."""

SETTLING_CLIP: Final = 3.0
INNOVATION_CLIP: Final = 3.0
"""A day moves the levels by at most so many deviations (log units while settling)."""

PATIENCE: Final = 4
"""After so many days off level in a row the clip widens daily, and a lasting change becomes the new level."""

MEAN_CLIP: Final = 5.0
"""In a mean over days one day counts for at most so many deviations."""

MEAN_MEMORY: Final = 1 / 60
"""Weight of today in what is learned about how far the means of this series wander."""

CALENDAR_SIGMAS: Final = 3.0
CALENDAR_MARGIN: Final = 0.1
"""A deviation this large is remembered for the same day of later months; the repeat may exceed it by the margin."""

LAST_DAYS: Final = 3
FIRST_DAYS: Final = 6
EDGE_HISTORY: Final = 35
EDGE_RATIO: Final = 1.79
"""Before a first month's end was seen, its last three and first six days are judged by a factor of six only."""

SPARSE_SHARE: Final = 0.25
SPARSE_MEMORY: Final = 40
"""With more empty weekdays than this share a series is judged on its days of spend only."""

ACTIVE_MEMORY: Final = 1 / 60

DOWN_RATIO: Final = -1.5
"""A fall is judged only if less than 22 % of the expected is left (log)."""

STILL_OFF: Final = 0.7
"""Means are judged only while today itself is this many deviations above the level."""

POINT_DAYS: Final = 14
MEAN_DAYS: Final = 28
"""Days of history before single days, and before means, are judged."""

CAUTION: Final = 0.8
CAUTION_DAYS: Final = 42
"""Evidence is divided by up to 1.8 in a series younger than six weeks."""

NEW_AFTER: Final = 28
"""Days without any spend before a first spend counts as new; a day known to be zero counts half."""

SHIFT_DAYS: Final = 7
"""Consecutive abnormal days from which a burst is called a shift."""
