"""Use cases of looking: explain a subject or a past decision."""

from sqlalchemy.orm import Session

from comptroller.checks import required_id
from comptroller.domains.policies.driver.derive import unbalanced
from comptroller.domains.policies.engine.dimensions import name, pairs
from comptroller.errors import InvalidInputError
from comptroller.spine.orchestrator.operation import reading
from comptroller.spine.services import pace
from comptroller.spine.services import see as service
from comptroller.spine.services.doctor import complaints
from comptroller.types.caller import Caller
from comptroller.types.sight import Complaint, Explanation, Forecast, HoldExplanation, TopRow, Unbalanced

TOP_MAX = 200


@reading
def explain(session: Session, caller: Caller, /, **dimensions: str) -> Explanation:
    """Return every limit that would apply to a spend of these dimensions: its window, spent, held, left, and why."""
    return service.explain(session, caller, pairs("dimensions", dimensions))


@reading
def explain_hold(session: Session, caller: Caller, hold_id: str) -> HoldExplanation:
    """Return a past decision: what was held, how it ended, against which limits, at which price."""
    return service.explain_hold(session, caller, required_id("hold_id", hold_id))


@reading
def unbalanced_ledger(session: Session, caller: Caller) -> list[Unbalanced]:
    """Return the balances that are not what their entries say; there must be none."""
    return unbalanced(session.connection(), caller.tenant)


@reading
def forecast(session: Session, caller: Caller, /, **dimensions: str) -> list[Forecast]:
    """Return when each balance of a subject will run out at its present pace, with a band, the soonest first."""
    return pace.forecast(session, caller, pairs("dimensions", dimensions))


@reading
def top(session: Session, caller: Caller, *, by: str = "team", count: int = 20) -> list[TopRow]:
    """Return who spends what per hour now, what they hold, what is left to them, and how often they were refused."""
    if not 0 < count <= TOP_MAX:
        raise InvalidInputError(f"count must be between 1 and {TOP_MAX}: {count}")
    return pace.top(session, caller, name(by), count)


@reading
def doctor(session: Session, caller: Caller) -> list[Complaint]:
    """Return what keeps limits from meaning what they say; nothing grave means that they hold."""
    return complaints(session, caller)
