"""What a server has to look up for runs whose workers are elsewhere."""

from sqlalchemy.orm import Session

from comptroller.checks import required_id
from comptroller.domains.policies.driver import runs as driver
from comptroller.spine.orchestrator.operation import reading
from comptroller.spine.services.runs import get_run
from comptroller.types.caller import Caller
from comptroller.types.spend import RunScope


@reading
def find_run_scope(session: Session, caller: Caller, run_id: str) -> tuple[tuple[tuple[str, str], ...], RunScope]:
    """Return a run's dimensions and its own limits; an unknown id raises NotFoundError."""
    run = get_run(session, caller, required_id("run_id", run_id))
    ceilings = driver.find_ceilings(session.connection(), caller.tenant, run_id)
    own = tuple((unit, int(quanta)) for unit, quanta in ceilings.items() if unit not in {"seconds", "iterations"})
    return tuple(sorted(run.dimensions.items())), RunScope(run_id, own)


@reading
def find_run_hold(session: Session, caller: Caller, run_id: str) -> str:
    """Return the hold by which a run counts against limits on runs; empty where it has none."""
    get_run(session, caller, required_id("run_id", run_id))
    return driver.find_hold(session.connection(), caller.tenant, run_id)
