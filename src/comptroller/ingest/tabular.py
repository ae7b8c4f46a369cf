"""A column map: the caller says which column is what, for any table or over what a format found by itself.

A value is a column's name, ``const:TEXT``, or for times ``START+UNIT:COLUMN``: a count of units since a start.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, get_args

from comptroller.enums import BillFormat
from comptroller.errors import InvalidInputError
from comptroller.ingest.blocks import refuse
from comptroller.ingest.columns import FIELDS
from comptroller.ingest.reading import Reading, Step, constant
from comptroller.ingest.table import Table
from comptroller.ingest.values import literal, moment

DEFAULT_CURRENCY: Final = "USD"
# Words of `--map` that are no field: other readers of the same map use them.
_IGNORED: Final = frozenset({"label"})
_ALIASES: Final = {"cost": "billed", "start": "time", "user_id": "user", "key_alias": "key", "resource_id": "resource"}
_UNITS: Final = ("days", "hours", "minutes", "seconds", "milliseconds")
_CONSTANT: Final = "const:"
_COUNTED: Final = re.compile(
    rf"(?P<start>\d{{4}}-\d\d-\d\d[^+]*)\+(?P<unit>{'|'.join(_UNITS)}):(?P<column>.+)", re.DOTALL
)


def apply_map(table: Table, reading: Reading | None, column_map: Mapping[str, str]) -> Reading | None:
    """Return the reading with the mapped fields in place of its own, or a new one if nothing was recognised.

    Raises:
        InvalidInputError: If a word or a value of the map is not understood.
        BadFileError: If a mapped column is not in the file.
    """
    mapped = {_field(word): value for word, value in column_map.items() if word.lower() not in _IGNORED}
    if reading is None:
        if "time" not in mapped or not mapped.keys() & {"billed", "effective", "input_tokens", "output_tokens"}:
            return None
        reading = _unknown(mapped)
    if not mapped:
        return reading
    fields = {field: _sql(table, field, value) for field, value in mapped.items()}
    step = _step(mapped["time"]) if "time" in mapped else None
    return replace(
        reading,
        fields={**reading.fields, **fields},
        origins={**reading.origins, **mapped},
        step=step or reading.step,
    )


def _unknown(mapped: Mapping[str, str]) -> Reading:
    is_usage = not mapped.keys() & {"billed", "effective"}
    return Reading(
        format=BillFormat.USAGE if is_usage else BillFormat.TABULAR,
        fields={"currency": constant(DEFAULT_CURRENCY)},
        is_float=True,
        step="instant",
    )


def _field(word: str) -> str:
    field = _ALIASES.get(word.lower(), word.lower())
    if field not in FIELDS:
        raise InvalidInputError(f"--map {word}=…: unknown word; known are cost, {', '.join(FIELDS)}")
    return field


def _sql(table: Table, field: str, value: str) -> str:
    if value.startswith(_CONSTANT):
        return constant(value.removeprefix(_CONSTANT))
    counted = _COUNTED.fullmatch(value)
    if counted is not None:
        count = f"try_cast({_column(table, counted['column'])} as decimal(18, 6))"
        unit = counted["unit"].removesuffix("s")
        return f"(timestamp {literal(_start(counted['start']))} + {_interval(count, unit)})::varchar"
    text = _column(table, value)
    return moment(text) if field in ("time", "end") else text


def _start(text: str) -> str:
    if re.fullmatch(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?Z?)?", text) is None:
        raise InvalidInputError(f"--map time={text}+…: write the start like 2025-01-06 or 2025-01-06T00:00:00Z")
    return text


def _interval(count: str, unit: str) -> str:
    micros = {"day": 86_400_000_000, "hour": 3_600_000_000, "minute": 60_000_000, "second": 1_000_000}
    return f"to_microseconds(({count} * {micros.get(unit, 1_000)})::bigint)"


def _column(table: Table, name: str) -> str:
    found = table.find(name)
    if found is None:
        shown = ", ".join(table.names[:20])
        raise refuse(table.file.path, f"has no column {name!r}, which --map names; its columns are {shown}")
    return table.text(found)


def _step(value: str) -> Step | None:
    counted = _COUNTED.fullmatch(value)
    unit = None if counted is None else counted["unit"].removesuffix("s")
    return next((step for step in get_args(Step) if step == unit), None)
