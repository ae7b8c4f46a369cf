"""What speaks for an anomaly on a day: the day itself, means over days, gaps, a dear start, new spend."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comptroller.domains.analytics.engine import scale
from comptroller.domains.analytics.engine.calendar import DayFacts
from comptroller.domains.analytics.engine.memory import RECENT, States
from comptroller.domains.analytics.engine.outlook import Outlook
from comptroller.domains.analytics.engine.thresholds import (
    CAUTION,
    CAUTION_DAYS,
    DOWN_RATIO,
    EDGE_HISTORY,
    EDGE_RATIO,
    FLOOR_SHARE,
    MEAN_CLIP,
    MEAN_DAYS,
    NEW_AFTER,
    POINT_DAYS,
    SETTLING_DAYS,
    STILL_OFF,
    WINDOWS,
)

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

WORKDAYS = 5
EXPLAINED_SIGMAS = 2.5
FIRST_JUDGED = 3
RARITY = 1.0
"""Days without spend are not judged, so a day of spend in a sparse series may be surprising more easily."""


_BACK = np.arange(1, max(WINDOWS), dtype=np.int32)[:, None]
_AHEAD = np.arange(max(WINDOWS), 0, -1, dtype=np.float32)[:, None]


@dataclass(frozen=True, slots=True)
class Sight:
    """Hold the day as seen against its outlook.

    Attributes:
        spends: Series that spend today.
        live: Series with data today.
        started: Series that spend today or did before.
        judged: Series whose day is judged and learned.
        log_cost: Logarithm of the cost.
        level: The same without the weekday's effect.
        beyond: Distance from the interval between the levels.
        distance: Distance from the interval widened by the calendar.
        calendar: Days that only the calendar explains.
        unproven: Month edges of a series that has seen no month's end; not judged, not learned.
    """

    spends: Flags
    live: Flags
    started: Flags
    judged: Flags
    cost: Floats
    log_cost: Floats
    level: Floats
    beyond: Floats
    distance: Floats
    calendar: Flags
    unproven: Flags


def see(states: States, facts: DayFacts, outlook: Outlook, values: NDArray[np.float64]) -> Sight:
    """Place the day's costs in the outlook."""
    live = values >= 0
    cost = np.where(live, values, 0).astype(np.float32)
    spends = cost > 0
    started = (states.seen > 0) | spends
    unclear = (states.age < 1) | ((states.age < SETTLING_DAYS) & (facts.weekday < WORKDAYS))
    judged = live & started & (spends | ~(outlook.sparse | unclear))
    reference = np.where(states.age > 0, states.reference, cost)
    log_cost = np.log(np.maximum(cost + FLOOR_SHARE * reference, 1e-37))
    level = log_cost - outlook.weekday
    beyond = level - np.clip(level, outlook.low, outlook.high)
    distance = level - np.clip(level, outlook.low + outlook.reach_down, outlook.high + outlook.reach_up)
    distance = (distance / np.sqrt(1 + 1 / np.maximum(states.age, 1))).astype(np.float32)
    limit = EXPLAINED_SIGMAS * outlook.spread
    reached = (outlook.reach_up > 0) | (outlook.reach_down < 0)
    calendar = (np.abs(level - outlook.levels.fast) > limit) & (np.abs(distance) < limit) & reached
    edge = facts.is_edge & (states.age < EDGE_HISTORY)
    unproven = edge & (distance > limit) & (beyond < EDGE_RATIO)
    return Sight(spends, live, started, judged, cost, log_cost, level, beyond, distance, calendar, np.asarray(unproven))


@dataclass(frozen=True, slots=True)
class Evidence:
    """Hold what speaks for an anomaly, each in its own unit; 0 where it does not apply.

    Attributes:
        point: Surprise of a day above its band.
        drop: Surprise of a day below it.
        dip: Standard errors of three days below the base.
        means: Standard errors of the means above the base, per window.
        gap: Surprise of a run of days without spend.
        start: Log ratio to the dearest day so far.
        new: Whether this is spend without history.
        course: The last fourteen days without weekday and calendar, the newest first.
        deviations: The means themselves, to be learned.
    """

    point: Floats
    drop: Floats
    dip: Floats
    means: tuple[Floats, ...]
    gap: Floats
    start: Floats
    new: Flags
    course: Floats
    deviations: tuple[Floats, ...]


def weigh_evidence(states: States, outlook: Outlook, sight: Sight) -> Evidence:
    """Return all evidence of one day; the window means include today."""
    zero = np.zeros_like(sight.distance)
    raised = 1 / (1 + CAUTION * np.maximum(0, (CAUTION_DAYS - states.seen) / CAUTION_DAYS))
    caution = np.where(sight.judged & ~sight.unproven, raised, 0).astype(np.float32)
    upward = sight.distance > 0
    variance = np.where(upward, states.variance[1], states.variance[0])
    weights = np.where(upward, outlook.weights[1], outlook.weights[0])
    rarity = np.where(outlook.sparse, -RARITY * np.log(np.clip(states.active_share, 0.02, 1)), 0).astype(np.float32)
    surprise = (scale.surprise(np.abs(sight.distance), variance, weights) + rarity) * caution
    old_enough = states.seen >= POINT_DAYS
    means, deviations, course = _means(states, outlook, sight)
    off = (sight.level - outlook.levels.slow > STILL_OFF * outlook.spread) & (sight.beyond > STILL_OFF * outlook.spread)
    meant = (states.seen >= MEAN_DAYS) & off
    falls = sight.distance < 0
    deep = falls & (sight.beyond < DOWN_RATIO)
    dips = deep & old_enough & (deviations[0] < 0.5 * DOWN_RATIO)
    start = np.where((states.age >= FIRST_JUDGED) & ~old_enough, sight.log_cost - states.top, 0)
    gap = -(states.gap + 1) * np.log(np.maximum(1 - np.clip(states.active_share, 0.02, 0.99), 1e-3))
    return Evidence(
        point=np.where((sight.beyond > 0) & (sight.distance > 0) & old_enough, surprise, zero),
        drop=np.where(deep & old_enough, surprise, zero),
        dip=np.where(dips, -means[0] * caution, zero),
        means=tuple(np.where(meant, mean * caution, zero) for mean in means),
        gap=np.where(sight.started & sight.live & ~sight.spends, gap, zero).astype(np.float32),
        start=np.where(sight.judged, start, zero).astype(np.float32),
        new=sight.spends & (states.seen == 0) & (states.quiet >= NEW_AFTER),
        course=course,
        deviations=deviations,
    )


def _means(states: States, outlook: Outlook, sight: Sight) -> tuple[tuple[Floats, ...], tuple[Floats, ...], Floats]:
    """Return the last days' means in standard errors, the means, and the days themselves."""
    series = len(states)
    columns = np.arange(series)
    plain = np.where(sight.calendar | sight.unproven, outlook.levels.fast, sight.level)
    days = np.empty((max(WINDOWS), series), dtype=np.float32)
    days[0] = plain
    days[1:] = states.recent.ravel()[(states.age - _BACK) % RECENT * series + columns]
    noise = outlook.spread * outlook.spread * outlook.persistence
    limit = MEAN_CLIP * outlook.spread
    scores, means = [], []
    for place, window in enumerate(WINDOWS):
        cells = (states.age - window) % RECENT * series + columns
        base, slope = states.recent_base.ravel()[cells], states.recent_slope.ravel()[cells]
        apart = days[:window] - (base + slope * _AHEAD[-window:])
        np.minimum(np.maximum(apart, -limit, out=apart), limit, out=apart)
        mean = apart.sum(axis=0) / window
        doubt = states.recent_doubt.ravel()[cells] * (outlook.levels.slow_lag + (window + 1) / 2) ** 2
        ordinary = noise / window + doubt + outlook.levels.slow_variance
        error = np.sqrt(np.maximum(ordinary, states.mean_square[place]))
        means.append(np.where(sight.judged & (states.age > window + FIRST_JUDGED), mean, 0))
        scores.append(means[-1] / error)
    return tuple(scores), tuple(means), days
