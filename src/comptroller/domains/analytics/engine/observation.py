"""What a detection run saw: the series' names, their exact amounts and the verdicts, on one time axis.

Interface:
    ``SeriesKey(dimension, value, currency)`` names a series; ``Observation`` holds the run's facts;
    ``step_of`` / ``step_start`` turn instants into absolute step numbers and back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, assert_never

import numpy as np
from numpy.typing import NDArray

from comptroller.domains.analytics.engine.panel import Judgement
from comptroller.enums import Dimension, Grain
from comptroller.money import quantum_exponent

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# Providers go on filling the last two days of a bill (AWS documents up to 24 h, in practice 48 h).
PROVISIONAL_DAYS: Final = 2


@dataclass(frozen=True, slots=True, order=True)
class SeriesKey:
    """Name one series of cost."""

    dimension: Dimension
    value: str
    currency: str

    @property
    def axis(self) -> str:
        """Return what the value is one of: each tag key is an axis of its own."""
        if self.dimension is Dimension.TAG:
            return f"tag:{self.value.partition('=')[0]}"
        return self.dimension.value


def step_length(grain: Grain) -> timedelta:
    """Return how long one step lasts."""
    match grain:
        case Grain.DAY:
            return timedelta(days=1)
        case Grain.HOUR:
            return timedelta(hours=1)
        case _:
            assert_never(grain)


def step_of(moment: date | datetime, grain: Grain = Grain.DAY) -> int:
    """Return the absolute number of the step that holds the moment: days or hours since 1970-01-01 UTC."""
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    return (moment - _EPOCH) // step_length(grain)


def step_start(step: int, grain: Grain = Grain.DAY) -> datetime:
    """Return the instant at which a step begins."""
    return _EPOCH + step * step_length(grain)


@dataclass(frozen=True, slots=True)
class Observation:
    """Hold what one run judged; all arrays have the shape (series, steps).

    Attributes:
        keys: The names of the rows, in any order, each once.
        actual_quanta: Cost in the currency's quanta, int64; 0 where there was none.
        judgement: The detector's verdicts; its money is in currency units.
        first_step: Absolute number of column 0 (``step_of``).
        settled_until: First step that the provider may still be filling (half-open end of what is final).
        grain: What a step is.
        judged_from: First step that was judged; columns before it are history. None means column 0.
        drops_until: First step that may not be judged as too low; None means ``settled_until``.
    """

    keys: Sequence[SeriesKey]
    actual_quanta: NDArray[np.int64]
    judgement: Judgement
    first_step: int
    settled_until: int
    grain: Grain = Grain.DAY
    judged_from: int | None = None
    drops_until: int | None = None

    def __post_init__(self) -> None:
        shape = self.actual_quanta.shape
        if self.judgement.flag.shape != shape or len(self.keys) != shape[0]:
            raise ValueError(f"{len(self.keys)} keys, amounts {shape}, verdicts {self.judgement.flag.shape}: unequal")

    @property
    def end_step(self) -> int:
        """Return the step after the last column."""
        return self.first_step + int(self.actual_quanta.shape[1])

    def units(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return how many quanta one currency unit has, per row."""
        return np.array([10.0 ** -quantum_exponent(self.keys[row].currency) for row in rows])

    def excess(self, rows: NDArray[np.intp], start: int, end: int) -> NDArray[np.float64]:
        """Return actual less expected of some rows over [start, end), in currency units; 0 where not judged."""
        low, high = max(start, self.first_step) - self.first_step, min(end, self.end_step) - self.first_step
        actual = self.actual_quanta[rows, low:high] / self.units(rows)[:, None]
        expected = self.judgement.expected[rows, low:high].astype(np.float64)
        judged = np.isfinite(expected) | self.judgement.flag[rows, low:high]
        return np.where(judged, actual - np.nan_to_num(expected), 0.0)


def settled_end(end_step: int, grain: Grain = Grain.DAY, provisional_days: int = PROVISIONAL_DAYS) -> int:
    """Return the first provisional step when the last days of the data are still being filled."""
    return end_step - provisional_days * int(timedelta(days=1) / step_length(grain))
