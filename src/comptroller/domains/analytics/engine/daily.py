"""Judge daily cost: a replay of every day of a panel, in chunks of series."""

from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from comptroller.domains.analytics.engine.calendar import day_facts
from comptroller.domains.analytics.engine.panel import Judgement, Panel, empty_judgement
from comptroller.domains.analytics.engine.state import advance, new_states
from comptroller.enums import Sensitivity

CHUNK: Final = 1024
"""Series judged together; their states fit a processor's cache."""

LEAST: Final = 16
"""Smaller chunks are padded, so that no sum depends on how series are split."""


def judge_daily(panel: Panel, *, sensitivity: Sensitivity, provisional: NDArray[np.float64] | None = None) -> Judgement:
    """Judge every day of every series by that day and the days before it.

    Args:
        panel: Daily cost; at most a chunk of it is copied at a time.
        sensitivity: How many false alarms are tolerated.
        provisional: Per step the share of its final cost that is present (1.0: complete).
    """
    series, steps = panel.values.shape
    shares = np.ones(steps) if provisional is None else provisional
    if len(shares) != steps:
        raise ValueError(f"{len(shares)} shares given for {steps} steps")
    facts = [day_facts(panel.first_day + timedelta(days=step)) for step in range(steps)]
    answer = empty_judgement(series, steps)
    for start in range(0, series, CHUNK):
        chunk = panel.values[start : start + CHUNK]
        count = len(chunk)
        states = new_states(max(count, LEAST))
        values = np.full(len(states), np.nan)
        for step in range(steps):
            values[:count] = chunk[:, step]
            day = advance(states, facts[step], values, sensitivity=sensitivity, provisional=float(shares[step]))
            for name in ("score", "flag", "kind", "expected", "low", "high"):
                getattr(answer, name)[start : start + count, step] = getattr(day, name)[:count]
    return answer
