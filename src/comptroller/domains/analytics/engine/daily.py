"""Judge daily cost: a replay of every day of a panel, in chunks of series."""

from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from comptroller.domains.analytics.engine.calendar import DayFacts, day_facts
from comptroller.domains.analytics.engine.panel import Judgement, Panel, empty_judgement
from comptroller.domains.analytics.engine.state import advance, new_states
from comptroller.enums import Sensitivity

CHUNK: Final = 4096
"""Series judged together; their states fit a processor's cache."""

LEAST: Final = 16
"""Smaller chunks are padded, so that no sum depends on how series are split."""


def judge_daily(panel: Panel, *, sensitivity: Sensitivity, provisional: NDArray[np.float64] | None = None) -> Judgement:
    """Judge every day of every series by that day and the days before it.

    The answer is 2.25 times the size of the panel; ``judge_in_chunks`` gives it piece by piece.

    Args:
        panel: Daily cost.
        sensitivity: How many false alarms are tolerated.
        provisional: Per step the share of its final cost that is present (1.0: complete).
    """
    answer = empty_judgement(*panel.values.shape)
    for start, part in judge_in_chunks(panel, sensitivity=sensitivity, provisional=provisional):
        for item in fields(part):
            piece = getattr(part, item.name)
            getattr(answer, item.name)[start : start + len(piece)] = piece
    return answer


def judge_in_chunks(
    panel: Panel, *, sensitivity: Sensitivity, provisional: NDArray[np.float64] | None = None
) -> Iterator[tuple[int, Judgement]]:
    """Yield the first row of each chunk of series and the chunk's judgement; see ``judge_daily``."""
    series, steps = panel.values.shape
    shares = np.ones(steps) if provisional is None else provisional
    if len(shares) != steps:
        raise ValueError(f"{len(shares)} shares given for {steps} steps")
    facts = [day_facts(panel.first_day + timedelta(days=step)) for step in range(steps)]
    for start in range(0, series, CHUNK):
        yield start, _replay(panel.values[start : start + CHUNK], facts, sensitivity, shares)


def _replay(
    values: NDArray[np.float64], facts: list[DayFacts], sensitivity: Sensitivity, shares: NDArray[np.float64]
) -> Judgement:
    count, steps = values.shape
    states = new_states(max(count, LEAST))
    answer = empty_judgement(count, steps)
    today = np.full(len(states), np.nan)
    for step in range(steps):
        today[:count] = values[:, step]
        day = advance(states, facts[step], today, sensitivity=sensitivity, provisional=float(shares[step]))
        for item in fields(day):
            getattr(answer, item.name)[:, step] = getattr(day, item.name)[:count]
    return answer
