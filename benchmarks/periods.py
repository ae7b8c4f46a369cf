"""How often a period's end lies in its forecast band, and how early and how truly an excess is foretold.

Run: ``uv run --locked python -m benchmarks periods``. Generated series (named seed) and, if ``COMPTROLLER_TEST_DATA``
or ``../shared/data`` holds it, real daily series. The peer is the plain run rate: spent so far / days so far x days.
"""

import csv
import gzip
import os
from collections import defaultdict
from pathlib import Path

import numpy as np

from comptroller.domains.analytics.engine.forecast import PeriodDays, forecast_period

SEED = 20261124  # the band's width was chosen on seed 1
UNIT = 10**9
LENGTH = 30
HISTORY = 56


def generated(rng, count):
    """Return daily series of the shapes that bills have, 140 days each."""
    steps = np.arange(140)
    for number in range(count):
        week = np.ones(7) if number % 2 else np.array([1, 1, 1, 1, 1, 0.4, 0.4]) * rng.lognormal(0, 0.05, 7)
        growth = (1 + rng.choice([0, 0, 0.002, -0.002])) ** steps
        wander = np.exp(np.cumsum(rng.normal(0, rng.choice([0, 0.01, 0.03]), 140)))
        noise = rng.lognormal(0, rng.choice([0.03, 0.1, 0.3]), 140)
        yield rng.lognormal(4, 1) * week[steps % 7] * growth * wander * noise


def real():
    """Return the real daily series, scaled to a mean of 100."""
    folder = Path(os.environ.get("COMPTROLLER_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
    path = folder / "daily_real" / "daily_long.csv.gz"
    if not path.exists():
        return
    series = defaultdict(list)
    with gzip.open(path, "rt") as lines:
        for row in csv.DictReader(lines):
            series[row["series_id"]].append(float(row["cost"] if "cost" in row else row["value"]))
    for values in series.values():
        costs = np.maximum(np.array(values), 0)
        yield costs / costs.mean() * 100


def windows(series, step=LENGTH):
    """Return the windows of a series as (history, period) in quanta."""
    for costs in series:
        quanta = np.round(costs * UNIT).astype(np.int64).tolist()
        for start in range(HISTORY, len(quanta) - LENGTH + 1, step):
            yield quanta[start - HISTORY : start], quanta[start : start + LENGTH]


def measure(name, pairs):
    print(f"\n{name}: {len(pairs)} windows of {LENGTH} days")
    print(
        "days known   in band   below   above   error of the end   run rate   foretold: true/false, of those exceeding"
    )
    for known in (0, 3, 7, 14, 21):
        inside = below = above = 0
        ours, rate = [], []
        counts = [0, 0, 0]
        for history, period in pairs:
            days = PeriodDays(20_000, 20_000 + LENGTH, period[:known], history)
            forecast = forecast_period(days)
            end = sum(period)
            inside += forecast.low <= end <= forecast.high
            below += end < forecast.low
            above += end > forecast.high
            ours.append(abs(forecast.expected - end) / max(end, 1))
            plain = sum(period[:known]) / known * LENGTH if known else sum(history[-LENGTH:])
            rate.append(abs(plain - end) / max(end, 1))
            ceiling = 1.1 * sum(history[-LENGTH:])
            counts[2] += end > ceiling
            if forecast.low > ceiling:
                counts[end <= ceiling] += 1
        share = len(pairs) / 100
        print(
            f"{known:10d} {inside / share:8.0f}% {below / share:6.0f}% {above / share:6.0f}% {np.median(ours):17.1%} "
            f"{np.median(rate):10.1%}   {counts[0]}/{counts[1]} of {counts[2]}"
        )


def main():
    measure(f"generated, seed {SEED}", list(windows(generated(np.random.default_rng(SEED), 400), 54)))
    pairs = list(windows(real()))
    if pairs:
        measure("real daily series", pairs)


if __name__ == "__main__":
    main()
