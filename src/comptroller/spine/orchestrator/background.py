"""Use cases of the work in the background: jobs, sources, retention."""

from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from comptroller.domains.access.driver.people import list_tenants
from comptroller.domains.analytics.driver.facts import deliveries_seen
from comptroller.domains.background.driver import jobs as driver
from comptroller.domains.background.driver import sources
from comptroller.domains.notices.driver import outbox
from comptroller.domains.notices.driver.retention import remove_before
from comptroller.domains.policies.driver.kills import first_id
from comptroller.enums import RunState
from comptroller.errors import InvalidInputError
from comptroller.models.background import Source as SourceRow
from comptroller.models.costs import CostDelivery
from comptroller.models.ledger import OpenHold
from comptroller.models.notices import Delivery
from comptroller.models.outbox import OutboxNotice
from comptroller.models.runs import Run
from comptroller.spine.orchestrator.operation import operation, reading
from comptroller.spine.services import background as service
from comptroller.types.background import Job, Source
from comptroller.types.caller import Caller

TENANTS_MAX: Final = 10_000
SECRET_MARKS: Final = ("@", "key=", "secret=", "token=", "sig=")


@reading
def tenants_at_work(session: Session, _caller: Caller) -> list[str]:
    """Return the tenants for which there may be something to do: those on record, and those that have rows.

    A role that is bound by row-level security sees only those on record.
    """
    tables: tuple[tuple[Any, tuple[Any, ...]], ...] = (
        (OutboxNotice, (OutboxNotice.dispatched_at.is_(None),)),
        (Delivery, (Delivery.state == "waiting",)),
        (OpenHold, ()),
        (Run, (Run.state == RunState.RUNNING.value,)),
        (CostDelivery, ()),
        (SourceRow, ()),
    )
    found = {tenant.id for tenant in list_tenants(session, after=None, limit=TENANTS_MAX) if not tenant.disabled_at}
    for model, conditions in tables:
        found.update(outbox.tenants_of(session, model.__table__, *conditions))
    return sorted(found)


@operation
def claim_job(session: Session, caller: Caller, name: str, worker: str, *, lease: timedelta) -> bool:
    """Claim a job of the caller's tenant if it is due and nobody is at it."""
    now = caller.now()
    return driver.claim_job(
        session, caller.tenant, name, worker=worker, until=now + lease, news=None, now=now
    )  # fmt: skip


@operation
def claim_detection(session: Session, caller: Caller, name: str, worker: str, *, lease: timedelta) -> bool:
    """Claim a job that is also due when costs were delivered since it was begun last."""
    now, news = caller.now(), deliveries_seen(session, caller.tenant)
    return driver.claim_job(
        session, caller.tenant, name, worker=worker, until=now + lease, news=news, now=now
    )  # fmt: skip


@operation
def finish_job(
    session: Session, caller: Caller, name: str, worker: str, *, took: timedelta, error: str | None, due_at: datetime
) -> None:
    """Write down how a job went and when it is due again."""
    driver.finish_job(
        session, caller.tenant, name, worker=worker, took=took, error=error, due_at=due_at, now=caller.now()
    )  # fmt: skip


@reading
def list_jobs(session: Session, caller: Caller) -> list[Job]:
    """Return the tenant's jobs: when each last ran, how long it took, how often it failed in a row."""
    return driver.list_jobs(session, caller.tenant)


@operation
def add_source(
    session: Session, caller: Caller, name: str, url: str, *, format: str | None = None,  # noqa: A002 — the word that users know
    every_seconds: int = 3600, stale_seconds: int = 2 * 86_400,
) -> Source:  # fmt: skip
    """Have a folder or a bucket pulled on a schedule; credentials come from the environment, never from the URL."""
    if not name or len(name) > 64 or not url:  # noqa: PLR2004 — a name's length
        raise InvalidInputError("a source needs a name of at most 64 characters, and a folder or URL")
    if "://" in url and any(mark in urlsplit(url).netloc + urlsplit(url).query for mark in SECRET_MARKS):
        raise InvalidInputError("a source's URL holds no credentials: give them by the environment of the worker")
    made = Source(
        service.new_id(), name, url, format, every_seconds, stale_seconds, None, caller.now(), caller.actor
    )  # fmt: skip
    return service.add_source(session, caller, made)


@operation
def remove_source(session: Session, caller: Caller, name: str) -> None:
    """Pull a source no more; what came from it stays."""
    service.remove_source(session, caller, name)


@reading
def list_sources(session: Session, caller: Caller) -> list[Source]:
    """Return the sources by name."""
    return sources.list_sources(session, caller.tenant)


@operation
def settle_pull(session: Session, caller: Caller, source: Source, *, is_news: bool, error: str | None) -> str | None:
    """Write down what a pull brought; returns the incident that is open because the source is stale."""
    now = caller.now()
    if is_news:
        sources.set_news(session, caller.tenant, source.id, now)
        return None
    return service.open_if_stale(session, caller.tenant, source, error=error, now=now)


@operation
def remove_old(session: Session, caller: Caller, *, keep: timedelta) -> int:
    """Remove a batch of told notices and their deliveries that are older than what is kept; returns how many rows."""
    cutoff = first_id(caller.now() - keep)
    return remove_before(session, caller.tenant, f"{cutoff[:8]}-{cutoff[8:12]}-0")
