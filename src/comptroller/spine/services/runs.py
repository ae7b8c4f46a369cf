"""Runs: halted by people, lost when nobody hears of them, exhausted by limits of their own."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from comptroller.domains.audit.driver import write_entry
from comptroller.domains.policies.driver import kills
from comptroller.domains.policies.driver import runs as driver
from comptroller.domains.policies.driver.limits import raise_version
from comptroller.domains.policies.driver.policy import read_kills
from comptroller.domains.policies.engine.admission import Finding
from comptroller.domains.policies.engine.dimensions import RUN
from comptroller.domains.policies.engine.page import Page
from comptroller.domains.policies.engine.policy import RUN_LIMIT, matches
from comptroller.domains.policies.engine.windows import EPOCH
from comptroller.enums import BreachType, RunState
from comptroller.errors import ConflictError, NotFoundError
from comptroller.ids import uuid7
from comptroller.spine.services.crossings import record_findings
from comptroller.types.caller import Caller
from comptroller.types.runs import HaltReason, Run, Verdict
from comptroller.types.spend import OverLimit

LOST_AFTER: Final = timedelta(minutes=15)  # many heartbeats, and longer than a model call


def get_run(session: Session, caller: Caller, run_id: str) -> Run:
    """Return a run.

    Raises:
        NotFoundError: If the tenant has no such run.
    """
    found = driver.find_run(session.connection(), caller.tenant, run_id)
    if found is None:
        raise NotFoundError(f"run {run_id!r} does not exist for this tenant")
    return found


def halt(session: Session, caller: Caller, run_id: str, why: str, *, now: datetime) -> Run:
    """Stop a run: no reserve of it is admitted from this commit on.

    Raises:
        ConflictError: If it runs no more.
    """
    raise_version(session, caller.tenant, now)
    run = get_run(session, caller, run_id)
    conn = session.connection()
    if run.state is RunState.HALTED:
        return run
    if not driver.set_state(conn, caller.tenant, run_id, RunState.HALTED, why):
        raise ConflictError(f"run {run_id} has ended already: {run.state}")
    values = {"reason": why or "run halted", "created_by": caller.actor, "created_at": now, "expires_at": None}
    kills.insert_kill(conn, caller.tenant, uuid7(), ((RUN, run_id),), values)
    write_entry(session, caller, action="run.halted", object_type="run", object_id=run_id, detail={"why": why}, now=now)
    return get_run(session, caller, run_id)


def verdict(session: Session, caller: Caller, run_id: str, *, now: datetime) -> Verdict:
    """Return whether a run may go on."""
    conn = session.connection()
    run = get_run(session, caller, run_id)
    if run.state is RunState.HALTED:
        return Verdict(HaltReason.HALTED, run.end_reason or "")
    if run.state is RunState.LIMIT_EXHAUSTED:
        return Verdict(HaltReason.LIMIT_EXHAUSTED, run.end_reason or "")
    if run.state is not RunState.RUNNING:
        return Verdict(HaltReason.ENDED, f"it is {run.state}")
    described = {**run.dimensions, RUN: run_id}
    for kill in read_kills(conn, caller.tenant, now):
        if matches(kill.scope, described):
            return Verdict(HaltReason.KILLED, kill.reason)
    return Verdict()


def exhaust(session: Session, caller: Caller, run_id: str, reason: str, *, now: datetime) -> str:
    """Record that a run used up its time or its iterations, and return the breach's id."""
    over = OverLimit(RUN_LIMIT, f"limits of run {run_id}", BreachType.EXHAUSTED, reason)
    page = Page({})
    key = page.find(Finding(over, run_id, EPOCH, run_id, opens_incident=False))
    ids = record_findings(session, caller.tenant, page.findings, now=now)
    driver.set_state(session.connection(), caller.tenant, run_id, RunState.LIMIT_EXHAUSTED, reason)
    return ids[key]
