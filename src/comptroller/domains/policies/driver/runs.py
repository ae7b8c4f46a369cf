"""SQL of runs."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, case, func, insert, select, update

from comptroller.enums import RunState
from comptroller.models.killswitch import KillSwitch
from comptroller.models.ledger import Entry, OpenHold
from comptroller.models.ledger import Route as RouteRow
from comptroller.models.runs import Run as RunRow
from comptroller.types.runs import Run
from comptroller.types.spend import EndRun, StartRun

_RUNS = RunRow.__table__
_KILLS = KillSwitch.__table__
_ENTRIES = Entry.__table__
_ROUTES = RouteRow.__table__
_OPEN = OpenHold.__table__


def find_ceilings(conn: Connection, tenant: str, run_id: str) -> Mapping[str, int]:
    """Return a run's own limits, in quanta of each unit; empty for a run that is not ours."""
    found = select(_RUNS.c.ceilings).where(_RUNS.c.tenant_id == tenant, _RUNS.c.id == run_id)
    return conn.execute(found).scalar() or {}


def find_run(conn: Connection, tenant: str, run_id: str) -> Run | None:
    """Return a run of the tenant's."""
    row = conn.execute(select(_RUNS).where(_RUNS.c.tenant_id == tenant, _RUNS.c.id == run_id)).first()
    return None if row is None else as_run(row)


def list_runs(conn: Connection, tenant: str, *, state: RunState | None, before: str | None, count: int) -> list[Run]:
    """Return runs, the newest first; ``before`` is the id of the last one seen."""
    found = select(_RUNS).where(_RUNS.c.tenant_id == tenant)
    if state is not None:
        found = found.where(_RUNS.c.state == state)
    if before is not None:
        found = found.where(_RUNS.c.id < before)
    return [as_run(row) for row in conn.execute(found.order_by(_RUNS.c.id.desc()).limit(count))]


def insert_runs(conn: Connection, tenant: str, begun: Sequence[tuple[StartRun, bool]], now: datetime) -> None:
    """Store runs that start; the flag says whether a hold counts them."""
    rows = [
        {
            "tenant_id": tenant,
            "id": action.run_id,
            "dimensions": dict(action.scope.dimensions),
            "state": RunState.RUNNING.value,
            "started_at": now,
            "heartbeat_at": now,
            "ceilings": dict(action.ceilings),
            "iterations": 0,
            "hold_id": action.hold_id if is_held else None,
        }
        for action, is_held in begun
    ]
    conn.execute(insert(RunRow), rows)


def finish_runs(conn: Connection, tenant: str, finished: Sequence[EndRun], now: datetime) -> None:
    """Store that runs ended; who halted one before has the last word on how."""
    is_running = _RUNS.c.state == RunState.RUNNING.value
    change = (
        update(RunRow)
        .where(_RUNS.c.tenant_id == tenant, _RUNS.c.id == bindparam("run"))
        .values(
            state=case((is_running, bindparam("new_state")), else_=_RUNS.c.state),
            end_reason=case((is_running, bindparam("why")), else_=_RUNS.c.end_reason),
            ended_at=func.coalesce(_RUNS.c.ended_at, now),
            iterations=bindparam("steps"),
            hold_id=None,
        )
    )
    rows = [
        {"run": each.run_id, "new_state": each.state.value, "why": each.why or None, "steps": each.iterations}
        for each in finished
    ]
    conn.execute(change, rows)
    # A halted run is killed by its id; with the run that kill is over.
    kills = [json.dumps({"run": each.run_id}, separators=(",", ":")) for each in finished]
    over = (_KILLS.c.tenant_id == tenant) & _KILLS.c.lifted_at.is_(None) & _KILLS.c.scope_key.in_(kills)
    values = {"lifted_at": now, "lifted_by": "system", "lift_reason": "the run has ended"}
    conn.execute(update(KillSwitch).where(over).values(**values))


def set_state(conn: Connection, tenant: str, run_id: str, state: RunState, why: str) -> bool:
    """Give a running run another state; False if it runs no more."""
    change = update(RunRow).where(
        _RUNS.c.tenant_id == tenant, _RUNS.c.id == run_id, _RUNS.c.state == RunState.RUNNING.value
    )
    return conn.execute(change.values(state=state.value, end_reason=why)).rowcount == 1


def beat(conn: Connection, tenant: str, run_id: str, iterations: int, now: datetime) -> None:
    """Store that a run is alive."""
    key = (_RUNS.c.tenant_id == tenant) & (_RUNS.c.id == run_id)
    conn.execute(update(RunRow).where(key).values(heartbeat_at=now, iterations=iterations))


def silent_runs(conn: Connection, tenant: str, since: datetime, count: int) -> list[EndRun]:
    """Return the ends of runs that have not been heard of since an instant and hold nothing that is still open."""
    holding = (
        select(_ROUTES.c.run_id)
        .join(_ENTRIES, (_ENTRIES.c.tenant_id == _ROUTES.c.tenant_id) & (_ENTRIES.c.route_id == _ROUTES.c.id))
        .join(_OPEN, (_OPEN.c.tenant_id == _ENTRIES.c.tenant_id) & (_OPEN.c.id == _ENTRIES.c.hold_id))
        .where(_OPEN.c.tenant_id == tenant, _OPEN.c.expires_at > since, _ROUTES.c.run_id == _RUNS.c.id)
    )
    silent = select(_RUNS.c.id, _RUNS.c.hold_id, _RUNS.c.iterations).where(
        _RUNS.c.tenant_id == tenant, _RUNS.c.ended_at.is_(None), _RUNS.c.heartbeat_at < since, ~holding.exists()
    )
    return [
        EndRun(str(row.hold_id or "").replace("-", ""), row.id, RunState.LOST, "no heartbeat", row.iterations)
        for row in conn.execute(silent.order_by(_RUNS.c.id).limit(count))
    ]


def as_run(row: Row[Any]) -> Run:
    """Return a row as callers get it."""
    return Run(
        id=row.id,
        dimensions=row.dimensions,
        state=RunState(row.state),
        started_at=row.started_at,
        heartbeat_at=row.heartbeat_at,
        ended_at=row.ended_at,
        end_reason=row.end_reason,
        iterations=row.iterations,
    )


def find_hold(conn: Connection, tenant: str, run_id: str) -> str:
    """Return the hold by which a run counts against limits on runs; empty where it has none."""
    found = select(_RUNS.c.hold_id).where(_RUNS.c.tenant_id == tenant, _RUNS.c.id == run_id)
    return str(conn.execute(found).scalar() or "").replace("-", "")
