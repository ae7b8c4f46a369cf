"""What a day teaches: levels, weekdays, noise, calendar, rhythm of spend. Flags play no part, so nothing echoes."""

import numpy as np
from numpy.typing import NDArray

from comptroller.domains.analytics.engine import scale
from comptroller.domains.analytics.engine.calendar import MEMORY, DayFacts
from comptroller.domains.analytics.engine.evidence import WORKDAYS, Evidence, Sight
from comptroller.domains.analytics.engine.levels import CONVERGED, WEEKS, lags, median_of_weeks
from comptroller.domains.analytics.engine.memory import RECENT, States
from comptroller.domains.analytics.engine.outlook import HIGHEST_LOG, Outlook
from comptroller.domains.analytics.engine.thresholds import (
    ACTIVE_MEMORY,
    FAST_RATE,
    INNOVATION_CLIP,
    MEAN_MEMORY,
    PATIENCE,
    SETTLING_CLIP,
    SETTLING_DAYS,
    SLOW_RATE,
    SPARSE_MEMORY,
    WINDOWS,
)

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

MEAN_MOST = 16.0


def learn_day(states: States, facts: DayFacts, outlook: Outlook, sight: Sight, evidence: Evidence) -> None:
    """Update the states in place; series without data today keep theirs but for the calendar's slot."""
    excused = sight.calendar | sight.unproven
    _learn_noise(states, facts, outlook, sight, excused)
    _learn_means(states, sight, evidence)
    _learn_levels(states, outlook, sight, excused)
    _learn_calendar(states, facts, outlook, sight)
    _learn_weekday(states, facts, sight)
    _learn_rhythm(states, facts, sight)
    states.top = np.where(sight.judged, np.maximum(states.top, sight.log_cost), states.top)
    states.age += sight.judged
    states.day[:] = facts.ordinal


def _learn_noise(states: States, facts: DayFacts, outlook: Outlook, sight: Sight, excused: Flags) -> None:
    """Teach the noise models today's residual; in the first weeks the change since last week stands for it."""
    week_ago = states.last_week[facts.weekday]
    settling = states.age < SETTLING_DAYS
    by_week = sight.judged & ~outlook.sparse & settling & np.isfinite(week_ago)
    by_level = sight.judged & ~excused & ~settling & (states.weekday_weeks.min(axis=0) >= 1)
    by_spend = sight.judged & ~excused & outlook.sparse & (states.age >= 2)  # noqa: PLR2004
    residual = np.where(excused, 0, sight.level - outlook.levels.fast)
    taught = np.where(by_week, (sight.log_cost - week_ago) * np.float32(0.5**0.5), residual)
    old_spread = outlook.spread
    scale.learn(states.variance, states.fit, states.taught, taught, by_week | by_level | by_spend)
    clipped = np.clip(residual, -3 * old_spread, 3 * old_spread)
    rate = np.maximum(1 / 60, 1 / np.maximum(states.age - SETTLING_DAYS + 1, 1))
    rate = np.where(sight.judged & ~settling, rate, 0).astype(np.float32)
    states.echo += rate * (clipped * states.previous - states.echo)
    states.power += rate * (clipped * clipped - states.power)
    states.previous = np.where(sight.judged, clipped, states.previous)
    off = (np.abs(residual) > INNOVATION_CLIP * old_spread) & ~excused
    states.off_level = np.where(sight.judged, np.where(off, states.off_level + 1, 0), states.off_level)


def _learn_means(states: States, sight: Sight, evidence: Evidence) -> None:
    for place, window in enumerate(WINDOWS):
        age = states.age - window - SETTLING_DAYS
        rate = np.where(sight.judged & (age > 0), np.maximum(MEAN_MEMORY, 1 / np.maximum(age + 1, 1)), 0)
        known = states.mean_square[place]
        most = MEAN_MOST * np.maximum(known, states.variance[1, -1] / window)
        square = np.minimum(evidence.deviations[place] ** 2, most)
        states.mean_square[place] = known + rate.astype(np.float32) * (square - known)


def _learn_levels(states: States, outlook: Outlook, sight: Sight, excused: Flags) -> None:
    """Move the levels; a day counts for a few deviations only, more the longer the series stays off its level."""
    projected = outlook.levels
    judged, age = sight.judged, states.age
    settling = age < SETTLING_DAYS
    mean_rate = (1 / (age + 1)).astype(np.float32)
    fast_rate = np.where(settling, mean_rate, np.maximum(FAST_RATE, mean_rate)).astype(np.float32)
    slow_rate = np.maximum(np.float32(SLOW_RATE), mean_rate)
    patience = INNOVATION_CLIP + np.maximum(states.off_level - PATIENCE, 0)
    limit = np.where(settling, SETTLING_CLIP, patience * outlook.spread).astype(np.float32)
    first = judged & (age == 0)
    to_fast = np.where(excused, 0, np.clip(sight.level - projected.fast, -limit, limit))
    to_slow = np.where(excused, 0, np.clip(sight.level - projected.slow, -limit, limit))
    fast = states.fast + fast_rate * (projected.fast - states.fast + to_fast)
    slow = states.slow + slow_rate * (projected.slow - states.slow + to_slow)
    states.fast = np.where(first, sight.level, np.where(judged, fast, states.fast))
    states.slow = np.where(first, sight.level, np.where(judged, slow, states.slow))
    second = np.where(settling, states.slow, states.second + slow_rate * (states.slow - states.second))
    states.second = np.where(judged, second, states.second)
    states.reference = np.where(judged, np.exp(np.clip(states.slow, -HIGHEST_LOG, HIGHEST_LOG)), states.reference)
    columns = np.flatnonzero(judged)
    row = (age % RECENT)[columns]
    ahead = states.slow + projected.slope * lags().slow[np.minimum(age + 1, CONVERGED)]
    plain = np.where(excused, projected.fast, sight.level)
    for ring, value in (
        (states.recent, plain),
        (states.recent_base, ahead),
        (states.recent_slope, projected.slope),
        (states.recent_doubt, projected.slope_variance),
    ):
        ring[row, columns] = value[columns]


def _learn_calendar(states: States, facts: DayFacts, outlook: Outlook, sight: Sight) -> None:
    row = facts.ordinal % MEMORY
    known = sight.judged & (states.age >= SETTLING_DAYS)
    states.excess_log[row] = np.where(known, sight.beyond, np.nan)
    states.excess_money[row] = np.where(known, sight.cost - outlook.base, 0)


def _learn_weekday(states: States, facts: DayFacts, sight: Sight) -> None:
    """Compare the day with the mean of its last seven days, which holds each weekday once."""
    day = facts.weekday
    states.last_week[day] = np.where(sight.judged, sight.log_cost, np.nan)
    week = states.last_week
    mean = (week[0] + week[1] + week[2] + week[3] + week[4] + week[5] + week[6]) / 7
    apart = sight.log_cost - mean
    ring = states.weekday_ring[day]
    ring[facts.ordinal // 7 % WEEKS] = np.where(np.isfinite(apart), apart, np.inf)
    states.weekday_median[day], states.weekday_weeks[day] = median_of_weeks(ring)


def _learn_rhythm(states: States, facts: DayFacts, sight: Sight) -> None:
    present = sight.started & sight.live
    if facts.weekday < WORKDAYS:
        fade = np.where(present & (states.workdays > SPARSE_MEMORY), 1 - 1 / SPARSE_MEMORY, 1).astype(np.float32)
        states.empty_workdays = states.empty_workdays * fade + (present & ~sight.spends)
        states.workdays = states.workdays * fade + present
    rate = np.where(present, np.maximum(ACTIVE_MEMORY, 1 / (states.seen + 1)), 0).astype(np.float32)
    states.active_share += rate * (sight.spends - states.active_share)
    gap = np.where(sight.spends, 0, states.gap + sight.started)
    states.gap = np.where(sight.live, gap, states.gap).astype(np.float32)
    states.quiet = np.where(states.seen > 0, 0, states.quiet + np.where(sight.live, 0.5, 1.0)).astype(np.float32)
    states.seen = states.seen + sight.started
