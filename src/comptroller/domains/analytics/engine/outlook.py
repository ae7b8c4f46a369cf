"""What is expected of a day before it is seen."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comptroller.domains.analytics.engine import scale
from comptroller.domains.analytics.engine.calendar import MEMORY, THIRTY, DayFacts
from comptroller.domains.analytics.engine.levels import Projection, project, weekday_effect
from comptroller.domains.analytics.engine.memory import States
from comptroller.domains.analytics.engine.thresholds import (
    CALENDAR_MARGIN,
    CALENDAR_SIGMAS,
    FLOOR_SHARE,
    SETTLING_DAYS,
    SPARSE_SHARE,
)

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

LEAST_WORKDAYS = 4
HIGHEST_LOG = 80.0


@dataclass(frozen=True, slots=True)
class Outlook:
    """Hold the expectation of one day; levels are logarithms without the weekday's effect.

    Attributes:
        sparse: Series judged on their days of spend only.
        weights: Weight of each noise model, downward and upward.
        spread: One standard width of the noise.
        persistence: By how much autocorrelation raises the variance of a mean.
        levels: The two levels carried to today.
        weekday: Effect of the weekday.
        low: Lower end of the interval between the levels.
        high: Upper end.
        reach_up: By how much the calendar may raise the day.
        reach_down: By how much it may lower it (negative).
        habit: The calendar effect that two months or more agree on.
        base: Cost at ``high``.
    """

    sparse: Flags
    weights: tuple[Floats, Floats]
    spread: Floats
    persistence: Floats
    levels: Projection
    weekday: Floats
    low: Floats
    high: Floats
    reach_up: Floats
    reach_down: Floats
    habit: Floats
    base: Floats


def turn_sparse(states: States) -> Flags:
    """Return which series are sparse; one that becomes so learns anew from its days of spend."""
    share = states.empty_workdays / np.maximum(states.workdays, 1)
    sparse = (share > SPARSE_SHARE) & (states.workdays > LEAST_WORKDAYS)
    turned = sparse & (states.was_sparse == 0)
    if turned.any():
        states.age[turned] = 0
        states.taught[turned] = 0
        states.weekday_ring[:, :, turned] = np.inf
        states.weekday_weeks[:, turned] = 0
        states.last_week[:, turned] = np.nan
        states.variance[:, :, turned] = np.maximum(states.variance[:, :, turned], scale.PRIOR_SD_SPARSE**2)
    states.was_sparse[:] = sparse
    return sparse


def foresee(states: States, facts: DayFacts) -> Outlook:
    """Return what is expected of the day; nothing of the day itself is used."""
    sparse = turn_sparse(states)
    weights = (scale.weigh(states.fit[0]), scale.weigh(states.fit[1]))
    lower, upper = (scale.deviation(states.variance[side], weights[side]) for side in (0, 1))
    spread = np.sqrt(0.5 * (lower * lower + upper * upper))
    echo = np.clip(states.echo / np.maximum(states.power, 1e-12), 0, 0.9) * 0.9 + 0.05
    echo = np.minimum(echo, 0.8)
    persistence = ((1 + echo) / (1 - echo)).astype(np.float32)
    noise = spread * spread
    levels = project(states.fast, states.slow, states.second, states.age, noise * persistence)
    low, high = np.minimum(levels.fast, levels.slow), np.maximum(levels.fast, levels.slow)
    weeks = states.weekday_weeks.min(axis=0)
    known = (states.age >= SETTLING_DAYS) & (weeks >= 1) & ~sparse
    weekday = np.where(known, weekday_effect(states.weekday_median, weeks, noise, facts.weekday), 0).astype(np.float32)
    base = np.exp(np.minimum(weekday + high, HIGHEST_LOG))
    up, down, habit = _calendar(states, facts, spread, base)
    return Outlook(sparse, weights, spread, persistence, levels, weekday, low, high, up, down, habit, base)


def _calendar(states: States, facts: DayFacts, spread: Floats, base: Floats) -> tuple[Floats, Floats, Floats]:
    """Return how far the same day of earlier months lets this day rise or fall, and what months agree on.

    One month alone may widen the band; from two months on, at least two must show the effect.
    """
    up, down, habit = (np.zeros_like(spread) for _ in range(3))
    for days_back in (facts.same_number, facts.same_distance, THIRTY):
        ups, downs, known = [], [], []
        for back in days_back:
            row = (facts.ordinal - back) % MEMORY
            deviation, money = states.excess_log[row], states.excess_money[row]
            fee = np.log1p(np.maximum(money, 0) / np.maximum(base, 1e-30))
            large = np.abs(deviation) > CALENDAR_SIGMAS * spread
            ups.append(np.where(large & (deviation > 0), np.maximum(deviation, fee) + CALENDAR_MARGIN, 0))
            downs.append(np.where(large & (deviation < 0), deviation - CALENDAR_MARGIN, 0))
            known.append(np.isfinite(deviation))
        if ups:
            one_up, agreed = _agree(ups, known)
            one_down, _ = _agree([-value for value in downs], known)
            up, down = np.maximum(up, one_up), np.minimum(down, -one_down)
            habit = np.maximum(habit, agreed - CALENDAR_MARGIN)
    return up, down, habit


def _agree(effects: list[Floats], known: list[Flags]) -> tuple[Floats, Floats]:
    """Return the effect that the months known support, and the one that at least two agree on (else 0)."""
    support = effects[0]
    agreed = np.zeros_like(support)
    if len(effects) > 1:
        both = np.minimum(effects[0], effects[1])
        support = np.where(known[1], both, support)
        agreed = np.where(known[1], both, 0)
    if len(effects) > 2:  # noqa: PLR2004
        first, second, third = effects[:3]
        middle = np.maximum(np.minimum(first, second), np.minimum(np.maximum(first, second), third))
        support, agreed = np.where(known[2], middle, support), np.where(known[2], middle, agreed)
    return support, agreed


def band(states: States, outlook: Outlook) -> tuple[Floats, Floats, Floats]:
    """Return expected cost and the band of ordinary cost, in money."""
    below, above = (scale.band_width(states.variance[side], outlook.weights[side]) for side in (0, 1))
    floor = FLOOR_SHARE * states.reference
    middle = 0.5 * (outlook.low + outlook.high) + outlook.weekday + outlook.habit
    low = outlook.low + outlook.reach_down + outlook.weekday - below
    high = outlook.high + outlook.reach_up + outlook.weekday + above
    known = states.age > 0
    expected, bottom, top = (
        np.where(known, np.maximum(np.exp(np.minimum(level, HIGHEST_LOG)) - floor, 0), np.nan).astype(np.float32)
        for level in (middle, low, high)
    )
    return expected, bottom, top
