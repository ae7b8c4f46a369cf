"""Use cases of looking: explain a subject or a past decision."""

from sqlalchemy.orm import Session

from comptroller.checks import required_id
from comptroller.domains.policies.driver.derive import unbalanced
from comptroller.domains.policies.engine.dimensions import pairs
from comptroller.spine.orchestrator.operation import reading
from comptroller.spine.services import see as service
from comptroller.types.caller import Caller
from comptroller.types.sight import Explanation, HoldExplanation, Unbalanced


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
