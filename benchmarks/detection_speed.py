"""Detection speed and memory: replay, one new day, state, peak memory beside the input.

python -m benchmarks detection_speed
"""

import sys
import time
import tracemalloc
from datetime import UTC, date, datetime, timedelta

import numpy as np

from comptroller.domains.analytics.engine.daily import CHUNK, judge_daily, judge_in_chunks
from comptroller.domains.analytics.engine.hourly import judge_hourly
from comptroller.domains.analytics.engine.memory import States, new_states
from comptroller.domains.analytics.engine.panel import Panel
from comptroller.domains.analytics.engine.state import update
from comptroller.enums import Sensitivity

FIRST = date(2025, 1, 6)


def made(count: int, steps: int) -> np.ndarray:
    """Return dense and sparse series of many levels."""
    rng = np.random.default_rng(401)
    values = np.exp(rng.normal(0, 0.15, (count, steps)) + rng.uniform(0, 8, (count, 1)))
    values[::6] *= rng.random(values[::6].shape) < 0.3
    return values


def replay() -> None:
    panel = Panel(made(2 * CHUNK, 180), FIRST)
    best = min(_seconds(lambda: judge_daily(panel, sensitivity=Sensitivity.NORMAL)) for _ in range(3))
    print(f"| replay of 180 days | {len(panel.values) / best:,.0f} series/s |")


def _seconds(work) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def one_day(count: int = 100_000, warm_days: int = 30) -> None:
    values = made(count, warm_days + 1)
    states = new_states(count)
    for step in range(warm_days):
        update(states, FIRST + timedelta(days=step), values[:, step])
    day = FIRST + timedelta(days=warm_days)
    print(f"| one new day of {count:,} series | {_seconds(lambda: update(states, day, values[:, -1])):.2f} s |")
    rows = states.pack()
    print(f"| state | {states.bytes_per_series:,} bytes a series |")
    unpacked = _seconds(lambda: States.unpack(rows))
    print(f"| reading and writing {count:,} states | {unpacked + _seconds(states.pack):.2f} s |")


def hours() -> None:
    values = made(1024, 28 * 24)
    start = datetime(2025, 1, 6, tzinfo=UTC)
    spent = _seconds(lambda: judge_hourly(values, first_hour=start, sensitivity=Sensitivity.NORMAL))
    print(f"| replay of 28 days of hours | {len(values) / spent:,.0f} series/s |")


def memory(count: int = 5 * CHUNK) -> None:
    """Judge in chunks and compare the peak of what is allocated with one chunk's and with the whole input."""
    values = made(count, 180)
    tracemalloc.start()
    for _, part in judge_in_chunks(Panel(values, FIRST), sensitivity=Sensitivity.NORMAL):
        assert len(part.flag) <= CHUNK
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    whole = peak / (100_000 * 180 * 8)
    print(
        f"| memory while judging a chunk of {CHUNK:,} x 180 "
        f"| {peak / 1e6:.0f} MB, {whole:.2f} x an input of 100,000 x 180 |"
    )


def main() -> None:
    print(f"Python {sys.version.split()[0]}, numpy {np.__version__}, CPU seconds of one core\n")
    print("| what | measured |\n|---|---|")
    memory()
    replay()
    one_day()
    hours()


if __name__ == "__main__":
    main()
