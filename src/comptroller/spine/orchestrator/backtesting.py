"""Look back on the past: which incidents would have been opened, and when; writes nothing anywhere but ``out``."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from comptroller.enums import Sensitivity
from comptroller.errors import BadFileError, InvalidInputError
from comptroller.ingest.bill import open_bill
from comptroller.ingest.history import History, bill_history, read_history
from comptroller.ingest.labels import read_labels
from comptroller.spine.services.backtesting import compare, replay, verdicts, would_open
from comptroller.types.backtest import BacktestReport, Verdicts

_WORDS = {86_400: "day", 3_600: "hour", None: "row"}


@dataclass(frozen=True, slots=True)
class Backtest:
    """A report, and a verdict for each row of the file."""

    report: BacktestReport
    verdicts: Verdicts


def backtest(
    path: Path,
    *,
    today: date,
    labels: Path | None = None,
    column_map: Mapping[str, str] | None = None,
    sensitivity: Sensitivity = Sensitivity.NORMAL,
) -> Backtest:
    """Judge a history as if each step had just come.

    Args:
        path: ``series_id,day|hour,cost``, a bill, or any CSV with a column map.
        today: For the checks of a bill's dates.
        labels: CSV ``series_id,start,end`` or NAB's windows JSON: adds quality figures.
        column_map: ``time`` and ``cost``, and if there are any ``series`` and ``label``.
        sensitivity: With which to judge.

    Raises:
        BadFileError: If a file is not understood.
    """
    history = read_history(path, column_map=column_map)
    if history is None:
        history = _bill_history(path, today)
    seen = replay(history, sensitivity)
    given = None if labels is None else read_labels(labels, step_seconds=history.step_seconds)
    quality = compare(seen, given)
    rows = verdicts(seen)
    report = BacktestReport(
        file=str(path),
        series=len(history.ids),
        rows=len(history.values),
        step=_WORDS[history.step_seconds],
        sensitivity=sensitivity,
        flagged=int(rows.flags.sum()),
        incidents=tuple(would_open(seen)),
        quality=quality,
    )
    return Backtest(report, rows)


def _bill_history(path: Path, today: date) -> History:
    with open_bill([path], today=today) as bill:
        history = bill_history(bill)
    if history is None:
        raise BadFileError(f"{path}: holds no usage to look back on")
    return history


def write_verdicts(path: Path, rows: Verdicts) -> None:
    """Write ``series_id,day,score,flag``, ids and times as they were given.

    Raises:
        InvalidInputError: If the file cannot be written.
    """
    try:
        with path.open("w", newline="", encoding="utf-8") as stream:
            out = csv.writer(stream, lineterminator="\n")
            out.writerow(("series_id", "day", "score", "flag"))
            scores = [f"{score:.4g}" for score in rows.scores.tolist()]
            out.writerows(zip(rows.ids, rows.times, scores, rows.flags.astype(int).tolist(), strict=True))
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be written: {error.strerror or error}") from error
