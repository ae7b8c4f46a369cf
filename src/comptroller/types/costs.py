"""What taking cost files in gives back."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum


class DeliveryOutcome(StrEnum):
    """What became of one (billing account, billing period) of the files."""

    STORED = "stored"
    REPLACED = "replaced"
    APPENDED = "appended"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """One (billing account, billing period): what was stored, and the rounding between exact decimals and quanta."""

    billing_account: str
    period_start: date
    period_end: date
    outcome: DeliveryOutcome
    row_count: int
    rounding: dict[str, Decimal]


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What one command's files held and what became of them.

    Attributes:
        source: The name under which later deliveries replace these.
        format: The recognised format.
        files: Paths, as given.
        deliveries: One for each billing account and period.
        bad_rows: How many rows were left out (``skip_bad``).
        bad_examples: The first of them, one line each.
        left_out_tags: Tag keys with too many values to become series.
    """

    source: str
    format: str
    files: tuple[str, ...]
    deliveries: tuple[DeliveryReport, ...]
    bad_rows: int
    bad_examples: tuple[str, ...]
    left_out_tags: tuple[str, ...]

    @property
    def row_count(self) -> int:
        """Return how many rows the files hold, bad ones left out."""
        return sum(delivery.row_count for delivery in self.deliveries)

    @property
    def is_unchanged(self) -> bool:
        """Tell whether these files were on record already."""
        return all(delivery.outcome is DeliveryOutcome.UNCHANGED for delivery in self.deliveries)
