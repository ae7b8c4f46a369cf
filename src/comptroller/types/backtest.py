"""What a look back on the past reports."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from comptroller.enums import Sensitivity
from comptroller.types.anomalies import Anomaly, Curve


@dataclass(frozen=True, slots=True)
class WouldOpen:
    """An incident that would have been opened, and the step on which it would have been seen first."""

    anomaly: Anomaly
    seen_at: datetime
    curve: Curve


@dataclass(frozen=True, slots=True)
class BacktestQuality:
    """How the flags compare with labels; see docs/detection.md for the rule."""

    windows: int
    found: int
    false_alarms: int
    precision: float
    recall: float
    f1: float
    delay_steps: float | None
    false_alarms_per_thousand: float
    stake_found: float
    recall_by_kind: dict[str, float]


@dataclass(frozen=True, slots=True)
class Verdicts:
    """One verdict for each row of the file, in its order; ids and times as written."""

    ids: NDArray[np.object_]
    times: NDArray[np.object_]
    scores: NDArray[np.float32]
    flags: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class BacktestReport:
    """What the detector would have said, step by step, each from that step and those before it."""

    file: str
    series: int
    rows: int
    step: str
    sensitivity: Sensitivity
    flagged: int
    incidents: tuple[WouldOpen, ...]
    quality: BacktestQuality | None
