"""Usage that is reported after the fact, and what became of it."""

from dataclasses import dataclass

from comptroller.types.usage import Usage


@dataclass(frozen=True, slots=True)
class ReportedUsage:
    """What one call used.

    Attributes:
        id: The provider's id of the response, or the span's own; the same id is booked once.
        dimensions: Who spent.
        usage: The model and its tokens.
    """

    id: str
    dimensions: tuple[tuple[str, str], ...]
    usage: Usage


@dataclass(frozen=True, slots=True)
class Rejected:
    """Usage that was not booked: its id, and why."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class UsageReport:
    """What became of a batch: booked now, known before, not booked."""

    booked: int
    known: int
    rejected: tuple[Rejected, ...]
