"""Judge streams of any time step by their own recent past."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from comptroller.domains.analytics.engine.panel import KIND_CODES, Judgement, empty_judgement
from comptroller.enums import AnomalyKind, Sensitivity

_PAST: Final = 300
_LEAST_PAST: Final = 50
_CUTS: Final = {Sensitivity.NORMAL: 10.0, Sensitivity.HIGH: 7.0}


def judge_stream(values: NDArray[np.float64], *, seconds: NDArray[np.int64], sensitivity: Sensitivity) -> Judgement:
    """Judge every row of every stream by the rows before it; see ``Judgement``."""
    del seconds  # only the order counts
    answer = empty_judgement(*values.shape)
    for step in range(_LEAST_PAST, values.shape[1]):
        past = values[:, max(step - _PAST, 0) : step]
        middle = np.median(past, axis=1)
        scale = np.median(np.abs(past - middle[:, None]), axis=1) * 1.4826 + 1e-9 + np.abs(middle) * 0.01
        answer.score[:, step] = np.nan_to_num(np.abs(values[:, step] - middle) / scale / _CUTS[sensitivity])
        answer.expected[:, step] = middle
        answer.low[:, step] = middle - 3 * scale
        answer.high[:, step] = middle + 3 * scale
    answer.flag[:] = answer.score >= 1
    answer.kind[answer.flag] = KIND_CODES[AnomalyKind.SPIKE]
    return answer
