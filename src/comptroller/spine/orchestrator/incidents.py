"""Use cases of incidents."""

from sqlalchemy.orm import Session

from comptroller import checks
from comptroller.domains.incidents.driver.reading import list_incidents as read_incidents
from comptroller.enums import IncidentStatus, Severity
from comptroller.spine.orchestrator.operation import operation, reading
from comptroller.spine.services import incidents as service
from comptroller.types.caller import Caller
from comptroller.types.incidents import Incident
from comptroller.words import member

DEFAULT_PAGE = 100


@reading
def list_incidents(
    session: Session,
    caller: Caller,
    *,
    status: str | None = None,
    severity: str | None = None,
    limit: int = DEFAULT_PAGE,
    before: str | None = None,
) -> list[Incident]:
    """Return incidents, the newest first, at most 1,000 at once; ``before`` is the id of the last one seen."""
    last = None if before is None else service.get_incident(session, caller, before)
    return read_incidents(
        session,
        caller.tenant,
        status=None if status is None else member(IncidentStatus, "status", status),
        severity=None if severity is None else member(Severity, "severity", severity),
        limit=limit,
        before=None if last is None else (last.opened_at, last.id),
    )


@reading
def get_incident(session: Session, caller: Caller, incident_id: str) -> Incident:
    """Return one incident with its timeline; an unknown id raises NotFoundError."""
    return service.get_incident(session, caller, incident_id)


@operation
def acknowledge_incident(session: Session, caller: Caller, incident_id: str, *, note: str = "") -> Incident:
    """Say that somebody is at it; repeating it changes nothing."""
    return service.take_step(session, caller, incident_id, "acknowledged", _note(note), now=caller.now())


@operation
def resolve_incident(session: Session, caller: Caller, incident_id: str, *, note: str = "") -> Incident:
    """Say that it is over, and queue the notice that says so."""
    return service.take_step(session, caller, incident_id, "resolved", _note(note), now=caller.now())


@operation
def reopen_incident(session: Session, caller: Caller, incident_id: str, *, note: str = "") -> Incident:
    """Open a resolved or suppressed incident again, and queue the notice that says so."""
    return service.take_step(session, caller, incident_id, "reopened", _note(note), now=caller.now())


@operation
def comment_incident(session: Session, caller: Caller, incident_id: str, text: str) -> Incident:
    """Write on the incident's timeline."""
    return service.comment(
        session, caller, incident_id, checks.required_id("text", text, longest=10_000), now=caller.now()
    )


def _note(note: str) -> str:
    return checks.optional_text("note", note) or ""
