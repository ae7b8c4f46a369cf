"""Series to look back on: any file with a time and a value, read as columns; ids and times are kept as written.

For statistics only: values are floats, nothing read here is stored as money.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from comptroller.errors import BadFileError
from comptroller.ingest.bill import Bill
from comptroller.ingest.files import inspect
from comptroller.ingest.long_form import FIRST_DAY
from comptroller.ingest.scratch import Scratch
from comptroller.ingest.table import Table, open_table
from comptroller.ingest.values import literal
from comptroller.money import quantum_exponent

DAY_SECONDS: Final = 86_400
HOUR_SECONDS: Final = 3_600
_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class History:
    """Rows in the order of the file.

    Attributes:
        ids: The names of the series, in order of appearance.
        row_series: For each row, the position of its series in ``ids``.
        row_times: For each row, its time as written.
        seconds: For each row, its time in seconds since 1970-01-01 UTC.
        values: For each row, its value.
        labels: For each row, whether the file calls it abnormal; None where the file does not say.
        step_seconds: 86,400 for daily series, 3,600 for hourly ones, None for anything else.
    """

    ids: tuple[str, ...]
    row_series: NDArray[np.int64]
    row_times: NDArray[np.object_]
    seconds: NDArray[np.int64]
    values: NDArray[np.float64]
    labels: NDArray[np.bool_] | None
    step_seconds: int | None


def read_history(path: Path, *, column_map: Mapping[str, str] | None = None) -> History | None:
    """Read ``series_id,day|hour,cost`` or a mapped file (time, cost, and if given series and label).

    Returns None where the file is neither and nothing is mapped: it may be a bill.

    Raises:
        BadFileError: If a time or value is not understood, or a series has a time twice.
    """
    with Scratch() as scratch:
        table = open_table(scratch.connection, inspect(path, scratch=scratch.path, number=0))
        columns = _mapped(path, table, column_map) if column_map else _long_form(table)
        if columns is None:
            return None
        rows = scratch.connection.execute(_query(table, columns)).fetchnumpy()
        return _history(path, rows, columns)


@dataclass(frozen=True, slots=True)
class _Columns:
    """SQL for each part of a row; ``unit`` is what an integer time counts from the first Monday of 2025."""

    series: str
    time: str
    value: str
    label: str | None
    unit: str | None


def _long_form(table: Table) -> _Columns | None:
    time = table.find("day", "hour", "date")
    series, value = table.find("series_id"), table.find("cost")
    if time is None or series is None or value is None:
        return None
    unit = "hour" if time.strip().lower() == "hour" else "day"
    return _Columns(table.text(series), table.text(time), table.text(value), None, unit)


def _mapped(path: Path, table: Table, column_map: Mapping[str, str]) -> _Columns:
    unknown = column_map.keys() - {"time", "cost", "label", "series"}
    if unknown or not {"time", "cost"} <= column_map.keys():
        raise BadFileError(f"{path}: a map of series names time and cost, and may name label and series")
    found = {word: table.find(name) for word, name in column_map.items()}
    missing = [f"{word}={column_map[word]}" for word, name in found.items() if name is None]
    if missing:
        raise BadFileError(f"{path}: has no column for {', '.join(missing)}; it has {', '.join(table.names[:20])}")
    texts = {word: table.text(name) for word, name in found.items() if name is not None}
    series = texts.get("series", literal(path.name.split(".")[0]))
    return _Columns(series, texts["time"], texts["cost"], texts.get("label"), None)


def _query(table: Table, columns: _Columns) -> str:
    moment = f"try_cast({columns.time} as timestamptz)"
    if columns.unit is not None:
        counted = (
            f"timestamptz '{FIRST_DAY} 00:00:00+00' + try_cast({columns.time} as integer) * interval 1 {columns.unit}"
        )
        moment = f"case when regexp_full_match({columns.time}, '-?[0-9]{{1,7}}') then {counted} else {moment} end"
    label = "null" if columns.label is None else f"try_cast({columns.label} as double)"
    return (
        f"select coalesce({columns.series}, '') as series, {columns.time} as time, epoch({moment}) as seconds, "
        f"try_cast({columns.value} as double) as value, {columns.value} as value_text, {label}::double as label "
        f"from {table.relation}"
    )


def _history(path: Path, rows: Mapping[str, Any], columns: _Columns) -> History:
    seconds, values = np.ma.filled(rows["seconds"], np.nan), np.ma.filled(rows["value"], np.nan)
    texts, times = np.ma.filled(rows["value_text"], ""), np.ma.filled(rows["time"], "")
    if not len(seconds):
        raise BadFileError(f"{path}: has a header and no rows")
    _require(path, np.isfinite(seconds), times, "time", "write it as 2025-01-06 or 2025-01-06 13:00")
    _require(path, np.isfinite(values), texts, "cost", "write a finite number")
    names, first, inverse = np.unique(
        np.ma.filled(rows["series"], "").astype(str), return_index=True, return_inverse=True
    )
    order = np.argsort(first)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    row_series = place[inverse.reshape(-1)].astype(np.int64)
    whole = np.round(seconds).astype(np.int64)
    step = _step(columns.unit, row_series, whole)
    if step is not None:
        _require_once(path, row_series, whole, times)
    labels = None if columns.label is None else np.ma.filled(rows["label"], 0.0) > 0
    return History(
        ids=tuple(str(name) for name in names[order]),
        row_series=row_series,
        row_times=times,
        seconds=whole,
        values=values,
        labels=labels,
        step_seconds=step,
    )


def bill_history(bill: Bill) -> History | None:
    """Return a bill's daily usage per dimension value and currency; None where it has none."""
    rows = bill.usage_by_day()
    if not len(rows["seconds"]):
        return None
    names, inverse = np.unique(rows["series"].astype(str), return_inverse=True)
    units = np.array([10.0 ** quantum_exponent(currency) for currency in rows["currency"]])
    return History(
        ids=tuple(str(name) for name in names),
        row_series=inverse.reshape(-1).astype(np.int64),
        row_times=rows["time"],
        seconds=rows["seconds"].astype(np.int64),
        values=rows["quanta"] * units,
        labels=None,
        step_seconds=DAY_SECONDS,
    )


def _require(path: Path, good: NDArray[np.bool_], texts: NDArray[np.object_], what: str, mend: str) -> None:
    bad = np.flatnonzero(~good)
    if len(bad):
        shown = str(texts[bad[0]])[:_SHOWN]
        raise BadFileError(f"{path}: row {bad[0] + 1}: {what} {shown!r} is not understood: {mend}")


def _require_once(
    path: Path, series: NDArray[np.int64], seconds: NDArray[np.int64], times: NDArray[np.object_]
) -> None:
    order = np.lexsort((seconds, series))
    same = (np.diff(series[order]) == 0) & (np.diff(seconds[order]) == 0)
    if same.any():
        row = int(order[np.flatnonzero(same)[0] + 1])
        raise BadFileError(f"{path}: row {row + 1}: {times[row]} is given twice for one series: sum or remove one")


def _step(unit: str | None, series: NDArray[np.int64], seconds: NDArray[np.int64]) -> int | None:
    """Return the step of regular days or hours; anything finer or uneven is a stream."""
    if unit is not None:
        return HOUR_SECONDS if unit == "hour" else DAY_SECONDS
    order = np.lexsort((seconds, series))
    gaps = np.diff(seconds[order])[np.diff(series[order]) == 0]
    if not len(gaps):
        return DAY_SECONDS
    for step in (DAY_SECONDS, HOUR_SECONDS):
        if not (seconds % step).any() and float(np.median(gaps)) == step:
            return step
    return None
