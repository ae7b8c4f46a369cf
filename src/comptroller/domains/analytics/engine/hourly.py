"""Judge hourly usage, so that a runaway shows within the hour: day and week shape, level of the last day, noise."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from comptroller.domains.analytics.engine import scale
from comptroller.domains.analytics.engine.panel import KIND_CODES, Judgement, empty_judgement
from comptroller.domains.analytics.engine.thresholds import FLOOR_SHARE, HOURLY_CUTS, SPARSE_SHARE, HourlyCuts
from comptroller.enums import AnomalyKind, Sensitivity

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

CHUNK: Final = 1024
LEAST: Final = 16
DAY: Final = 24
DAY_TYPES: Final = 4
ORDINARY, SATURDAY, SUNDAY, MONDAY = range(DAY_TYPES)
"""Saturday, Sunday and Monday differ from other days: the day before them does, and levels follow it."""
SHAPE_MEMORY: Final = 1 / 15
ECHO_RATE: Final = 0.25
JUDGED_HOURS: Final = 72
MEAN_HOURS: Final = (3, 6)
MEAN_MEMORY: Final = 1 / 300
CLIP: Final = 3.0
DIP_RATIO: Final = -2.0
SHIFT_HOURS: Final = 24
GOES_ON: Final = 0.45
"""After a flagged hour this score is enough: what goes on needs no second proof."""
LOG_FLOOR: Final = 1e-30


@dataclass(slots=True)
class _Hours:
    """Hold what is known of many hourly series; the last axis is the series."""

    day: Floats
    shape: Floats
    shape_seen: Floats
    echo: Floats
    recent: Floats
    square: Floats
    variance: Floats
    fit: Floats
    taught: Floats
    age: NDArray[np.int32]
    seen: Floats
    empty: Floats
    reference: Floats
    top: Floats
    run: Floats


@dataclass(frozen=True, slots=True)
class _Hour:
    """Hold one hour as seen."""

    slot: int
    judged: Flags
    sparse: Flags
    log_cost: Floats
    residual: Floats
    spread: Floats


def _new_hours(count: int) -> _Hours:
    def zeros(*shape: int) -> Floats:
        return np.zeros((*shape, count), dtype=np.float32)

    variance = zeros(2, len(scale.FREEDOM)) + np.float32(0.2**2)
    return _Hours(
        day=zeros(DAY),
        shape=zeros(DAY_TYPES * DAY),
        shape_seen=zeros(DAY_TYPES * DAY),
        echo=zeros(),
        recent=zeros(max(MEAN_HOURS)),
        square=zeros(len(MEAN_HOURS)),
        variance=variance,
        fit=zeros(2, len(scale.FREEDOM)),
        taught=zeros(),
        age=np.zeros(count, dtype=np.int32),
        seen=zeros(),
        empty=zeros(),
        reference=zeros(),
        top=zeros() - np.inf,
        run=zeros(),
    )


def judge_hourly(values: NDArray[np.float64], *, first_hour: datetime, sensitivity: Sensitivity) -> Judgement:
    """Judge every hour of every series by that hour and the hours before it.

    Args:
        values: Cost per hour in currency units, shape (series, hours); NaN where there is no data.
        first_hour: The hour of column 0.
        sensitivity: How many false alarms are tolerated.
    """
    series, hours = values.shape
    answer = empty_judgement(series, hours)
    moments = [first_hour + timedelta(hours=hour) for hour in range(hours)]
    slots = [_slot(moment) for moment in moments]
    for start in range(0, series, CHUNK):
        chunk = values[start : start + CHUNK]
        count = len(chunk)
        state = _new_hours(max(count, LEAST))
        now = np.full(len(state.age), np.nan)
        for hour in range(hours):
            now[:count] = chunk[:, hour]
            with np.errstate(invalid="ignore", over="ignore"):
                verdict = _judge_hour(state, slots[hour], now, HOURLY_CUTS[sensitivity])
            for name in ("score", "flag", "kind", "expected", "low", "high"):
                getattr(answer, name)[start : start + count, hour] = getattr(verdict, name)[:count]
    return answer


def _slot(moment: datetime) -> tuple[int, int, bool]:
    """Return the slot of an hour, the ordinary day's that stands for it while unknown, and whether that may judge.

    The first Monday follows a quieter day, so an ordinary day's shape on Sunday's level would call it a runaway.
    """
    kind = {5: SATURDAY, 6: SUNDAY, 0: MONDAY}.get(moment.weekday(), ORDINARY)
    return kind * DAY + moment.hour, moment.hour, kind != MONDAY


def _judge_hour(
    state: _Hours, slots: tuple[int, int, bool], values: NDArray[np.float64], cuts: HourlyCuts
) -> Judgement:
    slot, other, may_judge = slots
    live = values >= 0
    cost = np.where(live, values, 0).astype(np.float32)
    sparse = state.empty > SPARSE_SHARE * np.maximum(state.seen, 1)
    judged = live & ((cost > 0) | (~sparse & (state.age >= DAY)))
    level = state.day.sum(axis=0) / np.maximum(np.minimum(state.age, DAY), 1)
    shape = np.where(state.shape_seen[slot] > 0, state.shape[slot], state.shape[other])
    base = np.where(sparse, level, level + shape)
    reference = np.where(state.age > 0, state.reference, cost)
    log_cost = np.log(np.maximum(cost + FLOOR_SHARE * reference, LOG_FLOOR))
    residual = log_cost - base
    beyond = residual - np.clip(residual, np.minimum(0, state.echo), np.maximum(0, state.echo))
    known = (state.shape_seen[slot] > 0) | sparse | (may_judge & (state.shape_seen[other] > 0))
    beyond = np.where(known, beyond, np.minimum(beyond, np.maximum(log_cost - state.top, 0)))
    weights = (scale.weigh(state.fit[0]), scale.weigh(state.fit[1]))
    spread = scale.deviation(state.variance[1], weights[1])
    mature = judged & (state.seen >= JUDGED_HOURS) & (state.taught >= DAY)
    rarity = np.where(sparse, -np.log(np.clip(1 - state.empty / np.maximum(state.seen, 1), 0.02, 1)), 0)
    surprise = scale.surprise(np.maximum(beyond, 0), state.variance[1], weights[1]) + rarity
    scores, means = _means(state, residual, spread)
    up = np.maximum(surprise / cuts.point, np.maximum(scores[0] / cuts.means[0], scores[1] / cuts.means[1]))
    up = np.where(mature & (beyond > spread), up, 0)
    down = np.where(mature & (means[1] < DIP_RATIO) & (beyond < DIP_RATIO), -scores[1] / cuts.dip, 0)
    score = np.maximum(up, down).astype(np.float32)
    score = np.where((state.run > 0) & (score >= GOES_ON), np.maximum(score, 1), score)
    flag = score >= 1
    state.run = np.where(flag, state.run + 1, 0).astype(np.float32)
    expected = np.where(state.age > 0, np.exp(np.minimum(base, 80)), np.nan).astype(np.float32)
    below, above = (scale.band_width(state.variance[side], weights[side]) for side in (0, 1))
    kind = _kinds(state, flag, down > up)
    _learn(state, _Hour(slot, judged, sparse, log_cost, residual, spread), means)
    state.top = np.where(judged, np.maximum(state.top, log_cost), state.top)
    state.empty += live & (cost <= 0) & (state.age > 0)
    state.seen += live & (state.age > 0)
    return Judgement(score, flag, kind, expected, expected * np.exp(-below), expected * np.exp(above))


def _kinds(state: _Hours, flag: Flags, is_drop: Flags) -> NDArray[np.uint8]:
    kind = np.full(flag.shape, KIND_CODES[AnomalyKind.SPIKE], dtype=np.uint8)
    kind[state.run > 1] = KIND_CODES[AnomalyKind.BURST]
    kind[state.run >= SHIFT_HOURS] = KIND_CODES[AnomalyKind.SHIFT]
    kind[is_drop] = KIND_CODES[AnomalyKind.DROP]
    kind[~flag] = 0
    return kind


def _means(state: _Hours, residual: Floats, spread: Floats) -> tuple[list[Floats], list[Floats]]:
    """Return means of the last hours' residuals in standard errors, and the means."""
    scores: list[Floats] = []
    means: list[Floats] = []
    total = np.clip(residual, -5 * spread, 5 * spread)
    columns = np.arange(len(spread))
    back = 1
    for place, hours in enumerate(MEAN_HOURS):
        while back < hours:
            total = total + state.recent[(state.age - back) % len(state.recent), columns]
            back += 1
        means.append((total / hours).astype(np.float32))
        error = np.sqrt(np.maximum(spread * spread / hours, state.square[place]))
        scores.append(means[-1] / error)
    return scores, means


def _learn(state: _Hours, hour: _Hour, means: list[Floats]) -> None:
    """Learn one hour; a residual counts for a few deviations only once the shape is known."""
    slot, judged, sparse = hour.slot, hour.judged, hour.sparse
    log_cost, residual, spread = hour.log_cost, hour.residual, hour.spread
    settling = state.age < DAY
    known = (state.shape_seen[slot] > 0) | sparse
    limit = np.where(settling | ~known, 5.0, CLIP * spread).astype(np.float32)
    clipped = np.clip(residual, -limit, limit)
    teach = judged & known & ~settling
    scale.learn(state.variance, state.fit, state.taught, residual - state.echo, teach)
    columns = np.flatnonzero(judged)
    plain = (log_cost - residual + clipped)[columns]
    for place, mean in enumerate(means):
        rate = np.where(teach, np.maximum(MEAN_MEMORY, 1 / np.maximum(state.taught, 1)), 0).astype(np.float32)
        most = 9 * np.maximum(state.square[place], spread * spread / MEAN_HOURS[place])
        state.square[place] += rate * (np.minimum(mean * mean, most) - state.square[place])
    state.recent[(state.age % len(state.recent))[columns], columns] = np.clip(residual, -5 * spread, 5 * spread)[
        columns
    ]
    state.echo = np.where(teach, state.echo + ECHO_RATE * (clipped - state.echo), state.echo).astype(np.float32)
    level = state.day.sum(axis=0) / np.maximum(np.minimum(state.age, DAY), 1)
    rate = np.where(judged & ~settling, np.maximum(SHAPE_MEMORY, 1 / (state.shape_seen[slot] + 1)), 0)
    target = log_cost - residual + clipped - level
    state.shape[slot] += rate.astype(np.float32) * (target - state.shape[slot])
    state.shape_seen[slot] += judged & ~settling
    state.day[(state.age % DAY)[columns], columns] = plain
    state.age += judged
    level = state.day.sum(axis=0) / np.maximum(np.minimum(state.age, DAY), 1)
    state.reference = np.where(state.age > 0, np.exp(np.clip(level, -60, 60)), 0).astype(np.float32)
