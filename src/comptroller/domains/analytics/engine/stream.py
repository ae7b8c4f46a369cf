"""Judge any metric stream, whatever its step: values, short means and the same time of earlier days."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from comptroller.domains.analytics.engine.panel import KIND_CODES, Judgement, empty_judgement
from comptroller.domains.analytics.engine.thresholds import STREAM_CUTS
from comptroller.enums import AnomalyKind, Sensitivity

Values = NDArray[np.float64]

BLOCK: Final = 24
"""Steps judged against the same past, which ends where the block begins."""
HISTORY: Final = 4000
LEAST: Final = 120
SHORT: Final = 12
TAIL: Final = 0.95
LEAST_EXCESS: Final = 0.05
"""The tail's mean excess is at least this share of the middle four fifths of the past."""
QUIET: Final = 100
AGAIN: Final = 1.5
"""After a flag the stream stays quiet for so many steps, unless a step is that much more unusual."""
DAYS_BACK: Final = 6
DAY_SECONDS: Final = 86_400
SEASON_PARTS: Final = 48
LEAST_PER_DAY: Final = 8


def detect_stream(
    values: Values, *, seconds: NDArray[np.float64] | None = None, sensitivity: Sensitivity = Sensitivity.NORMAL
) -> Judgement:
    """Judge every step of one stream by that step and the steps before it; arrays have the shape (1, steps).

    A flag marks the onset: steps that follow it closely are not flagged again unless they are much more unusual.

    Args:
        values: One stream of any unit; NaN where there is no reading.
        seconds: Time of each step in seconds, to find the same time of earlier days; without it no season is used.
        sensitivity: How many false alarms are tolerated.
    """
    steps = len(values)
    answer = empty_judgement(1, steps)
    filled = _fill(values)
    views = [filled, _short_mean(filled, SHORT)]
    period = _steps_per_day(seconds) if seconds is not None else 0
    if LEAST_PER_DAY <= period < steps / 2:
        views.append(_against_days(filled, period))
    surprise = np.zeros(steps)
    for view in views:
        np.maximum(surprise, _surprises(view), out=surprise)
    middle = _running_middle(filled)
    answer.expected[0], answer.low[0], answer.high[0] = middle
    cut = STREAM_CUTS[sensitivity]
    onsets = _onsets(surprise, cut)
    answer.flag[0, onsets] = True
    answer.score[0] = np.minimum(surprise / cut, 0.99)
    answer.score[0, onsets] = surprise[onsets] / cut
    rises = filled[onsets] >= middle[0][onsets]
    spike, drop = KIND_CODES[AnomalyKind.SPIKE], KIND_CODES[AnomalyKind.DROP]
    answer.kind[0, onsets] = np.where(rises, spike, drop)
    return answer


def _fill(values: Values) -> Values:
    """Carry the last reading over gaps."""
    known = np.isfinite(values)
    last = np.maximum.accumulate(np.where(known, np.arange(len(values)), 0))
    return np.nan_to_num(values[last])


def _short_mean(values: Values, width: int) -> Values:
    sums = np.concatenate(([0.0], np.cumsum(values)))
    ends = np.arange(len(values)) + 1
    starts = np.maximum(ends - width, 0)
    mean: Values = (sums[ends] - sums[starts]) / (ends - starts)
    return mean


def _steps_per_day(seconds: NDArray[np.float64]) -> int:
    """Return how many steps a day has, from the first steps alone."""
    step = float(np.median(np.diff(seconds[:LEAST]))) if len(seconds) > 1 else 0.0
    return round(DAY_SECONDS / step) if step > 0 else 0


def _against_days(values: Values, period: int) -> Values:
    """Return the short mean's distance from its median at the same time of up to six earlier days."""
    short = _short_mean(values, max(period // SEASON_PARTS, 1))
    earlier = np.full((DAYS_BACK, len(values)), np.nan)
    for day in range(1, DAYS_BACK + 1):
        if day * period < len(values):
            earlier[day - 1, day * period :] = short[: -day * period]
    distance = np.full(len(values), np.nan)
    distance[period:] = short[period:] - np.nanmedian(earlier[:, period:], axis=0)
    return distance


def _surprises(view: Values) -> Values:
    """Return minus the log tail probability of each step, the tail an exponential beyond the past's quantile."""
    surprise = np.zeros(len(view))
    for start in range(LEAST, len(view), BLOCK):
        past = view[max(0, start - HISTORY) : start]
        past = np.sort(past[np.isfinite(past)])
        if len(past) < LEAST:
            continue
        now = view[start : start + BLOCK]
        last = len(past) - 1
        upper, lower = int(TAIL * last), int((1 - TAIL) * last)
        body = max(past[int(0.9 * last)] - past[int(0.1 * last)], 1e-12)
        least = max(LEAST_EXCESS * body, 1e-9 * abs(past[last // 2]))
        above = max(float((past[upper:] - past[upper]).mean()), least)
        below = max(float((past[lower] - past[: lower + 1]).mean()), least)
        far = np.maximum((now - past[upper]) / above, (past[lower] - now) / below)
        surprise[start : start + BLOCK] = np.where(far > 0, far - np.log(1 - TAIL), 0)
    return surprise


def _running_middle(values: Values) -> tuple[Values, Values, Values]:
    """Return median and outer quantiles of the past before each block."""
    middle, low, high = (np.full(len(values), np.nan) for _ in range(3))
    for start in range(LEAST, len(values), BLOCK):
        cuts = np.quantile(values[max(0, start - HISTORY) : start], (0.5, 0.01, 0.99))
        for row, cut in zip((middle, low, high), cuts, strict=True):
            row[start : start + BLOCK] = cut
    return middle, low, high


def _onsets(surprise: Values, cut: float) -> NDArray[np.int64]:
    onsets: list[int] = []
    for step in np.flatnonzero(surprise >= cut):
        if not onsets or step - onsets[-1] > QUIET or surprise[step] > AGAIN * surprise[onsets[-1]]:
            onsets.append(int(step))
    return np.array(onsets, dtype=np.int64)
