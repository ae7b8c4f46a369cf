"""The long form of series: ``series_id,day,cost`` or ``series_id,hour,cost``."""

from typing import Final

from comptroller.enums import BillFormat
from comptroller.ingest.reading import Reading, Step, constant, pick
from comptroller.ingest.table import Table

# A Monday, so that integers counted from it keep their weekdays.
FIRST_DAY: Final = "2025-01-06"
DEFAULT_CURRENCY: Final = "USD"
_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "service": ("series_id",),
    "billed": ("cost",),
    "currency": ("currency",),
    "account": ("account",),
}


def read_long_form(table: Table) -> Reading | None:
    """Recognise the long form by ``series_id``, ``cost`` and ``day``, ``hour`` or ``date``; None if it is not that."""
    time = table.find("day", "hour", "date")
    if time is None or table.find("series_id") is None or table.find("cost") is None:
        return None
    step: Step = "hour" if time.strip().lower() == "hour" else "day"
    fields, origins = pick(table, _COLUMNS)
    fields["time"] = counted(table.text(time), step=step, start=FIRST_DAY)
    fields.setdefault("currency", constant(DEFAULT_CURRENCY))
    return Reading(
        format=BillFormat.LONG_FORM,
        fields=fields,
        origins=origins | {"time": time},
        is_float=True,
        step=step,
        has_unique_days=True,
    )


def counted(text: str, *, step: Step, start: str) -> str:
    """Return SQL for a time given as an integer counted from the start, or as it stands if it is none."""
    moment = f"(timestamp '{start}' + try_cast({text} as integer) * interval 1 {step})::varchar"
    return f"case when regexp_full_match({text}, '-?[0-9]{{1,7}}') then {moment} else {text} end"
