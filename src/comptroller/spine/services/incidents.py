"""What people do to incidents: acknowledge, comment, resolve, reopen; each on the timeline and in the audit."""

from datetime import datetime

from sqlalchemy.orm import Session

from comptroller.domains.audit.driver import write_entry
from comptroller.domains.incidents.driver.changing import add_event, queue_notice, set_status
from comptroller.domains.incidents.driver.reading import find_incident
from comptroller.domains.incidents.engine.lifecycle import step
from comptroller.errors import NotFoundError
from comptroller.types.caller import Caller
from comptroller.types.incidents import Incident


def get_incident(session: Session, caller: Caller, incident_id: str, *, lock: bool = False) -> Incident:
    """Return one incident with its timeline.

    Raises:
        NotFoundError: If the tenant has no such incident.
    """
    found = find_incident(session, caller.tenant, incident_id, lock=lock)
    if found is None:
        raise NotFoundError(f"incident {incident_id!r} does not exist for this tenant")
    return found


def take_step(session: Session, caller: Caller, incident_id: str, kind: str, note: str, *, now: datetime) -> Incident:
    """Take an incident one step on; a repeat changes nothing."""
    incident = get_incident(session, caller, incident_id, lock=True)
    verdict = step(kind, incident.status, incident_id=incident_id)
    if not verdict.changes:
        return incident
    set_status(session, caller.tenant, incident_id, verdict.status, now=now)
    detail = {"note": note} if note else {}
    add_event(session, caller.tenant, incident_id, kind=kind, actor=caller.actor, detail=detail, now=now)
    write_entry(
        session,
        caller,
        action=f"incident.{kind}",
        object_type="incident",
        object_id=incident_id,
        detail=detail,
        now=now,
    )
    if kind != "acknowledged":
        payload = {"title": incident.title, "by": caller.actor, **detail}
        queue_notice(
            session, caller.tenant, kind=f"incident.{kind}", subject_id=incident_id, severity=incident.severity,
            payload=payload, now=now,
        )  # fmt: skip
    return get_incident(session, caller, incident_id)


def comment(session: Session, caller: Caller, incident_id: str, text: str, *, now: datetime) -> Incident:
    """Write a person's words on the timeline."""
    get_incident(session, caller, incident_id)
    add_event(
        session, caller.tenant, incident_id, kind="comment", actor=caller.actor, detail={"note": text}, now=now
    )  # fmt: skip
    return get_incident(session, caller, incident_id)
