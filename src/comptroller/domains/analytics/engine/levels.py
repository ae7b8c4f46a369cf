"""Where a series stands: a fast and a slow level, the slope between, and the effect of each weekday."""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from comptroller.domains.analytics.engine.thresholds import FAST_RATE, GROWTH_CAP, GROWTH_SD, SETTLING_DAYS, SLOW_RATE

Floats = NDArray[np.float32]

WEEKS: Final = 12
WORKDAYS: Final = 5
CONVERGED: Final = 400
UNKNOWN_SLOPE: Final = 1e3
"""Variance of a slope that nothing is known of, in units of the noise."""


@dataclass(frozen=True, slots=True)
class Lags:
    """Hold how old, on average, the days in each level are after n days, and how noisy level and slope are."""

    fast: Floats
    slow: Floats
    second: Floats
    slope_noise: Floats
    level_noise: Floats


@cache
def lags() -> Lags:
    """Follow a unit impulse through the recursions once, for every age up to convergence."""
    rows = np.zeros((CONVERGED + 1, 5))
    rows[0, 3] = UNKNOWN_SLOPE
    fast, slow, second = np.zeros(CONVERGED), np.zeros(CONVERGED), np.zeros(CONVERGED)
    for age in range(1, CONVERGED + 1):
        impulse = np.zeros(CONVERGED)
        impulse[age - 1] = 1.0
        fast = fast + rate(age - 1, FAST_RATE) * (impulse - fast)
        slow = slow + max(SLOW_RATE, 1 / age) * (impulse - slow)
        second = second + max(SLOW_RATE, 1 / age) * (slow - second) if age > SETTLING_DAYS else slow.copy()
        ages = np.maximum(age - 1 - np.arange(CONVERGED), 0)
        apart = float(((second - slow) * ages).sum())
        noise = float(((slow - second) ** 2).sum()) / apart**2 if apart > MIN_APART else UNKNOWN_SLOPE
        rows[age] = ((fast * ages).sum(), (slow * ages).sum(), (second * ages).sum(), noise, (slow**2).sum())
    return Lags(*(np.ascontiguousarray(column, dtype=np.float32) for column in rows.T))


MIN_APART: Final = 0.3


def rate(age: float, usual: float) -> float:
    """Return the weight of the day after ``age`` days: a plain mean while settling, the usual rate afterwards."""
    return 1 / (age + 1) if age < SETTLING_DAYS else max(usual, 1 / (age + 1))


@dataclass(frozen=True, slots=True)
class Projection:
    """Hold where the levels are expected today, in logarithms without weekday effects."""

    fast: Floats
    slow: Floats
    slope: Floats
    slope_variance: Floats
    slow_lag: Floats
    slow_variance: Floats


def project(fast: Floats, slow: Floats, second: Floats, age: NDArray[np.int32], spread: Floats) -> Projection:
    """Carry both levels to today along a slope that is shrunk towards no growth.

    Args:
        fast: Fast level.
        slow: Slow level.
        second: Slow level of the slow level; their distance is the slope's measure.
        age: Days learned.
        spread: Variance of the noise, raised for its autocorrelation.
    """
    table = lags()
    place = np.minimum(age, CONVERGED)
    slow_lag = table.slow[place]
    apart = np.maximum(table.second[place] - slow_lag, MIN_APART)
    uncertain = table.slope_noise[place] * spread
    trust = GROWTH_SD**2 / (GROWTH_SD**2 + uncertain)
    slope = np.clip((slow - second) / apart * trust, -GROWTH_CAP, GROWTH_CAP)
    return Projection(
        fast=fast + slope * (table.fast[place] + 1),
        slow=slow + slope * (slow_lag + 1),
        slope=slope,
        slope_variance=trust * uncertain,
        slow_lag=slow_lag,
        slow_variance=table.level_noise[place] * spread,
    )


def weekday_effect(medians: Floats, weeks: Floats, noise: Floats, weekday: int) -> Floats:
    """Return the effect of a weekday: of workdays or weekends as a group, then of the day itself, each shrunk.

    Args:
        medians: Median deviation of each weekday, shape (7, series).
        weeks: Weeks of which each weekday is known, the fewest.
        noise: Variance of one day.
        weekday: 0 is Monday.
    """
    work = (medians[0] + medians[1] + medians[2] + medians[3] + medians[4]) / WORKDAYS
    rest = (medians[5] + medians[6]) / 2
    mean = (WORKDAYS * work + 2 * rest) / 7
    unsure = 1.35 * noise / np.maximum(weeks, 1)
    square = np.zeros_like(mean)
    for day in range(7):
        apart = medians[day] - (work if day < WORKDAYS else rest)
        square += apart * apart
    own_trust = np.maximum(0, 1 - unsure / np.maximum(square / WORKDAYS, 1e-12))
    gap = rest - work
    group_trust = np.maximum(0, 1 - unsure * 0.7 / np.maximum(gap * gap, 1e-12))
    group = work if weekday < WORKDAYS else rest
    effect: Floats = (group - mean) * group_trust + (medians[weekday] - group) * own_trust
    return effect


def median_of_weeks(ring: Floats) -> tuple[Floats, Floats]:
    """Return the median over weeks and how many weeks are known; unknown weeks are infinite."""
    ordered = np.sort(ring, axis=0)
    known = np.isfinite(ordered).sum(axis=0)
    columns = np.arange(ring.shape[1])
    below = ordered[np.maximum(known - 1, 0) // 2, columns]
    above = ordered[np.minimum(known // 2, WEEKS - 1), columns]
    median = np.where(known > 0, 0.5 * (below + np.where(np.isfinite(above), above, below)), 0)
    return median.astype(np.float32), known.astype(np.float32)
