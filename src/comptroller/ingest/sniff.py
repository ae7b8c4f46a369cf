"""What a file is, by its columns; and if it is no bill, precisely why not."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from comptroller.enums import BillFormat
from comptroller.errors import BadFileError
from comptroller.ingest.aws_cur import read_aws_cur
from comptroller.ingest.azure import read_azure
from comptroller.ingest.blocks import refuse
from comptroller.ingest.focus import read_focus
from comptroller.ingest.litellm import read_litellm
from comptroller.ingest.long_form import read_long_form
from comptroller.ingest.reading import Reading
from comptroller.ingest.table import Table
from comptroller.ingest.tabular import apply_map
from comptroller.ingest.usage import read_usage

# In this order: the first that knows the columns reads the file.
READERS: Final[dict[BillFormat, Callable[[Table], Reading | None]]] = {
    BillFormat.AWS_CUR: read_aws_cur,
    BillFormat.AZURE: read_azure,
    BillFormat.FOCUS: read_focus,
    BillFormat.LONG_FORM: read_long_form,
    BillFormat.LITELLM: read_litellm,
    BillFormat.USAGE: read_usage,
}
_SHOWN_COLUMNS: Final = 12
_NAMES: Final = {BillFormat.FOCUS: "FOCUS", BillFormat.AWS_CUR: "AWS", BillFormat.AZURE: "Azure"}
_CONSTANTS: Final = {"currency": "const:USD", "model": "const:MODEL", "time": "2025-01-06+hours:COLUMN"}


def recognise(table: Table, *, wanted: BillFormat | None, column_map: Mapping[str, str]) -> Reading:
    """Return how the file is to be read.

    Args:
        table: The file's columns.
        wanted: The only format to try, if the caller knows better.
        column_map: Columns that the caller names.

    Raises:
        BadFileError: If the file is no bill; says which columns it lacks and how to give them.
    """
    if wanted is None:
        reading = next((found for found in (read(table) for read in READERS.values()) if found is not None), None)
    else:
        read = READERS.get(wanted)
        reading = None if read is None else read(table)
    reading = apply_map(table, reading, column_map)
    if reading is None:
        raise _no_bill(table, wanted)
    missing = _missing(reading)
    if missing:
        raise _lacking(table, reading, missing)
    return replace(reading, has_thousands=table.delimiter == ",")


def _missing(reading: Reading) -> list[str]:
    needed = ["time"]
    if not reading.has("billed", "effective"):
        needed += ["model"] if reading.is_priced_here else ["billed"]
    if reading.format in (BillFormat.FOCUS, BillFormat.AWS_CUR, BillFormat.AZURE):
        needed.append("currency")
    return [field for field in needed if not reading.has(field)]


def _lacking(table: Table, reading: Reading, missing: list[str]) -> BadFileError:
    names = " and ".join(reading.origin(field) for field in missing)
    words = {"billed": "cost"}
    given = ",".join(f"{words.get(field, field)}=COLUMN" for field in missing)
    is_usage = reading.format is BillFormat.USAGE
    constants = [
        f"{field}={_CONSTANTS[field]}" for field in missing if field in _CONSTANTS and (is_usage or field == "currency")
    ]
    otherwise = f", or give it with --map {','.join(constants)}" if constants else ""
    kind = "LLM usage" if is_usage else f"{_NAMES.get(reading.format, reading.format)} bill"
    return refuse(table.file.path, f"is no complete {kind}, it lacks {names}: name it with --map {given}{otherwise}")


def _no_bill(table: Table, wanted: BillFormat | None) -> BadFileError:
    shown = ", ".join(repr(name) for name in table.names[:_SHOWN_COLUMNS])
    more = f" and {len(table.names) - _SHOWN_COLUMNS} more" if len(table.names) > _SHOWN_COLUMNS else ""
    kind = "bill" if wanted is None else f"{wanted} bill"
    columns = f"its columns are {shown}{more}" if shown else "it has no columns with names"
    return refuse(table.file.path, f"is no {kind}: {columns}; name time and cost with --map time=COLUMN,cost=COLUMN")
