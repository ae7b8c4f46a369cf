"""Which step an incident may take from where it stands."""

from dataclasses import dataclass
from typing import Final

from comptroller.enums import IncidentStatus
from comptroller.errors import ConflictError

_FROM: Final[dict[str, tuple[frozenset[IncidentStatus], IncidentStatus]]] = {
    "acknowledged": (frozenset({IncidentStatus.OPEN}), IncidentStatus.ACKNOWLEDGED),
    "resolved": (
        frozenset({IncidentStatus.OPEN, IncidentStatus.ACKNOWLEDGED, IncidentStatus.SUPPRESSED}),
        IncidentStatus.RESOLVED,
    ),
    "reopened": (frozenset({IncidentStatus.RESOLVED, IncidentStatus.SUPPRESSED}), IncidentStatus.OPEN),
}


@dataclass(frozen=True, slots=True)
class Step:
    """A step's verdict: the status after it, and whether it changes anything."""

    status: IncidentStatus
    changes: bool


def step(kind: str, status: IncidentStatus, *, incident_id: str) -> Step:
    """Return what a person's step does; repeating the last one changes nothing.

    Args:
        kind: ``acknowledged``, ``resolved`` or ``reopened``.
        status: Where the incident stands.
        incident_id: For the message.

    Raises:
        ConflictError: If the incident cannot take this step from where it stands.
    """
    allowed, after = _FROM[kind]
    if status is after:
        return Step(after, changes=False)
    if status not in allowed:
        raise ConflictError(f"incident {incident_id} is {status.value}: it cannot be {kind}")
    return Step(after, changes=True)
