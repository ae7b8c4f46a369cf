"""Lay series as they are read (only steps with cost) on one time axis."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comptroller.domains.analytics.engine.observation import SeriesKey
from comptroller.enums import Dimension
from comptroller.money import quantum_exponent


@dataclass(frozen=True, slots=True)
class SeriesRows:
    """Series as read: ``keys[i]`` owns ``steps``/``quanta`` from ``bounds[i]`` to ``bounds[i + 1]``.

    Attributes:
        keys: (dimension, value, currency), sorted.
        bounds: One more than there are keys.
        steps: Days or hours since 1970-01-01 UTC, rising within a series.
        quanta: Money at each step.
        sources: For each key, the positions in ``source_steps`` of the sources that contribute to it.
        source_steps: For each source, the steps for which it delivered anything at all, rising.
    """

    keys: tuple[tuple[str, str, str], ...]
    bounds: NDArray[np.int64]
    steps: NDArray[np.int64]
    quanta: NDArray[np.int64]
    sources: tuple[tuple[int, ...], ...]
    source_steps: tuple[NDArray[np.int64], ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """Hold series as matrices of the shape (series, steps).

    Attributes:
        keys: The names of the rows.
        quanta: Exact cost, 0 where there is none.
        values: The same in currency units; NaN before a series' first step and where none of its sources delivered.
        first_step: Absolute number of column 0.
    """

    keys: tuple[SeriesKey, ...]
    quanta: NDArray[np.int64]
    values: NDArray[np.float64]
    first_step: int

    @property
    def end_step(self) -> int:
        """Return the step after the last column."""
        return self.first_step + int(self.quanta.shape[1])


def lay_out(rows: SeriesRows) -> Grid | None:
    """Return the grid of the series, or None where there are none."""
    if not rows.keys:
        return None
    first, last = int(rows.steps.min()), int(rows.steps.max())
    counts = np.diff(rows.bounds)
    owner = np.repeat(np.arange(len(rows.keys)), counts)
    quanta = np.zeros((len(rows.keys), last - first + 1), dtype=np.int64)
    quanta[owner, rows.steps - first] = rows.quanta
    keys = tuple(SeriesKey(Dimension(dimension), value, currency) for dimension, value, currency in rows.keys)
    units = np.array([10.0 ** quantum_exponent(key.currency) for key in keys])
    values = quanta * units[:, None]
    values[_is_absent(rows, first, last)] = np.nan
    return Grid(keys, quanta, values, first)


def _is_absent(rows: SeriesRows, first: int, last: int) -> NDArray[np.bool_]:
    """Tell where a zero means "nothing known" and not "nothing spent"."""
    steps = np.arange(first, last + 1)
    starts = rows.steps[rows.bounds[:-1]]
    absent = steps[None, :] < starts[:, None]
    members: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for row, sources in enumerate(rows.sources):
        members[sources].append(row)
    for sources, positions in members.items():
        covered = np.zeros(len(steps), dtype=np.bool_)
        for source in sources:
            seen = rows.source_steps[source] - first
            covered[seen[(seen >= 0) & (seen < len(steps))]] = True
        absent[np.ix_(np.array(positions), np.flatnonzero(~covered))] = True
    return absent
