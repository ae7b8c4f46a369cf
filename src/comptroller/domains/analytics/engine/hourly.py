"""Judge hourly cost against the same hour of earlier weeks and days, upward only."""

from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from comptroller.domains.analytics.engine.panel import KIND_CODES, Judgement, empty_judgement
from comptroller.enums import AnomalyKind, Sensitivity

DAY: Final = 24
WEEK: Final = 168
_CUTS: Final = {Sensitivity.NORMAL: 8.0, Sensitivity.HIGH: 6.0}
# Below this much in logs (a factor of 1.5) an hour is no runaway, however quiet the series.
_LEAST: Final = 0.4


def judge_hourly(values: NDArray[np.float64], *, first_hour: datetime, sensitivity: Sensitivity) -> Judgement:
    """Judge every hour of every series by the hours before it; see ``Judgement``."""
    del first_hour  # hours are compared with hours a whole number of weeks or days before
    answer = empty_judgement(*values.shape)
    logs = np.log1p(np.clip(np.nan_to_num(values), 0, None))
    for hour in range(2 * DAY, values.shape[1]):
        lags = [hour - lag for lag in (DAY, 2 * DAY, 3 * DAY, WEEK, 2 * WEEK, 3 * WEEK) if lag <= hour]
        past = logs[:, lags]
        usual = np.median(past, axis=1)
        recent = logs[:, max(hour - WEEK, 0) : hour]
        spread = np.median(np.abs(recent - np.median(recent, axis=1)[:, None]), axis=1) / 4
        scale = np.maximum(np.median(np.abs(past - usual[:, None]), axis=1) * 1.4826, np.maximum(spread, 0.05))
        excess = (logs[:, hour] - usual) / scale
        is_far = logs[:, hour] - usual > _LEAST
        score = np.where(is_far, excess / _CUTS[sensitivity], 0.0)
        answer.score[:, hour] = np.clip(score, 0, None)
        answer.expected[:, hour] = np.expm1(usual)
        answer.low[:, hour] = np.expm1(usual - 3 * scale)
        answer.high[:, hour] = np.expm1(usual + 3 * scale)
    answer.flag[:] = answer.score >= 1
    answer.kind[answer.flag] = KIND_CODES[AnomalyKind.SPIKE]
    return answer
