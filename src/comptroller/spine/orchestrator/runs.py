"""Use cases of runs; they start and end through the gate, grouped like every other call."""

from sqlalchemy.orm import Session

from comptroller.checks import required_id
from comptroller.domains.policies.driver import runs as driver
from comptroller.domains.policies.engine import rules
from comptroller.enums import RunState
from comptroller.errors import InvalidInputError
from comptroller.spine.orchestrator.operation import operation, reading
from comptroller.spine.services import ledger
from comptroller.spine.services import runs as service
from comptroller.spine.services.policy_book import PolicyBook
from comptroller.types.caller import Caller
from comptroller.types.runs import Run, Verdict

PAGE_MAX = 1000


@reading
def get_run(session: Session, caller: Caller, run_id: str) -> Run:
    """Return a run; an unknown id raises NotFoundError."""
    return service.get_run(session, caller, required_id("run_id", run_id))


@reading
def list_runs(
    session: Session, caller: Caller, *, state: str | None = None, before: str | None = None, count: int = 100
) -> list[Run]:
    """Return runs, the newest first, at most 1,000 at once; ``before`` is the id of the last one seen."""
    if not 0 < count <= PAGE_MAX:
        raise InvalidInputError(f"count must be between 1 and {PAGE_MAX}: {count}")
    return driver.list_runs(session.connection(), caller.tenant, state=_state(state), before=before, count=count)


@operation
def halt_run(session: Session, caller: Caller, run_id: str, *, why: str | None = None) -> Run:
    """Stop a run at its next checkpoint or reserve; a halted run stays halted."""
    return service.halt(session, caller, required_id("run_id", run_id), rules.reason(why), now=caller.now())


@reading
def run_verdict(session: Session, caller: Caller, run_id: str) -> Verdict:
    """Return whether a run may go on."""
    return service.verdict(session, caller, run_id, now=caller.now())


@operation
def beat(session: Session, caller: Caller, run_id: str, iterations: int) -> None:
    """Say that a run is alive."""
    driver.beat(session.connection(), caller.tenant, run_id, iterations, caller.now())


@operation
def exhaust_run(session: Session, caller: Caller, run_id: str, reason: str) -> str:
    """Record that a run used up its time or its iterations, and return the breach's id."""
    return service.exhaust(session, caller, run_id, reason, now=caller.now())


@operation
def end_lost_runs(session: Session, caller: Caller, book: PolicyBook) -> int:
    """End the tenant's runs that nobody has heard of for a quarter of an hour; return how many, at most 1,000."""
    since = caller.now() - service.LOST_AFTER
    silent = driver.silent_runs(session.connection(), caller.tenant, since, PAGE_MAX)
    if silent:
        ledger.act(session, caller, book, silent)
    return len(silent)


def _state(state: str | None) -> RunState | None:
    if state is None:
        return None
    try:
        return RunState(state)
    except ValueError as error:
        raise InvalidInputError(f"state {state!r} is unknown: use one of {', '.join(RunState)}") from error
