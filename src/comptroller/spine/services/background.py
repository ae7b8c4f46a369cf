"""Whether a job has news, sources and their staleness; nothing here waits or reads files."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from comptroller.domains.audit.driver import write_entry
from comptroller.domains.background.driver import jobs, sources
from comptroller.domains.notices.driver import outbox
from comptroller.enums import Severity
from comptroller.errors import ConflictError, InvalidInputError, NotFoundError
from comptroller.ids import uuid7
from comptroller.spine.drivers.cross_domain import create_incident_from_cost_anomaly_sync
from comptroller.types.background import Source
from comptroller.types.caller import Caller
from comptroller.types.sight import Complaint

EVERY_MIN: Final = 60
STALE_TYPE: Final = "SOURCE_STALE"
_WAITS: Final = timedelta(minutes=10)
_FAILURES: Final = 3


def add_source(session: Session, caller: Caller, source: Source) -> Source:
    """Store a source.

    Raises:
        ConflictError: If the name is in use.
        InvalidInputError: If its times are not acceptable.
    """
    if source.every_seconds < EVERY_MIN or source.stale_seconds < source.every_seconds:
        raise InvalidInputError(f"a source is pulled every {EVERY_MIN} s or more, and stale after longer than that")
    if any(one.name == source.name for one in sources.list_sources(session, caller.tenant)):
        raise ConflictError(f"a source {source.name!r} exists: remove it first, or choose another name")
    sources.insert_source(session, caller.tenant, source)
    _audit(session, caller, "source.added", source)
    return source


def remove_source(session: Session, caller: Caller, name: str) -> None:
    """Pull a source no more.

    Raises:
        NotFoundError: If the tenant has none of that name.
    """
    for one in sources.list_sources(session, caller.tenant):
        if one.name == name:
            sources.remove_source(session, caller.tenant, one.id, caller.now())
            _audit(session, caller, "source.removed", one)
            return
    raise NotFoundError(f"source {name!r} does not exist for this tenant")


def open_if_stale(session: Session, tenant: str, source: Source, *, error: str | None, now: datetime) -> str | None:
    """Open an incident if nothing new came from a source for too long; once for each such stretch."""
    since = source.news_at or source.created_at
    if now - since < timedelta(seconds=source.stale_seconds):
        return None
    because = f": {error}" if error else ""
    return create_incident_from_cost_anomaly_sync(
        session,
        tenant_id=tenant,
        anomaly_id=f"source:{source.id}:{since:%Y%m%dT%H%M%S}",
        anomaly_type=STALE_TYPE,
        severity=Severity.HIGH.value,
        current_value_cents=0,
        expected_value_cents=0,
        entity_type="source",
        entity_id=source.name,
        description=f"nothing new came from the source {source.name} since {since:%Y-%m-%d %H:%M} UTC{because}"[:9000],
    )


def new_id() -> str:
    """Return an id for a source."""
    return uuid7()


def _audit(session: Session, caller: Caller, action: str, source: Source) -> None:
    detail = {"name": source.name, "url": source.url, "every_seconds": source.every_seconds}
    write_entry(
        session, caller, action=action, object_type="source", object_id=source.id, detail=detail, now=caller.now()
    )  # fmt: skip


def complaints(session: Session, caller: Caller) -> list[Complaint]:
    """Return what is wrong with the work in the background: notices that wait, jobs that fail or do not run."""
    now, found = caller.now(), []
    oldest = outbox.oldest_waiting(session, caller.tenant)
    if oldest is not None and now - oldest > _WAITS:
        told = f"the oldest has waited since {oldest:%Y-%m-%d %H:%M} UTC: comptroller channels list, comptroller worker"
        found.append(Complaint("notices", told))
    for job in jobs.list_jobs(session, caller.tenant):
        if job.failures >= _FAILURES:
            told = f"{job.name} failed {job.failures} times in a row: {job.last_error}"
            found.append(Complaint("jobs", told, is_grave=False))
        if job.name == "sweep" and (job.succeeded_at is None or now - job.succeeded_at > _WAITS):
            found.append(Complaint("jobs", "no worker sweeps expired holds: run comptroller worker", is_grave=False))
    return found
