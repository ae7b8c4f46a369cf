"""Labelled daily and hourly cost series from a seed: six shapes, five kinds of anomaly, wide ranges of everything."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.random import Generator

SHAPES = ("steady", "office", "growing", "heavy", "sparse", "monthend")
KINDS = ("spike", "burst", "shift", "drift", "drop")
FIRST_DAY = date(2025, 1, 6)


@dataclass(frozen=True)
class Label:
    """One injected anomaly: days start to end (included) of a series, and the money it moved."""

    series: int
    start: int
    end: int
    kind: str
    factor: float
    stake: float


@dataclass(frozen=True)
class Labelled:
    """Series with what was done to them, and the truth that an oracle would know."""

    values: np.ndarray
    shape: np.ndarray
    labels: list[Label]
    mean: np.ndarray
    noise: np.ndarray
    first_day: date


def daily(
    seed: int, *, count: int = 2000, steps: int = 180, first_day: date = FIRST_DAY, calm: float = 1.4
) -> Labelled:
    """Generate ``count`` daily series, every second one with one labelled anomaly; noise is divided by ``calm``."""
    rng = np.random.default_rng(seed)
    values = np.empty((count, steps))
    mean = np.empty((count, steps))
    noise = np.empty((count, steps))
    shapes = np.array([SHAPES[i % len(SHAPES)] for i in rng.permutation(count)])
    labels: list[Label] = []
    for row in range(count):
        centre, spread, active = _shape(rng, shapes[row], steps, first_day)
        spread = spread / (calm * np.exp(rng.uniform(np.log(0.7), np.log(1.4))))
        errors = _errors(rng, shapes[row], steps)
        clean = np.exp(np.log(centre) + spread * errors) * active
        values[row], mean[row], noise[row] = clean, np.log(centre), spread
        if row % 2 == 0:
            label = inject(rng, row, values, active)
            if label is not None:
                labels.append(label)
    return Labelled(values, shapes, labels, mean, noise, first_day)


def _shape(rng: Generator, shape: str, steps: int, first_day: date) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the centre, the log noise and the days of spend of one series."""
    level = np.exp(rng.uniform(np.log(10.0), np.log(5_000.0)))
    spread = np.exp(rng.uniform(np.log(0.03), np.log(0.22)))
    centre = np.full(steps, level)
    active = np.ones(steps)
    weekday = (first_day.weekday() + np.arange(steps)) % 7
    if rng.random() < 0.5:
        centre = centre * np.exp(rng.normal(0, rng.uniform(0.02, 0.12), 7))[weekday]
    if shape == "office":
        centre = centre * np.where(weekday >= 5, rng.uniform(0.05, 0.6), 1.0)
    elif shape == "growing":
        centre = centre * np.exp(np.log1p(rng.uniform(0.001, 0.01)) * np.arange(steps))
    elif shape == "heavy":
        spread = rng.uniform(0.08, 0.25)
    elif shape == "sparse":
        spread = rng.uniform(0.2, 0.6)
        active = (rng.random(steps) < rng.uniform(0.08, 0.5)).astype(float)
    elif shape == "monthend":
        centre = centre + _month_effect(rng, level, steps, first_day)
    return centre, np.full(steps, spread), active


def _month_effect(rng: Generator, level: float, steps: int, first_day: date) -> np.ndarray:
    days = [first_day + timedelta(days=i) for i in range(steps)]
    to_end = np.array([((d.replace(day=28) + timedelta(days=4)).replace(day=1) - d).days for d in days])
    of_month = np.array([d.day for d in days])
    width = rng.integers(1, 4)
    where = to_end <= width if rng.random() < 0.7 else of_month <= width
    return where * level * rng.uniform(0.5, 4.0)


def _errors(rng: Generator, shape: str, steps: int) -> np.ndarray:
    if shape == "heavy":
        freedom = rng.uniform(2.5, 6.0)
        return rng.standard_t(freedom, steps) / np.sqrt(freedom / (freedom - 2))
    phi = rng.uniform(0.0, 0.6) if rng.random() < 0.5 else 0.0
    fresh = rng.normal(0, np.sqrt(1 - phi**2), steps)
    out = np.empty(steps)
    last = rng.normal()
    for step in range(steps):
        last = phi * last + fresh[step]
        out[step] = last
    return out


def inject(rng: Generator, row: int, values: np.ndarray, active: np.ndarray) -> Label | None:
    """Change one series in place and say what was done."""
    steps = values.shape[1]
    kind = KINDS[rng.integers(len(KINDS))]
    start = int(rng.integers(40, steps - 14))
    if kind in ("spike", "burst"):
        starts = np.flatnonzero(active[40 : steps - 6]) + 40
        if not len(starts):
            return None
        start = int(rng.choice(starts))
    length = {
        "spike": 1,
        "burst": int(rng.integers(2, 7)),
        "drop": int(rng.integers(2, 15)),
        "drift": int(rng.integers(15, 46)),
    }.get(kind, steps - start)
    end = min(start + length, steps)
    factor = np.exp(rng.uniform(np.log(1.3), np.log(10.0 if kind == "spike" else 5.0)))
    factors = np.full(end - start, factor)
    if kind == "drift":
        factors = 1.02 ** np.arange(1, end - start + 1)
    elif kind == "drop":
        factors = np.full(end - start, rng.uniform(0.0, 0.1))
    before = values[row, start:end].copy()
    values[row, start:end] = before * factors
    stake = float(np.abs(values[row, start:end] - before).sum())
    return Label(row, start, end - 1, kind, float(factors[-1]), stake) if stake > 0 else None
