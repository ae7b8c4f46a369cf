"""Use cases of looking at everything: what the dashboard's pages show. They only read."""

import hashlib
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from comptroller.domains.analytics.driver.totals import last_day
from comptroller.domains.background.driver.jobs import list_jobs
from comptroller.domains.notices.driver.outbox import oldest_waiting
from comptroller.domains.notices.engine.telling import Facts, Source, tell
from comptroller.domains.policies.driver.facts import newest_breaches
from comptroller.domains.policies.driver.policy import read_version
from comptroller.domains.policies.engine.policy import subject_values
from comptroller.enums import BreachType, Dimension
from comptroller.errors import InvalidInputError
from comptroller.models.audit import AuditEntry
from comptroller.models.outbox import OutboxNotice
from comptroller.models.runs import Run
from comptroller.spine.orchestrator.operation import reading
from comptroller.spine.services import overview as service
from comptroller.spine.services.incidents import get_incident
from comptroller.spine.services.limits import get_limit
from comptroller.spine.services.notice_facts import FactsOf
from comptroller.types.caller import Caller
from comptroller.types.overview import AnomalyCurve, Breach, Meter, Overview, Spending, Upkeep
from comptroller.words import member

PAGE_MAX: Final = 500
PERIOD_MAX: Final = 400
VALUES_MAX: Final = 12


@reading
def look(session: Session, caller: Caller, *, dimension: str = "agent") -> Overview:
    """Return what is burning now; a part whose table is not there is absent."""
    return service.overview(session, caller, dimension=dimension)


@reading
def show_spending(
    session: Session,
    caller: Caller,
    *,
    dimension: str = Dimension.SERVICE,
    days: int = 30,
    until: date | None = None,
    currency: str | None = None,
    count: int = 8,
) -> Spending | None:
    """Return spend by a dimension over the days up to ``until`` (the last one that has costs unless given)."""
    if not 0 < days <= PERIOD_MAX or not 0 < count <= VALUES_MAX:
        raise InvalidInputError(f"days must be between 1 and {PERIOD_MAX}, values between 1 and {VALUES_MAX}")
    last = until or last_day(session, caller.tenant)
    if last is None:
        return None
    end = last + timedelta(days=1)
    chosen = member(Dimension, "dimension", dimension)
    return service.spending(
        session, caller, chosen, currency, start=end - timedelta(days=days), end=end, count=count
    )  # fmt: skip


@reading
def list_meters(session: Session, caller: Caller, *, after: str | None = None, count: int = 50) -> list[Meter]:
    """Return where limits stand, by name from ``after`` on, the fullest first."""
    _check_count(count)
    return service.fullest(session, caller, after=after, count=count)


@reading
def read_meters(session: Session, caller: Caller, limit: str) -> list[Meter]:
    """Return where one limit stands, by name or id."""
    return service.meters(session, caller, [get_limit(session, caller, limit)])


@reading
def list_breaches(session: Session, caller: Caller, *, before: str | None = None, count: int = 100) -> list[Breach]:
    """Return breaches, the newest first; ``before`` is the id of the last one seen."""
    _check_count(count)
    return [_breach(row) for row in newest_breaches(session, caller.tenant, before=before, count=count)]


@reading
def show_anomaly(session: Session, caller: Caller, anomaly_id: str) -> AnomalyCurve:
    """Return an anomaly with its series; an unknown id raises NotFoundError."""
    return service.anomaly_curve(session, caller, anomaly_id)


@reading
def incident_facts(session: Session, caller: Caller, incident_id: str) -> tuple[Facts, tuple[str, str] | None]:
    """Return who burns how much in an incident, and the commands that stop it and undo that: as its notice says."""
    incident = get_incident(session, caller, incident_id)
    source = Source(
        incident_id, caller.tenant, "incident.opened", incident_id, incident.severity, {"title": incident.title},
        incident.opened_at,
    )  # fmt: skip
    facts = FactsOf(session, caller.tenant, [source], caller.now()).of(source)
    body = tell(source, facts, public_url=None)
    return facts, (body["kill"], body["undo"]) if "kill" in body else None


@reading
def upkeep(session: Session, caller: Caller) -> Upkeep:
    """Return how the work in the background goes."""
    return Upkeep(tuple(list_jobs(session, caller.tenant)), oldest_waiting(session, caller.tenant))


@reading
def pulse(session: Session, caller: Caller) -> str:
    """Return a word that changes when something happened that a page may show; read from the ends of indexes."""
    tenant = caller.tenant
    outbox: Any = OutboxNotice.__table__
    audit: Any = AuditEntry.__table__
    runs: Any = Run.__table__
    newest = [select(func.max(t.c.id)).where(t.c.tenant_id == tenant) for t in (outbox, audit)]
    started = select(func.max(runs.c.heartbeat_at)).where(runs.c.tenant_id == tenant, runs.c.state == "running")
    parts = [session.execute(query).scalar() for query in (*newest, started)]
    word = f"{read_version(session.connection(), tenant)} {' '.join(map(str, parts))}"
    return hashlib.sha256(word.encode()).hexdigest()[:16]


def _check_count(count: int) -> None:
    if not 0 < count <= PAGE_MAX:
        raise InvalidInputError(f"count must be between 1 and {PAGE_MAX}: {count}")


def _breach(row: Any) -> Breach:
    said = row.details or {}
    return Breach(
        id=row.id, limit=row.limit_name, breach_type=BreachType(row.breach_type), value=row.value_at_breach,
        ceiling=row.limit_value, unit=row.unit, subject=_subject(said),
        reason=str(said.get("reason") or ""), run_id=row.run_id, incident_id=row.incident_id,
        occurrences=row.occurrences, recorded_at=row.recorded_at, last_at=row.last_at,
    )  # fmt: skip


def _subject(said: dict[str, Any]) -> str:
    subject = said.get("subject")
    try:
        values = subject_values(subject) if isinstance(subject, str) else {}
    except ValueError:  # a caller's own words
        return str(subject)
    return ", ".join(f"{name}={value}" for name, value in sorted(values.items()))
