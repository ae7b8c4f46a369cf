"""What people use instead: rules of thumb, robust statistics, a random cut forest, forecasting libraries.

Each peer returns a score per series and day; what a day scores uses that day and the days before it. The libraries are
refitted every week on all days so far, as their documentation recommends, and are used only where they are installed.
"""

import logging
import warnings

import numpy as np

WARM_UP = 35
TRAIL = 28
REFIT = 7


def _trails(values: np.ndarray, days: int) -> np.ndarray:
    """Return the ``days`` values before each day, shape (series, steps, days)."""
    padded = np.concatenate([np.full((len(values), days), np.nan), values[:, :-1]], axis=1)
    return np.lib.stride_tricks.sliding_window_view(padded, days, axis=1)


def _warm(score: np.ndarray) -> np.ndarray:
    score[:, :WARM_UP] = 0
    return np.nan_to_num(score)


def mean_deviation(values: np.ndarray) -> np.ndarray:
    """Distance from the trailing mean in standard deviations."""
    trail = _trails(values, TRAIL)
    return _warm(np.abs(values - trail.mean(axis=2)) / np.maximum(trail.std(axis=2), 1e-9))


def median_mad(values: np.ndarray) -> np.ndarray:
    """Distance from the trailing median in scaled median absolute deviations."""
    trail = _trails(values, TRAIL)
    middle = np.median(trail, axis=2)
    spread = 1.4826 * np.median(np.abs(trail - middle[:, :, None]), axis=2)
    return _warm(np.abs(values - middle) / np.maximum(spread, 1e-3 * np.maximum(middle, 1e-9)))


def forty_percent(values: np.ndarray) -> np.ndarray:
    """Two days in a row 40 % over the mean of the week before."""
    ratio = values / np.maximum(_trails(values, 7).mean(axis=2), 1e-9)
    before = np.concatenate([np.zeros((len(values), 1)), ratio[:, :-1]], axis=1)
    return _warm((np.minimum(ratio, before) > 1.4).astype(float))


def quarter_drift(values: np.ndarray) -> np.ndarray:
    """The last week's mean 25 % over the mean of the four weeks before it."""
    week = _trails(values, 7).mean(axis=2)
    trail = _trails(values, TRAIL + 7)[:, :, :TRAIL].mean(axis=2)
    return _warm((week > 1.25 * trail).astype(float))


def _depths(rng: np.random.Generator, points: np.ndarray, probe: np.ndarray, limit: int = 10) -> np.ndarray:
    """Return how many random cuts it takes to set each probe apart; a side is cut in proportion to its length."""
    depth = np.zeros(len(probe))
    stack = [(points, np.arange(len(probe)), 0)]
    while stack:
        cloud, rows, level = stack.pop()
        low, high = cloud.min(axis=0), cloud.max(axis=0)
        sides = high - low
        if level == limit or len(cloud) < 2 or sides.sum() == 0 or not len(rows):
            depth[rows] = level + (np.log2(max(len(cloud), 1)) if level == limit else 0)
            continue
        side = rng.choice(len(sides), p=sides / sides.sum())
        cut = rng.uniform(low[side], high[side])
        left, go = cloud[:, side] <= cut, probe[rows, side] <= cut
        stack += [(cloud[left], rows[go], level + 1), (cloud[~left], rows[~go], level + 1)]
    return depth


def random_cut_forest(values: np.ndarray, *, trees: int = 24, shingle: int = 4) -> np.ndarray:
    """Random cut forest over four-day shingles of the logarithm, rebuilt weekly (small own implementation)."""
    rng = np.random.default_rng(0)
    logs = np.log(values + 1e-2 * np.maximum(values.mean(axis=1, keepdims=True), 1e-9))
    score = np.zeros(values.shape)
    for row in range(len(values)):
        shingles = np.lib.stride_tricks.sliding_window_view(logs[row], shingle)
        for start in range(WARM_UP, values.shape[1], REFIT):
            past = shingles[: start - shingle + 1][-128:]
            now = shingles[start - shingle + 1 : start - shingle + 1 + REFIT]
            depth = np.zeros(len(now))
            for _ in range(trees):
                sample = past[rng.permutation(len(past))[:64]]
                # The week takes part in the cuts, so that a day outside the cloud is set apart early.
                depth += _depths(rng, np.concatenate([sample, now]), now)
            score[row, start : start + len(now)] = 10 - depth / trees
    return _warm(np.maximum(score, 0))


def statsforecast(values: np.ndarray, name: str) -> np.ndarray:
    """Distance from the week-ahead forecast in units of its 99 % interval."""
    import pandas as pd
    from statsforecast import StatsForecast, models

    series, steps = values.shape
    logs = np.log(values + 1e-2 * np.maximum(values.mean(axis=1, keepdims=True), 1e-9))
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(series), steps),
            "ds": np.tile(pd.date_range("2025-01-06", periods=steps), series),
            "y": logs.ravel(),
        }
    )
    windows = (steps - WARM_UP) // REFIT
    warnings.simplefilter("ignore")
    forecaster = StatsForecast(models=[getattr(models, name)(season_length=7)], freq="D", n_jobs=1)
    told = forecaster.cross_validation(
        df=frame, h=REFIT, step_size=REFIT, n_windows=windows, level=[99], refit=True
    ).sort_values(["unique_id", "ds"])
    score = np.zeros(values.shape)
    middle = told[name].to_numpy().reshape(series, -1)
    half = (told[f"{name}-hi-99"].to_numpy().reshape(series, -1) - middle) / 2.576
    days = middle.shape[1]
    score[:, -days:] = np.abs(logs[:, -days:] - middle) / np.maximum(half, 1e-3)
    return _warm(score)


def prophet(values: np.ndarray) -> np.ndarray:
    """Distance from Prophet's week-ahead forecast in units of its 99 % interval."""
    import pandas as pd
    from prophet import Prophet

    logging.disable(logging.CRITICAL)
    series, steps = values.shape
    logs = np.log(values + 1e-2 * np.maximum(values.mean(axis=1, keepdims=True), 1e-9))
    days = pd.date_range("2025-01-06", periods=steps)
    score = np.zeros(values.shape)
    for row in range(series):
        for start in range(WARM_UP, steps, REFIT):
            model = Prophet(interval_width=0.99, yearly_seasonality=False, daily_seasonality=False)
            model.fit(pd.DataFrame({"ds": days[:start], "y": logs[row, :start]}))
            told = model.predict(pd.DataFrame({"ds": days[start : start + REFIT]}))
            half = (told["yhat_upper"] - told["yhat_lower"]).to_numpy() / 2 / 2.576
            apart = np.abs(logs[row, start : start + REFIT] - told["yhat"].to_numpy())
            score[row, start : start + REFIT] = apart / np.maximum(half, 1e-3)
    return _warm(score)
