"""Judge young series as a person would: new spend lasts, and what has no level yet cannot fall.

The detector flags the first step of spend without history and then learns its level. To a person the service stays
new for a while: its steps up to two weeks (a day of hours) are abnormal against nothing expected, as long as money
goes on flowing. Later steps are judged like any other's.
"""

from typing import Final, assert_never

import numpy as np
from numpy.typing import NDArray

from comptroller.domains.analytics.engine.panel import KIND_CODES, Judgement
from comptroller.enums import AnomalyKind, Grain

LEAST_SPENT_STEPS: Final = 7
_NEW: Final = KIND_CODES[AnomalyKind.NEW_SPEND]
_DROP: Final = KIND_CODES[AnomalyKind.DROP]


def new_steps(grain: Grain) -> int:
    """Return for how many steps spend is new."""
    match grain:
        case Grain.DAY:
            return 14
        case Grain.HOUR:
            return 24
        case _:
            assert_never(grain)


def let_new_spend_last(judgement: Judgement, quanta: NDArray[np.int64], grain: Grain) -> None:
    """Mark the steps that follow new spend, in place: flagged, of that kind, against nothing expected."""
    for row, first in np.argwhere(judgement.flag & (judgement.kind == _NEW)).tolist():
        span = slice(first, first + new_steps(grain))
        stopped = np.flatnonzero(quanta[row, span] <= 0)
        end = first + (int(stopped[0]) if len(stopped) else quanta[row, span].size)
        judgement.flag[row, first:end] = True
        judgement.kind[row, first:end] = _NEW
        judgement.score[row, first:end] = np.maximum(judgement.score[row, first:end], judgement.score[row, first])
        judgement.expected[row, first:end] = 0.0
        judgement.low[row, first:end] = 0.0
        judgement.high[row, first:end] = 0.0


def leave_out_early_drops(judgement: Judgement, quanta: NDArray[np.int64]) -> None:
    """Take back, in place, falls of series that cost anything on too few steps before: they have no level yet.

    A monthly charge on the first of two months is such a series.
    """
    for row, step in np.argwhere(judgement.flag & (judgement.kind == _DROP)).tolist():
        if np.count_nonzero(quanta[row, :step]) < LEAST_SPENT_STEPS:
            judgement.flag[row, step] = False
            judgement.kind[row, step] = 0
            judgement.score[row, step] = 0
