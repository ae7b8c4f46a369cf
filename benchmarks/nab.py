"""Score detections by the published rules of the Numenta Anomaly Benchmark (own implementation).

Rules: Lavin and Ahmad, "Evaluating Real-time Anomaly Detection Algorithms", 2015. Of the detections in a window
the best placed counts, worth a sigmoid of its place (1 at the left edge, 0 at the right); a missed window costs 1;
every detection outside windows costs up to 0.11, less just after a window. The first 15 % of a file (of at most 5,000
rows) are not scored. The sum is scaled so that flagging nothing is 0 and a perfect detector is 100.

    python benchmarks/nab.py CHECKOUT DETECTOR    # published results of a detector in a checkout of the benchmark
"""

import csv
import json
import sys
from dataclasses import dataclass
from datetime import datetime
from math import exp, floor
from pathlib import Path

import numpy as np

FALSE_COST = 0.11
PROBATION = 0.15
PROBATION_ROWS = 5000


@dataclass(frozen=True)
class File:
    """One file's times, values and labelled windows as (first, last) rows."""

    name: str
    times: list[str]
    values: np.ndarray
    windows: list[tuple[int, int]]


def sigmoid(position: float) -> float:
    return -1.0 if position > 3 else 2 / (1 + exp(5 * position)) - 1


def load(folder: Path) -> list[File]:
    """Return the files that the labels name and the folder holds."""
    labels = json.loads((folder / "labels" / "combined_windows.json").read_text())
    files = []
    for name, windows in sorted(labels.items()):
        path = folder / "data" / name
        if not path.exists():
            continue
        with path.open() as source:
            rows = list(csv.DictReader(source))
        times = [row["timestamp"] for row in rows]
        files.append(File(name, times, np.array([float(row["value"]) for row in rows]), rows_of(times, windows)))
    return files


def rows_of(times: list[str], windows: list[list[str]]) -> list[tuple[int, int]]:
    moments = [datetime.fromisoformat(time) for time in times]
    place = {moment: row for row, moment in reversed(list(enumerate(moments)))}
    return [(place[datetime.fromisoformat(a[:19])], place[datetime.fromisoformat(b[:19])]) for a, b in windows]


def gains(length: int, windows: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Return what a detection on each row is worth and which window it lies in (-1: none, -2: not scored)."""
    worth, inside = np.full(length, -FALSE_COST), np.full(length, -1)
    best = sigmoid(-1.0)
    for number, (first, last) in enumerate(windows):
        width = last - first + 1
        for row in range(first, last + 1):
            worth[row] = sigmoid(-(last - row + 1) / width) / best
        inside[first : last + 1] = number
        end = windows[number + 1][0] if number + 1 < len(windows) else length
        for row in range(last + 1, end):
            worth[row] = FALSE_COST * sigmoid((row - last) / (width - 1))
    inside[: floor(min(PROBATION * length, PROBATION * PROBATION_ROWS))] = -2
    return worth, inside


def raw_score(flags: np.ndarray, windows: list[tuple[int, int]]) -> tuple[float, int]:
    """Return the sum for one file and the number of windows in it that can be scored."""
    worth, inside = gains(len(flags), windows)
    total = float(worth[flags & (inside == -1)].sum())
    scored = sorted(set(inside[inside >= 0]))
    for number in scored:
        hits = worth[flags & (inside == number)]
        total += float(hits.max()) if len(hits) else -1.0
    return total, len(scored)


def standard(flags: list[np.ndarray], files: list[File]) -> float:
    """Return the normalised standard-profile score of flags over files."""
    parts = [raw_score(flag, file.windows) for flag, file in zip(flags, files, strict=True)]
    null = -sum(count for _, count in parts)
    perfect = sum(len(file.windows) for file in files)
    return 100 * (sum(total for total, _ in parts) - null) / (perfect - null)


def best_threshold(scores: list[np.ndarray], files: list[File]) -> tuple[float, float]:
    """Return the best standard score over one threshold for all files, and that threshold."""
    pool = np.unique(np.concatenate(scores))
    candidates = pool if len(pool) <= 400 else np.quantile(pool, 1 - np.geomspace(1e-5, 0.2, 400))
    return max((standard([s >= cut for s in scores], files), float(cut)) for cut in np.unique(candidates))


def check(checkout: Path, detector: str) -> None:
    """Print the standard score of a detector whose results the benchmark's repository ships."""
    cut = json.loads((checkout / "config" / "thresholds.json").read_text())[detector]["standard"]["threshold"]
    files = load(checkout)
    flags = []
    for file in files:
        folder, name = file.name.split("/")
        with (checkout / "results" / detector / folder / f"{detector}_{name}").open() as source:
            flags.append(np.array([float(row["anomaly_score"]) >= cut for row in csv.DictReader(source)]))
    published = json.loads((checkout / "results" / "final_results.json").read_text())[detector]["standard"]
    print(f"{detector}: {standard(flags, files):.4f} here, {published:.4f} published")


if __name__ == "__main__":
    check(Path(sys.argv[1]), sys.argv[2])
