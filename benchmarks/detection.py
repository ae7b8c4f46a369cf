"""Anomaly detection: quality and speed beside what people use instead, on seeds that tuned nothing.

    python -m benchmarks detection [--peers] [--series N]

``--peers`` adds the forecasting libraries where they are installed (slow; small samples). Each peer's cut is the one
that suits it best on the very series reported, which favours it; ours are the shipped ones.
"""

import argparse
import resource
import sys
import time
from datetime import UTC, datetime
from functools import partial

import detection_peers
import nab
import numpy as np
import real
import series
from detection_score import FastScore, Score, runs, score

from comptroller.domains.analytics.engine.daily import judge_daily
from comptroller.domains.analytics.engine.hourly import judge_hourly
from comptroller.domains.analytics.engine.panel import Panel
from comptroller.domains.analytics.engine.stream import detect_stream
from comptroller.enums import Sensitivity

SEEDS = (341, 342, 343)
REAL_SEED = 311
HOUR_SEEDS = (351, 352)
HEAD = (
    "| detector | series | false alarms per 1,000 series-days | precision | recall | F1 | money found | delay, days "
    "| spike | burst | shift | drift | drop | series/s |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
)


def pooled(sets: list[series.Labelled]) -> series.Labelled:
    """Return one set of all series."""
    labels, first = [], 0
    for made in sets:
        labels += [series.Label(x.series + first, x.start, x.end, x.kind, x.factor, x.stake) for x in made.labels]
        first += len(made.values)
    stacked = [np.concatenate([getattr(made, name) for made in sets]) for name in ("values", "shape", "mean", "noise")]
    values, shape, mean, noise = stacked
    return series.Labelled(values, shape, labels, mean, noise, sets[0].first_day)


def part(made: series.Labelled, count: int) -> series.Labelled:
    labels = [label for label in made.labels if label.series < count]
    return series.Labelled(made.values[:count], made.shape[:count], labels, made.mean, made.noise, made.first_day)


def line(name: str, reached: Score, count: int, speed: float) -> str:
    kinds = " | ".join(f"{reached.by_kind.get(kind, float('nan')):.2f}" for kind in series.KINDS)
    return (
        f"| {name} | {count:,} | {reached.per_thousand:.2f} | {reached.precision:.2f} | {reached.recall:.2f} "
        f"| {reached.f1:.3f} | {reached.money_found:.2f} | {reached.delay:.1f} | {kinds} | {speed:,.3g} |"
    )


def ours(made: series.Labelled, sensitivity: Sensitivity) -> tuple[np.ndarray, float]:
    start = time.process_time()
    judged = judge_daily(Panel(made.values, made.first_day), sensitivity=sensitivity)
    return judged.flag, len(made.values) / (time.process_time() - start)


def best_cut(scores: np.ndarray, made: series.Labelled) -> np.ndarray:
    """Return the flags at the cut with the best F1 on this very set."""
    fast = FastScore(made)
    cuts = np.unique(np.quantile(scores[scores > 0], 1 - np.geomspace(1e-4, 0.2, 60))) if (scores > 0).any() else [1.0]
    cut = max(cuts, key=lambda cut: fast(scores >= cut)[0])
    return scores >= cut


def oracle(made: series.Labelled) -> None:
    """Print what a detector reaches that knows the true mean and width of every day, at the cuts for 1.0 and 0.2."""
    with np.errstate(divide="ignore"):
        apart = (np.log(made.values) - made.mean) / made.noise
    nothing = np.where((made.shape == "sparse")[:, None], 0.0, -99.0)
    apart = np.where(np.isneginf(apart), nothing, apart)
    deep = apart * made.noise < -1.5
    fast = FastScore(made)
    for most in (0.2, 1.0):
        cut = next(cut for cut in np.arange(3, 9, 0.1) if fast((apart > cut) | (deep & (apart < -cut)))[1] <= most)
        flags = (apart > cut) | (deep & (apart < -cut))
        print(line(f"oracle at {most}", score(flags, made), len(made.values), float("nan")), flush=True)


def cpu_seconds() -> float:
    """Return what this process and its children used; Prophet computes in a child."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def peer(name: str, method, made: series.Labelled) -> None:
    start = cpu_seconds()
    scores = method(made.values)
    speed = len(made.values) / (cpu_seconds() - start)
    print(line(name, score(best_cut(scores, made), made), len(made.values), speed), flush=True)


def generated(count: int, *, with_peers: bool) -> None:
    made = pooled([series.daily(seed, count=count) for seed in SEEDS])
    print(f"\n## Generated daily series, seeds {SEEDS}, {count:,} x 180 days each, half of them labelled\n\n{HEAD}")
    for sensitivity in Sensitivity:
        flags, speed = ours(made, sensitivity)
        print(line(f"comptroller, {sensitivity.value}", score(flags, made), len(made.values), speed), flush=True)
    oracle(made)
    peer("mean and deviation", detection_peers.mean_deviation, made)
    peer("median and MAD", detection_peers.median_mad, made)
    peer("40 % over two days", detection_peers.forty_percent, made)
    peer("25 % drift", detection_peers.quarter_drift, made)
    peer("random cut forest", detection_peers.random_cut_forest, part(made, 120))
    if with_peers:
        for name, label, size in (("MSTL", "statsforecast MSTL", 120), ("AutoETS", "statsforecast AutoETS", 60)):
            peer(label, partial(detection_peers.statsforecast, name=name), part(made, size))
        peer("Prophet", detection_peers.prophet, part(made, 16))
        for sensitivity in Sensitivity:
            flags, speed = ours(part(made, 120), sensitivity)
            reached = score(flags, part(made, 120))
            print(line(f"comptroller, {sensitivity.value}, first 120", reached, 120, speed))
    for sensitivity in Sensitivity:
        flags, _ = ours(made, sensitivity)
        reached = score(flags, made)
        shares = ", ".join(
            f"{shape} {found:.2f} ({reached.false_by_shape[shape]})" for shape, found in reached.found_by_shape.items()
        )
        print(f"\n{sensitivity.value}, recall and false alarms by shape: {shares}")


def noisier(count: int) -> None:
    """Print how quality falls on noisier series."""
    print(f"\n## The same with 1.3 times the noise\n\n{HEAD}")
    made = pooled([series.daily(seed, count=count, calm=1.4) for seed in SEEDS])
    for sensitivity in Sensitivity:
        flags, speed = ours(made, sensitivity)
        print(line(f"comptroller, {sensitivity.value}", score(flags, made), len(made.values), speed), flush=True)
    oracle(made)


def real_daily() -> None:
    folder = real.data_folder()
    if folder is None:
        print("\nno real data on this machine")
        return
    print(f"\n## The same kinds injected into real daily series, seed {REAL_SEED}, cuts unchanged\n\n{HEAD}")
    for half in ("early", "late"):
        sets = real.injected(folder, REAL_SEED, half=half)
        made = pooled(sets)
        for sensitivity in Sensitivity:
            start = time.process_time()
            flags = np.vstack([ours(one, sensitivity)[0] for one in sets])
            speed = len(flags) / (time.process_time() - start)
            print(line(f"comptroller, {sensitivity.value}, {half} half", score(flags, made), len(flags), speed))
        peer(f"mean and deviation, {half} half", detection_peers.mean_deviation, made)
        peer(f"median and MAD, {half} half", detection_peers.median_mad, made)


def hours() -> None:
    print(f"\n## Hourly runaway: the last 1-12 hours x 2-50, seeds {HOUR_SEEDS}, 600 series x 28 days each\n")
    print("| sensitivity | false alarms per 1,000 series-days | F1 | recall | delay, hours |\n|---|---|---|---|---|")
    made = pooled([series.hourly(seed) for seed in HOUR_SEEDS])
    for sensitivity in Sensitivity:
        judged = judge_hourly(made.values, first_hour=datetime(2025, 1, 6, tzinfo=UTC), sensitivity=sensitivity)
        r = score(judged.flag, made)
        print(f"| {sensitivity.value} | {24 * r.per_thousand:.2f} | {r.f1:.3f} | {r.recall:.2f} | {r.delay:.1f} |")


def streams() -> None:
    folder = real.data_folder()
    if folder is None:
        return
    files = nab.load(folder / "nab")
    print(f"\n## Metric streams: NAB, standard profile, {len(files)} files, one cut for all\n")
    print("| sensitivity | score |\n|---|---|")
    for sensitivity in Sensitivity:
        flags = [
            detect_stream(file.values, seconds=_seconds(file.times), sensitivity=sensitivity).flag[0] for file in files
        ]
        print(f"| {sensitivity.value} | {nab.standard(flags, files):.1f} |")
    print("\n## Labelled monitoring series (a run of labels is found if flagged within it)\n")
    print("| folder | files | labelled runs | found | false alarms | flagged at |\n|---|---|---|---|---|---|")
    for group, sensitivity, told in _monitoring(folder):
        print(f"| {group} | {told[0]} | {told[1]} | {told[2]} | {told[3]} | {sensitivity.value} |")


def _seconds(times: list[str]) -> np.ndarray:
    return np.array([datetime.fromisoformat(time).replace(tzinfo=UTC).timestamp() for time in times])


def _monitoring(folder):
    for group in sorted(path for path in (folder / "labelled_monitoring").iterdir() if path.is_dir()):
        for sensitivity in Sensitivity:
            files = found = total = false = 0
            for times, values, labels in real.monitoring(group):
                flag = detect_stream(values, seconds=_seconds(times), sensitivity=sensitivity).flag[0]
                spans = runs(labels, gap=3)
                near = np.zeros(len(flag), dtype=bool)
                for first, last in spans:
                    near[max(first - 1, 0) : last + 3] = True
                    found += bool(flag[max(first - 1, 0) : last + 1].any())
                files, total, false = files + 1, total + len(spans), false + int((flag & ~near).sum())
            yield group.name, sensitivity, (files, total, found, false)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", action="store_true", help="add the forecasting libraries")
    parser.add_argument("--series", type=int, default=2000, help="series of each seed")
    options = parser.parse_args()
    print(f"Python {sys.version.split()[0]}, numpy {np.__version__}")
    generated(options.series, with_peers=options.peers)
    noisier(options.series)
    real_daily()
    hours()
    streams()


if __name__ == "__main__":
    main()
