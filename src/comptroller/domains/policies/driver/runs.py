"""SQL of runs."""

from collections.abc import Mapping

from sqlalchemy import Connection, select

from comptroller.models.runs import Run

_RUNS = Run.__table__


def find_ceilings(conn: Connection, tenant: str, run_id: str) -> Mapping[str, int]:
    """Return a run's own limits, in quanta of each unit; empty for a run that is not ours."""
    found = select(_RUNS.c.ceilings).where(_RUNS.c.tenant_id == tenant, _RUNS.c.id == run_id)
    return conn.execute(found).scalar() or {}
