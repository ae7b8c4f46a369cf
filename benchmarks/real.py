"""Real series as backgrounds: windows of daily series with the generator's anomalies, and where the data lie."""

import csv
import gzip
import os
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import series


def data_folder() -> Path | None:
    """Return the folder of real data, if this machine has it."""
    named = os.environ.get("COMPTROLLER_TEST_DATA")
    folder = Path(named) if named else Path(__file__).parents[2] / "shared" / "data"
    return folder if folder.is_dir() else None


def daily_real(folder: Path) -> dict[str, tuple[date, np.ndarray]]:
    """Return each real daily series with its first day."""
    rows: dict[str, list[tuple[str, float]]] = {}
    with gzip.open(folder / "daily_real" / "daily_long.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            rows.setdefault(row["series_id"], []).append((row["date"], float(row["cost"])))
    out = {}
    for name, values in rows.items():
        first = date.fromisoformat(values[0][0])
        days = np.array([(date.fromisoformat(day) - first).days for day, _ in values])
        filled = np.full(days[-1] + 1, np.nan)
        filled[days] = [cost for _, cost in values]
        out[name] = (first, filled)
    return out


def injected(folder: Path, seed: int, *, half: str, windows: int = 120, steps: int = 180) -> list[series.Labelled]:
    """Return windows of real series, each once as it is and once with one anomaly, with its own first day.

    Design decisions looked at the ``early`` half of each series, reported figures come from the ``late`` half.
    """
    rng = np.random.default_rng(seed)
    known = daily_real(folder)
    names = sorted(known)
    out = []
    for number in range(windows):
        name = names[number % len(names)]
        first, values = known[name]
        middle = len(values) // 2
        low, high = (0, middle) if half == "early" else (middle, len(values))
        start = int(rng.integers(low, high - steps))
        pair = np.stack([values[start : start + steps]] * 2)
        label = series.inject(rng, 1, pair, np.ones(steps))
        nothing = np.full_like(pair, np.nan)
        labels = [label] if label else []
        day = first + timedelta(days=start)
        out.append(series.Labelled(pair, np.array([name, name]), labels, nothing, nothing, day))
    return out


def monitoring(folder: Path) -> Iterator[tuple[list[str], np.ndarray, np.ndarray]]:
    """Yield times, values and labels of each labelled monitoring series in a folder."""
    for path in sorted(folder.glob("*.csv.gz")):
        with gzip.open(path, "rt") as file:
            rows = list(csv.DictReader(file))
        times = [row["TimeStamp"].rstrip("Z") for row in rows]
        yield (
            times,
            np.array([float(row["Value"] or "nan") for row in rows]),
            np.array([row["Label"] != "0" for row in rows]),
        )
