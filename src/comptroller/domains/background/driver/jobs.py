"""Claim jobs, each for one worker at a time, and write down how they went."""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from comptroller.models.background import Job as JobRow
from comptroller.types.background import Job

_ROWS: Any = JobRow.__table__
ERROR_MAX: Final = 500


def claim_job(
    session: Session, tenant: str, name: str, *, worker: str, until: datetime, news: str | None, now: datetime
) -> bool:
    """Claim a job if it is due, or if there is other news than it has seen, and nobody is at it."""
    _make(session, tenant, name, now)
    free = or_(_ROWS.c.claimed_until.is_(None), _ROWS.c.claimed_until <= now)
    is_due = _ROWS.c.due_at <= now
    if news is not None:
        is_due = or_(is_due, func.coalesce(_ROWS.c.seen, "") != news)
    values = {"claimed_by": worker, "claimed_until": until, "started_at": now, "seen": news}
    claimed = (
        update(JobRow)
        .where(_ROWS.c.tenant_id == tenant, _ROWS.c.name == name, free, is_due)
        .values(**values)
        .returning(_ROWS.c.name)
    )
    return session.execute(claimed).first() is not None


def finish_job(
    session: Session, tenant: str, name: str, *, worker: str, took: timedelta, error: str | None, due_at: datetime,
    now: datetime,
) -> None:  # fmt: skip
    """Write down how a job went; what another worker has claimed since is left to it."""
    key = (_ROWS.c.tenant_id == tenant) & (_ROWS.c.name == name) & (_ROWS.c.claimed_by == worker)
    values: dict[str, Any] = {
        "claimed_by": None, "claimed_until": None, "due_at": due_at, "took_ms": int(took.total_seconds() * 1000),
        "last_error": None if error is None else error[:ERROR_MAX],
    }  # fmt: skip
    values |= {"failures": 0, "succeeded_at": now} if error is None else {"failures": _ROWS.c.failures + 1}
    session.execute(update(JobRow).where(key).values(**values))


def list_jobs(session: Session, tenant: str) -> list[Job]:
    """Return a tenant's jobs by name."""
    found = select(_ROWS).where(_ROWS.c.tenant_id == tenant).order_by(_ROWS.c.name)
    return [_as_job(row) for row in session.execute(found)]


def _make(session: Session, tenant: str, name: str, now: datetime) -> None:
    known = select(_ROWS.c.name).where(_ROWS.c.tenant_id == tenant, _ROWS.c.name == name)
    if session.execute(known).first() is not None:
        return
    insert: Any = postgresql.insert if session.connection().dialect.name == "postgresql" else sqlite.insert
    row = {"tenant_id": tenant, "name": name, "due_at": now, "took_ms": 0, "failures": 0}
    session.execute(insert(JobRow).values(row).on_conflict_do_nothing())


def _as_job(row: Row[Any]) -> Job:
    return Job(
        row.name, row.due_at, row.claimed_until, row.started_at, row.succeeded_at, row.took_ms, row.failures,
        row.last_error,
    )  # fmt: skip
