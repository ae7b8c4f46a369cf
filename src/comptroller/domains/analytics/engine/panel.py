"""What the detector reads and what it answers: arrays of many series at once."""

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from comptroller.enums import AnomalyKind

KINDS: Final[tuple[AnomalyKind, ...]] = (
    AnomalyKind.SPIKE,
    AnomalyKind.BURST,
    AnomalyKind.SHIFT,
    AnomalyKind.DRIFT,
    AnomalyKind.DROP,
    AnomalyKind.NEW_SPEND,
)
"""The kinds the detector tells apart; the code in ``Judgement.kind`` is the position here plus one."""

KIND_CODES: Final[dict[AnomalyKind, int]] = {kind: code for code, kind in enumerate(KINDS, start=1)}


@dataclass(frozen=True, slots=True)
class Panel:
    """Hold the daily cost of many series.

    Attributes:
        values: Money in currency units, shape (series, steps). NaN before a series' first day and on days without data;
            days of no spend after the first day are 0.0 (the caller fills them in).
        first_day: The date of column 0.
    """

    values: NDArray[np.float64]
    first_day: date

    def __post_init__(self) -> None:
        if self.values.ndim != 2:  # noqa: PLR2004
            raise ValueError(f"a panel has two axes (series, steps), not {self.values.ndim}")
        if self.values.dtype != np.float64:
            raise ValueError(f"a panel holds float64, not {self.values.dtype}")


@dataclass(frozen=True, slots=True)
class Judgement:
    """Hold the verdict on every step of every series; all arrays have the shape (series, steps).

    Attributes:
        score: How unusual the step is, divided by the threshold of the chosen sensitivity; flagged from 1.0 on.
        flag: Whether the step is abnormal.
        kind: 0 for none, else the position of the kind in ``KINDS`` plus one.
        expected: The value expected for the step, known before it.
        low: The lower end of the band of normal values, known before the step.
        high: The upper end of the band.
    """

    score: NDArray[np.float32]
    flag: NDArray[np.bool_]
    kind: NDArray[np.uint8]
    expected: NDArray[np.float32]
    low: NDArray[np.float32]
    high: NDArray[np.float32]


def empty_judgement(series: int, steps: int) -> Judgement:
    """Return a judgement that flags nothing, to be filled in place."""
    shape = (series, steps)
    return Judgement(
        score=np.zeros(shape, dtype=np.float32),
        flag=np.zeros(shape, dtype=np.bool_),
        kind=np.zeros(shape, dtype=np.uint8),
        expected=np.full(shape, np.nan, dtype=np.float32),
        low=np.full(shape, np.nan, dtype=np.float32),
        high=np.full(shape, np.nan, dtype=np.float32),
    )


def kind_at(judgement: Judgement, series: int, step: int) -> AnomalyKind | None:
    """Return the kind of one step, or None where nothing is flagged."""
    code = int(judgement.kind[series, step])
    return KINDS[code - 1] if code else None
