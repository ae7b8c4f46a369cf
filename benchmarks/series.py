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
    seed: int, *, count: int = 2000, steps: int = 180, first_day: date = FIRST_DAY, calm: float = 1.8
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


HOURLY_SHAPES = ("office", "wave", "flat", "bursty", "sparse")


def hourly(seed: int, *, count: int = 600, days: int = 28) -> Labelled:
    """Generate hourly series with day and week shape; half of them run away in their last 1 to 12 hours."""
    rng = np.random.default_rng(seed)
    hours = days * 24
    clock = np.arange(hours) % 24
    weekday = (np.arange(hours) // 24) % 7
    values = np.empty((count, hours))
    shapes = np.array([HOURLY_SHAPES[i % len(HOURLY_SHAPES)] for i in rng.permutation(count)])
    labels = []
    for row in range(count):
        spread = np.exp(rng.uniform(np.log(0.08), np.log(0.5)))
        phase, swing = rng.uniform(0, 24), rng.uniform(0.2, 1.2)
        log_mean = swing * np.sin(2 * np.pi * (clock - phase) / 24)
        log_mean += np.where(weekday >= 5, rng.uniform(-1.5, 0.1), 0)
        if shapes[row] == "office":
            opens, closes = rng.integers(6, 10), rng.integers(16, 21)
            log_mean += np.where((clock >= opens) & (clock < closes), rng.uniform(0.5, 2.0), 0)
        elif shapes[row] == "flat":
            log_mean = log_mean * 0.1
        noise = _errors(rng, "heavy" if shapes[row] == "bursty" else "steady", hours)
        clean = np.exp(np.log(rng.uniform(0.5, 500)) + log_mean + spread * noise)
        if shapes[row] == "sparse":
            clean *= rng.random(hours) < rng.uniform(0.1, 0.6)
        values[row] = clean
        if row % 2 == 0:
            last = int(rng.integers(1, 13))
            factor = float(np.exp(rng.uniform(np.log(2.0), np.log(50.0))))
            before = values[row, -last:].copy()
            values[row, -last:] = before * factor
            stake = float((values[row, -last:] - before).sum())
            if stake > 0:
                labels.append(Label(row, hours - last, hours - 1, "runaway", factor, stake))
    nothing = np.full_like(values, np.nan)
    return Labelled(values, shapes, labels, nothing, nothing, FIRST_DAY)
