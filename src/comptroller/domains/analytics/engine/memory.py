"""What the detector remembers of each series: a compact state of arrays, series last."""

from dataclasses import dataclass, fields
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from comptroller.domains.analytics.engine.calendar import MEMORY
from comptroller.domains.analytics.engine.levels import WEEKS
from comptroller.domains.analytics.engine.scale import FREEDOM, PRIOR_SD
from comptroller.domains.analytics.engine.thresholds import WINDOWS

Floats = NDArray[np.float32]

RECENT: Final = max(WINDOWS) + 1

_SHAPES: Final[dict[str, tuple[int, ...]]] = {
    "weekday_ring": (7, WEEKS),
    "weekday_median": (7,),
    "weekday_weeks": (7,),
    "last_week": (7,),
    "excess_log": (MEMORY,),
    "excess_money": (MEMORY,),
    "recent": (RECENT,),
    "recent_base": (RECENT,),
    "recent_slope": (RECENT,),
    "recent_doubt": (RECENT,),
    "mean_square": (len(WINDOWS),),
    "variance": (2, len(FREEDOM)),
    "fit": (2, len(FREEDOM)),
}
_START: Final[dict[str, float]] = {
    "weekday_ring": np.inf,
    "last_week": np.nan,
    "excess_log": np.nan,
    "variance": PRIOR_SD**2,
    "active_share": 1.0,
    "top": -np.inf,
}
_INTEGERS: Final = frozenset({"age", "day"})


@dataclass(slots=True)
class States:
    """Hold what the detector remembers of many series; series are the last axis of every array.

    Attributes:
        day: Ordinal of the last day seen, 0 before the first.
        age: Days learned; days skipped (sparse series without spend) do not count.
        seen: Days since the first spend.
        quiet: Days before the first spend (known zeros count half).
        fast: Fast level (log, without weekday effect).
        slow: Slow level.
        second: Slow level of the slow level.
        top: Dearest day so far (log).
        reference: Typical daily cost.
        weekday_ring: Deviation from the week's mean, per weekday and week.
        weekday_median: Median of the ring per weekday.
        weekday_weeks: Weeks known per weekday.
        last_week: Log cost of the last seven days, by weekday.
        excess_log: Deviation from the level of the last days, by ordinal.
        excess_money: The same in money.
        recent: Log cost of the last days learned, without weekday and calendar effects.
        recent_base: Slow level of those days.
        recent_slope: Slope of those days.
        recent_doubt: Variance of that slope.
        mean_square: Mean square of the 3-, 7- and 14-day means' distance from the base.
        variance: Squared width of the noise downward and upward, per model.
        fit: Log likelihood downward and upward, per model.
        taught: Days that taught the noise.
        echo: Mean product of neighbouring residuals.
        power: Mean square of residuals.
        previous: Last residual.
        off_level: Days in a row off the level.
        empty_workdays: Workdays without spend, discounted.
        workdays: Workdays, discounted.
        active_share: Share of days with spend.
        gap: Days without spend in a row.
        run: Flagged days in a row.
        alarms: Runs of flags so far, fading.
        was_sparse: Whether the series was sparse the day before.
    """

    day: NDArray[np.int32]
    age: NDArray[np.int32]
    seen: Floats
    quiet: Floats
    fast: Floats
    slow: Floats
    second: Floats
    top: Floats
    reference: Floats
    weekday_ring: Floats
    weekday_median: Floats
    weekday_weeks: Floats
    last_week: Floats
    excess_log: Floats
    excess_money: Floats
    recent: Floats
    recent_base: Floats
    recent_slope: Floats
    recent_doubt: Floats
    mean_square: Floats
    variance: Floats
    fit: Floats
    taught: Floats
    echo: Floats
    power: Floats
    previous: Floats
    off_level: Floats
    empty_workdays: Floats
    workdays: Floats
    active_share: Floats
    gap: Floats
    run: Floats
    alarms: Floats
    was_sparse: Floats

    def __len__(self) -> int:
        return int(self.age.shape[-1])

    @property
    def bytes_per_series(self) -> int:
        """Size of one series' state."""
        total = sum(int(getattr(self, item.name).nbytes) for item in fields(self))
        return total // max(len(self), 1)

    def pack(self) -> NDArray[np.uint8]:
        """Return one row of bytes per series, to be stored and given to ``unpack`` later."""
        columns = [np.ascontiguousarray(getattr(self, item.name).reshape(-1, len(self)).T) for item in fields(self)]
        return np.hstack([column.view(np.uint8) for column in columns])

    @classmethod
    def unpack(cls, rows: NDArray[np.uint8]) -> Self:
        """Return the states that ``pack`` made rows of."""
        arrays: list[Any] = []
        start = 0
        for item in fields(cls):
            shape = _SHAPES.get(item.name, ())
            width = 4 * int(np.prod(shape))
            kind = np.int32 if item.name in _INTEGERS else np.float32
            part = np.ascontiguousarray(rows[:, start : start + width]).view(kind)
            arrays.append(np.ascontiguousarray(part.T).reshape(*shape, len(rows)))
            start += width
        if start != rows.shape[1]:
            raise ValueError(f"a state has {start} bytes, not {rows.shape[1]}")
        return cls(*arrays)


def new_states(count: int) -> States:
    """Return the states of ``count`` series of which nothing is known."""
    arrays: list[Any] = []
    for item in fields(States):
        shape = (*_SHAPES.get(item.name, ()), count)
        kind = np.int32 if item.name in _INTEGERS else np.float32
        arrays.append(np.full(shape, _START.get(item.name, 0), dtype=kind))
    return States(*arrays)
