"""Labelled windows of series: CSV ``series_id,start,end`` (end included), or the windows JSON of NAB."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from comptroller.errors import BadFileError

MAX_LABEL_BYTES: Final = 64 << 20
_FIRST_MONDAY: Final = datetime(2025, 1, 6, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Label:
    """A window: seconds since 1970 of its first and last step, as far as known its kind and the money it is about."""

    series: str
    start: float
    end: float
    kind: str = ""
    stake: float = 1.0


def read_labels(path: Path, *, step_seconds: int | None) -> list[Label]:
    """Read a labels file; integers count steps from Monday 2025-01-06.

    Raises:
        BadFileError: If the file is neither form, or a window is not understood; names the place.
    """
    try:
        if path.stat().st_size > MAX_LABEL_BYTES:
            raise BadFileError(f"{path}: is larger than {MAX_LABEL_BYTES} bytes: this is no labels file")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadFileError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    rows = _from_json(path, text) if text.lstrip().startswith("{") else _from_csv(path, text)
    return [_label(path, where, row, step_seconds) for where, row in rows]


def _from_csv(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    reader = csv.DictReader(text.splitlines())
    if not {"series_id", "start", "end"} <= set(reader.fieldnames or ()):
        raise BadFileError(f"{path}: no labels: the first line must be series_id,start,end")
    for row in reader:
        yield f"line {reader.line_num}", row


def _from_json(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        files = json.loads(text)
        for name, windows in files.items():
            for start, end in windows:
                yield name, {"series_id": name, "start": start, "end": end}
    except (ValueError, TypeError, AttributeError) as error:
        raise BadFileError(f"{path}: is no windows JSON of the form {{file: [[start, end], …]}}: {error}") from error


def _label(path: Path, where: str, row: Mapping[str, Any], step_seconds: int | None) -> Label:
    try:
        start, end = (_moment(str(row[side]), step_seconds) for side in ("start", "end"))
        stake = float(row.get("stake") or 1.0)
    except (ValueError, OverflowError) as error:
        raise BadFileError(f"{path}: {where}: {error}") from error
    if end < start:
        raise BadFileError(f"{path}: {where}: the window ends at {row['end']!r}, before its start {row['start']!r}")
    return Label(str(row["series_id"]), start, end, str(row.get("kind") or "").lower(), stake)


def _moment(text: str, step_seconds: int | None) -> float:
    if text.lstrip("-").isdigit() and step_seconds is not None:
        return (_FIRST_MONDAY + timedelta(seconds=int(text) * step_seconds)).timestamp()
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
