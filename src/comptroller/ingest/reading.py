"""How one file's columns become the raw fields of a cost row."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from comptroller.enums import BillFormat

# Literal texts that exports write for an absent value.
NULL_TEXTS: Final = ("", "NULL", "null")


@dataclass(frozen=True, slots=True)
class Reading:
    """One file's format and, per field, the SQL expression (giving text) over the columns of ``raw``.

    Args:
        format: What the file was recognised as.
        fields: Field to SQL expression; a field that is missing is absent from the file.
        origins: Field to the column's name in the file, for messages.
        is_float: Costs are binary floats in the source.
        is_usage: Rows are single uses of a model: their end is their start unless given.
        step: Length of a row's charge period where the file names only its start: ``day``, ``hour`` or ``instant``.
    """

    format: BillFormat
    fields: Mapping[str, str]
    origins: Mapping[str, str] = field(default_factory=dict)
    is_float: bool = False
    step: str = "day"

    def has(self, name: str) -> bool:
        """Say whether the file has the field."""
        return name in self.fields

    def origin(self, name: str) -> str:
        """Return the name by which the file's owner knows the field."""
        return self.origins.get(name, name)
