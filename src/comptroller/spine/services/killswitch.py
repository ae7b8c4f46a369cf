"""Shut a scope and open it again, under the lock that every admission shares."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from comptroller.domains.audit.driver import write_entry
from comptroller.domains.incidents.driver.changing import add_event
from comptroller.domains.incidents.driver.reading import find_incident
from comptroller.domains.policies.driver import kills as driver
from comptroller.domains.policies.driver.limits import raise_version
from comptroller.domains.policies.engine.dimensions import Pairs
from comptroller.errors import NotFoundError
from comptroller.ids import uuid7
from comptroller.types.caller import Caller
from comptroller.types.runs import Kill


def kill(
    session: Session,
    caller: Caller,
    scope: Pairs,
    why: str,
    *,
    seconds: int | None,
    incident_id: str | None,
    now: datetime,
) -> Kill:
    """Shut a scope: from this commit on no reserve in it is admitted."""
    raise_version(session, caller.tenant, now)
    kill_id = uuid7()
    values = {
        "reason": why,
        "created_by": caller.actor,
        "created_at": now,
        "expires_at": None if seconds is None else now + timedelta(seconds=seconds),
    }
    conn = session.connection()
    driver.insert_kill(conn, caller.tenant, kill_id, scope, values)
    made = Kill(kill_id, dict(scope), why, caller.actor, now, values["expires_at"])  # type: ignore[arg-type]  # of one mapping
    driver.queue_notice(conn, caller.tenant, "kill.engaged", made, now)
    _tell(session, caller, "killed", made, {"why": why, "seconds": seconds}, incident_id=incident_id, now=now)
    return what_it_stops(session, caller, made, now=now)


def what_it_stops(session: Session, caller: Caller, kill: Kill, *, now: datetime) -> Kill:
    """Return a kill with the runs and the money per hour that it stops, and the line that undoes it."""
    scope = tuple(sorted(kill.where.items()))
    conn = session.connection()
    words = " ".join(f"{name}={value}" for name, value in scope)
    return replace(
        kill,
        runs=tuple(driver.stopped_runs(conn, caller.tenant, scope)),
        money_per_hour=driver.money_per_hour(conn, caller.tenant, scope, now),
        undo=f"comptroller lift{' --where ' + words if words else ''} --tenant {caller.tenant}",
    )


def lift(
    session: Session, caller: Caller, scope: Pairs, why: str, *, incident_id: str | None, now: datetime
) -> list[Kill]:
    """Open a scope again.

    Raises:
        NotFoundError: If no kill of exactly this scope is on.
    """
    raise_version(session, caller.tenant, now)
    conn = session.connection()
    values = {"lifted_at": now, "lifted_by": caller.actor, "lift_reason": why}
    lifted = driver.lift_kills(conn, caller.tenant, [driver.scope_key(scope)], values)
    if not lifted:
        raise NotFoundError(f"no kill of {dict(scope)} is on for this tenant")
    for each in lifted:
        driver.queue_notice(conn, caller.tenant, "kill.lifted", replace(each, why=why, created_by=caller.actor), now)
        _tell(session, caller, "lifted", each, {"why": why}, incident_id=incident_id, now=now)
    return lifted


def _tell(
    session: Session,
    caller: Caller,
    step: str,
    kill: Kill,
    detail: dict[str, Any],
    *,
    incident_id: str | None,
    now: datetime,
) -> None:
    said = {"where": dict(kill.where), "kill_id": kill.id, **detail}
    write_entry(session, caller, action=f"scope.{step}", object_type="kill", object_id=kill.id, detail=said, now=now)
    if incident_id is None:
        return
    if find_incident(session, caller.tenant, incident_id, lock=True) is None:
        raise NotFoundError(f"incident {incident_id!r} does not exist for this tenant")
    add_event(session, caller.tenant, incident_id, kind=step, actor=caller.actor, detail=said, now=now)
