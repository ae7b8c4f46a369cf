"""Look back: judge a history as if each step had just come, and compare with labels. No database, no clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from comptroller.domains.analytics.engine.daily import judge_daily
from comptroller.domains.analytics.engine.drafts import AnomalyDraft, anomaly_id, describe
from comptroller.domains.analytics.engine.episodes import Episode, find_episodes
from comptroller.domains.analytics.engine.hourly import judge_hourly
from comptroller.domains.analytics.engine.observation import Observation, SeriesKey, step_start
from comptroller.domains.analytics.engine.panel import Judgement, Panel, empty_judgement
from comptroller.domains.analytics.engine.quality import Quality, Window, assess
from comptroller.domains.analytics.engine.severity import judge_severity, rank
from comptroller.domains.analytics.engine.stream import detect_stream
from comptroller.enums import Dimension, Grain, Sensitivity, Severity
from comptroller.ingest.history import DAY_SECONDS, HOUR_SECONDS, History
from comptroller.ingest.labels import Label
from comptroller.money import from_quanta, quantum_exponent
from comptroller.spine.services.findings import draw_curve
from comptroller.types.anomalies import Anomaly
from comptroller.types.backtest import BacktestQuality, Verdicts, WouldOpen

# Looked back on without knowing better; it names the unit of what is at stake.
CURRENCY: Final = "USD"
_LARGEST: Final = 9.0e18
_STEPS: Final = {DAY_SECONDS: Grain.DAY, HOUR_SECONDS: Grain.HOUR}


@dataclass(frozen=True, slots=True)
class Replay:
    """A history on one axis and what was said of each step; ``cells`` leads from a row to its place."""

    history: History
    judgement: Judgement
    values: NDArray[np.float64]
    first_step: int
    cells: tuple[NDArray[np.int64], NDArray[np.int64]]

    @property
    def grain(self) -> Grain | None:
        """Return what a step is; None for a stream."""
        return None if self.history.step_seconds is None else _STEPS[self.history.step_seconds]


def replay(history: History, sensitivity: Sensitivity) -> Replay:
    """Judge every step by itself and the steps before it."""
    if history.step_seconds is None:
        return _replay_streams(history, sensitivity)
    steps = history.seconds // history.step_seconds
    first = int(steps.min())
    values = np.full((len(history.ids), int(steps.max()) - first + 1), np.nan)
    cells = (history.row_series, steps - first)
    values[cells] = history.values
    _fill_gaps(values)
    if history.step_seconds == DAY_SECONDS:
        judgement = judge_daily(Panel(values, step_start(first).date()), sensitivity=sensitivity)
    else:
        judgement = judge_hourly(values, first_hour=step_start(first, Grain.HOUR), sensitivity=sensitivity)
    return Replay(history, judgement, values, first, cells)


def _fill_gaps(values: NDArray[np.float64]) -> None:
    """Absent steps between a series' first and last are steps of no spend."""
    known = np.isfinite(values)
    begun = np.maximum.accumulate(known, axis=1)
    not_over = np.maximum.accumulate(known[:, ::-1], axis=1)[:, ::-1]
    values[begun & not_over & ~known] = 0.0


def _replay_streams(history: History, sensitivity: Sensitivity) -> Replay:
    """Judge streams one by one; a step is a row, whatever the time between."""
    order = np.lexsort((history.seconds, history.row_series))
    counts = np.bincount(history.row_series, minlength=len(history.ids))
    position = np.empty(len(order), dtype=np.int64)
    position[order] = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    values = np.full((len(history.ids), int(counts.max())), np.nan)
    cells = (history.row_series, position)
    values[cells] = history.values
    seconds = np.zeros(values.shape)
    seconds[cells] = history.seconds
    judgement = empty_judgement(*values.shape)
    for row, count in enumerate(counts.tolist()):
        said = detect_stream(values[row, :count], seconds=seconds[row, :count], sensitivity=sensitivity)
        for name in ("score", "flag", "kind", "expected", "low", "high"):
            getattr(judgement, name)[row, :count] = getattr(said, name)[0]
    return Replay(history, judgement, values, 0, cells)


def verdicts(seen: Replay) -> Verdicts:
    """Return the verdict on each row of the file."""
    ids = np.array(seen.history.ids, dtype=object)[seen.history.row_series]
    judged = seen.judgement
    return Verdicts(ids, seen.history.row_times, judged.score[seen.cells], judged.flag[seen.cells])


def compare(seen: Replay, labels: Sequence[Label] | None) -> BacktestQuality | None:
    """Return how the flags compare with given labels, or with those in the file; None where there are neither."""
    if labels is not None:
        windows = [window for label in labels if (window := _window(seen, label)) is not None]
    elif seen.history.labels is not None:
        windows = _labelled_runs(seen, seen.history.labels)
    else:
        return None
    quality = assess(seen.judgement.flag, windows, judged=np.isfinite(seen.values))
    return _as_report(quality)


def _as_report(quality: Quality) -> BacktestQuality:
    return BacktestQuality(
        windows=quality.windows,
        found=quality.found,
        false_alarms=quality.false_alarms,
        precision=quality.precision,
        recall=quality.recall,
        f1=quality.f1,
        delay_steps=quality.delay,
        false_alarms_per_thousand=quality.false_alarms_per_thousand,
        stake_found=quality.stake_found,
        recall_by_kind=quality.recall_by_kind,
    )


def _window(seen: Replay, label: Label) -> Window | None:
    """Return a label on the replay's axis; None if it is about another series or time."""
    named = [i for i, name in enumerate(seen.history.ids) if _is_named(name, label.series)]
    if not named:
        return None
    rows = np.flatnonzero(seen.history.row_series == named[0])
    inside = rows[(seen.history.seconds[rows] >= label.start) & (seen.history.seconds[rows] <= label.end)]
    if not len(inside):
        return None
    steps = seen.cells[1][inside]
    return Window(named[0], int(steps.min()), int(steps.max()), label.kind, label.stake)


def _is_named(name: str, label: str) -> bool:
    return label == name or label.rpartition("/")[2].split(".")[0] == name


def _labelled_runs(seen: Replay, labels: NDArray[np.bool_]) -> list[Window]:
    marks = np.zeros(seen.values.shape, dtype=np.bool_)
    marks[seen.cells] = labels
    windows: list[Window] = []
    for series in np.flatnonzero(marks.any(axis=1)).tolist():
        edges = np.diff(np.r_[0, marks[series].astype(np.int8), 0])
        starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
        windows += [Window(series, int(a), int(b)) for a, b in zip(starts, ends, strict=True)]
    return windows


def would_open(seen: Replay) -> list[WouldOpen]:
    """Return the incidents that would have been opened, the gravest first; streams have no money and open none."""
    grain = seen.grain
    if grain is None:
        return []
    keys = [SeriesKey(Dimension.SERVICE, name, CURRENCY) for name in seen.history.ids]
    quanta = _quanta(seen.values)
    end = seen.first_step + quanta.shape[1]
    observation = Observation(keys, quanta, seen.judgement, seen.first_step, end, grain)
    ranked = []
    for episode in find_episodes(observation):
        known = quanta[episode.series][np.isfinite(seen.values[episode.series])]
        draft = _draft(keys[episode.series], episode, grain)
        ranked.append((draft, judge_severity(draft, max(int(np.median(known)), 0)), episode.series))
    ranked.sort(key=lambda one: rank(one[0], one[1]))
    return [_would_open(observation, *one) for one in ranked]


def _quanta(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return values as quanta of the currency; what is no money and too large is cut."""
    scaled = np.nan_to_num(values) * 10.0 ** -quantum_exponent(CURRENCY)
    return np.rint(np.clip(scaled, -_LARGEST, _LARGEST)).astype(np.int64)


def _draft(key: SeriesKey, episode: Episode, grain: Grain) -> AnomalyDraft:
    return AnomalyDraft(
        anomaly_id=anomaly_id(key, episode.direction, episode.start, grain),
        primary=key,
        kind=episode.kind,
        direction=episode.direction,
        start=episode.start,
        end=episode.end,
        is_open=episode.is_open,
        grain=grain,
        actual=episode.actual,
        expected=episode.expected,
        low=episode.low,
        high=episode.high,
        score=episode.score,
    )


def _would_open(observation: Observation, draft: AnomalyDraft, severity: Severity, row: int) -> WouldOpen:
    amounts = (draft.actual, draft.expected, draft.low, draft.high, draft.stakes)
    actual, expected, low, high, at_stake = (from_quanta(amount, CURRENCY) for amount in amounts)
    anomaly = Anomaly(
        id=draft.anomaly_id,
        kind=draft.kind,
        severity=severity,
        dimension="series",
        value=draft.primary.value,
        currency=CURRENCY,
        start_at=step_start(draft.start, draft.grain),
        end_at=step_start(draft.end, draft.grain),
        is_open=draft.is_open,
        grain=draft.grain,
        actual=actual,
        expected=expected,
        low=low,
        high=high,
        at_stake=at_stake,
        score=draft.score,
        description=describe(draft),
    )
    return WouldOpen(anomaly, step_start(draft.start, draft.grain), draw_curve(observation, row, draft))
