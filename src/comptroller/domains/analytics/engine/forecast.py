"""Forecast the cost of the rest of a period from its days so far and the days before it.

Interface:
    ``forecast_period(days, rules) -> PeriodForecast | None`` with ``days: PeriodDays`` (bounds, daily quanta).

Model: cost of a day is a level times its weekday's factor, with noise. The level is a mean of the days known, each
counting half as much a week earlier, after a single odd day was pulled in to three deviations from the median. A
weekday's factor is the median of its ratios, drawn towards 1 as far as the ratios differ among themselves. The band
is that of a sum of days: their own noise, the level's error, and how far levels wandered from week to week before.
Month ends and growth are not in the model; the band widens where they made the past weeks differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Older days say nothing about next week's level; eight weeks give each weekday eight votes.
_MOST_DAYS: Final = 56
_HALF_LIFE_DAYS: Final = 7.0
_WEEK: Final = 7
# A median of noisy values has this many times the variance of their mean.
_MEDIAN_TO_MEAN: Final = 1.57
# With a week or two little is known of a weekday's noise: a fifth of the level is assumed (0.2 squared).
_PRIOR_ERROR: Final = 0.04
# A weekday of no cost keeps a trace, so that it can be divided by.
_LEAST_FACTOR: Final = 0.01
_MAD_TO_DEVIATION: Final = 1.4826
_WINSOR: Final = 3.0
# Two-sided 80 %: one in ten periods ends above the band.
_BAND_DEVIATIONS: Final = 1.2816
# Days are not independent and eight weeks show few changes of level: so much wider held 80 % in benchmarks/periods.py.
_UNDERSTATED: Final = 1.45
# Noise of a day never counts as less than this share of the level: flat history is no promise.
_LEAST_NOISE: Final = 0.02


@dataclass(frozen=True, slots=True)
class PeriodDays:
    """Hold a period and what is known of it; amounts in quanta.

    Attributes:
        start: First day of the period (absolute, ``step_of``).
        end: Day after its last.
        spent: Cost of the days from ``start`` on, as far as known.
        history: Cost of the days just before ``start``, oldest first.
        settled_until: First provisional day; its cost so far is a lower bound.
    """

    start: int
    end: int
    spent: Sequence[int]
    history: Sequence[int] = ()
    settled_until: int | None = None

    def __post_init__(self) -> None:
        if self.end <= self.start or len(self.spent) > self.end - self.start:
            raise ValueError(f"a period of {self.end - self.start} days cannot have {len(self.spent)} days of cost")

    @property
    def settled_days(self) -> int:
        """Return how many days of the period are final."""
        known = len(self.spent)
        return known if self.settled_until is None else max(min(known, self.settled_until - self.start), 0)


@dataclass(frozen=True, slots=True)
class ForecastRules:
    """Say how many final days a forecast needs, the days before the period included."""

    least_days: int = 7


@dataclass(frozen=True, slots=True)
class PeriodForecast:
    """Hold what the period will have cost at its end, in quanta; four in five ends lie in [low, high].

    Attributes:
        path: Expected cost from the period's start to the end of each of its days.
    """

    expected: int
    low: int
    high: int
    path: tuple[int, ...]

    def crossing(self, ceiling: int) -> int | None:
        """Return the number of the day (from 0) whose end is expected above the ceiling."""
        return next((day for day, total in enumerate(self.path) if total > ceiling), None)


def forecast_period(days: PeriodDays, rules: ForecastRules | None = None) -> PeriodForecast | None:
    """Return the expected cost at the end of the period; None while too few days are known."""
    rules = rules or ForecastRules()
    settled = days.settled_days
    known = np.array([*days.history, *days.spent[:settled]], dtype=np.float64)[-_MOST_DAYS:]
    if known.size < rules.least_days:
        return None
    until = days.start + settled
    weekday = np.arange(until - known.size, until) % _WEEK
    factors = _weekday_factors(known, weekday)
    level, noise, wander, weight = _level(known / factors[weekday])
    ahead = factors[np.arange(until, days.end) % _WEEK] * level
    partial = np.array(days.spent[settled:], dtype=np.float64)
    ahead[: partial.size] = np.maximum(ahead[: partial.size], partial)
    half = _BAND_DEVIATIONS * _UNDERSTATED * _deviation(ahead.size, noise, wander, weight)
    sure = sum(days.spent[:settled])
    return _forecast(days, sure, ahead, half)


def _forecast(days: PeriodDays, sure: int, ahead: Floats, half: float) -> PeriodForecast:
    so_far = np.cumsum([0, *days.spent[: days.settled_days]], dtype=object)[1:].tolist()
    path = [*so_far, *(sure + round(total) for total in np.cumsum(ahead).tolist())]
    expected = path[-1]
    floor = sum(days.spent)
    low = max(expected - round(half), floor) if ahead.size else expected
    return PeriodForecast(expected, min(low, expected), expected + round(half) if ahead.size else expected, tuple(path))


def _weekday_factors(known: Floats, weekday: NDArray[np.int_]) -> Floats:
    """Return seven factors whose mean is 1: medians of ratios, drawn towards 1 as far as they may be noise."""
    centre = float(np.mean(known))
    if centre <= 0:
        return np.ones(_WEEK)
    ratios = [known[weekday == day] / centre for day in range(_WEEK)]
    raw = np.array([float(np.median(day)) if day.size else 1.0 for day in ratios])
    within = np.concatenate([np.abs(day - middle) for day, middle in zip(ratios, raw, strict=True)])
    votes = known.size / _WEEK
    error = (_MAD_TO_DEVIATION * float(np.median(within))) ** 2 * _MEDIAN_TO_MEAN / votes + _PRIOR_ERROR / votes**2
    true = max(float(np.var(raw)) - error, 0.0)
    factors = 1 + (raw - raw.mean()) * true / (true + error)
    factors = np.maximum(factors, _LEAST_FACTOR)
    scaled: Floats = factors / factors.mean()
    return scaled


def _level(flat: Floats) -> tuple[float, float, float, float]:
    """Return the level, the noise of a day, the wander of the level per day, and the level's own error share."""
    middle = float(np.median(flat))
    spread = _MAD_TO_DEVIATION * float(np.median(np.abs(flat - middle)))
    pulled = np.clip(flat, middle - _WINSOR * spread, middle + _WINSOR * spread) if spread > 0 else flat
    weights = 0.5 ** (np.arange(flat.size)[::-1] / _HALF_LIFE_DAYS)
    weights /= weights.sum()
    level = float(pulled @ weights)
    noise = max(float(np.sqrt(((pulled - level) ** 2) @ weights)), _LEAST_NOISE * abs(level))
    weeks = [float(pulled[max(end - _WEEK, 0) : end].mean()) for end in range(flat.size, _WEEK - 1, -_WEEK)]
    change = float(np.mean(np.diff(weeks) ** 2)) if len(weeks) > 1 else noise**2
    # Means of weeks differ by the days' noise too (2/7 of its square); what is more is wander, per day.
    wander = np.sqrt(max(change - 2 * noise**2 / _WEEK, 0.0) / _WEEK)
    return level, noise, float(wander), float(weights @ weights)


def _deviation(ahead: int, noise: float, wander: float, weight: float) -> float:
    """Return the standard deviation of a sum of days ahead."""
    own = ahead * noise**2
    level = ahead**2 * weight * noise**2
    return float(np.sqrt(own + level + wander**2 * (ahead**3 / 3 + ahead**2 * _HALF_LIFE_DAYS / 2)))
