"""How one file's columns become the raw fields of a cost row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from comptroller.enums import BillFormat
from comptroller.ingest.table import Table
from comptroller.ingest.values import literal

Step = Literal["day", "hour", "instant"]


@dataclass(frozen=True, slots=True)
class Reading:
    """One file's format and, per field, the SQL expression (giving text) over the table's columns.

    Args:
        format: What the file was recognised as.
        fields: Field to SQL expression; a field that is missing is absent from the file.
        origins: Field to the column's name in the file, for messages.
        is_float: Costs are binary floats in the source, so noise beyond 18 places is cut, not refused.
        step: Length of a charge period where the file names only its start.
        where: SQL condition of the rows that are cost at all.
        has_unique_ids: The id field names one use; two rows of one id are the same row twice or an error.
        has_unique_days: A service has one row per time.
        has_thousands: A comma within a number parts thousands; where cells are parted by something else it may be
            a decimal comma.
        counts_requests: The quantity is how many requests a row sums.
    """

    format: BillFormat
    fields: Mapping[str, str]
    origins: Mapping[str, str] = field(default_factory=dict)
    is_float: bool = False
    step: Step = "day"
    where: str = "true"
    has_unique_ids: bool = False
    has_unique_days: bool = False
    counts_requests: bool = False
    has_thousands: bool = True

    def has(self, *names: str) -> bool:
        """Say whether the file has any of the fields."""
        return any(name in self.fields for name in names)

    def origin(self, name: str) -> str:
        """Return the name by which the file's owner knows the field."""
        return self.origins.get(name, name)

    @property
    def is_priced_here(self) -> bool:
        """Say whether rows carry tokens whose cost may have to be worked out from a price list."""
        return self.has("input_tokens", "output_tokens")


def pick(table: Table, columns: Mapping[str, Sequence[str]]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the fields and origins of the columns that the table has, by their aliases in order of preference."""
    found = {name: table.find(*aliases) for name, aliases in columns.items()}
    origins = {name: column for name, column in found.items() if column is not None}
    return {name: table.text(column) for name, column in origins.items()}, origins


def constant(text: str) -> str:
    """Return the SQL of a field that has the same text in every row."""
    return f"{literal(text)}::varchar"


def added(*decimals: str) -> str:
    """Return SQL that adds decimal texts exactly; an absent one is nothing."""
    total = " + ".join(f"coalesce(try_cast({text} as decimal(38, 18)), 0)" for text in decimals)
    return f"rtrim(rtrim(({total})::varchar, '0'), '.')"


def words(column: str, meanings: Mapping[str, str]) -> str:
    """Return SQL that translates a column's words, letters' case ignored; unknown words stay and are judged later."""
    branches = " ".join(f"when {literal(word.lower())} then {literal(mean)}" for word, mean in meanings.items())
    return f"case lower({column}) {branches} else {column} end"
