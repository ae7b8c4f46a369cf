"""Use cases of spending: a group of one tenant's reserves and ends, and what expires."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from comptroller.domains.policies.driver.holds import expired_holds
from comptroller.domains.policies.driver.ledger import AlteredError
from comptroller.enums import EntryKind
from comptroller.spine.drivers.cross_domain import record_limit_breach_sync
from comptroller.spine.orchestrator.operation import operation
from comptroller.spine.services import ledger
from comptroller.spine.services.policy_book import PolicyBook
from comptroller.types.caller import Caller
from comptroller.types.spend import Action, Charge, End, Ended, Invalid, Outcome

EXPIRED_MAX = 1000  # ends in one transaction, so that a sweep never holds a tenant's balances for long
_AS_HELD = (-1, -1, -1, 0)

__all__ = ["AlteredError", "PolicyBook", "act", "act_again", "charge", "expire_holds", "record_breach"]


@operation
def act(session: Session, caller: Caller, book: PolicyBook, actions: Sequence[Action]) -> Outcome:
    """Admit, settle, release, expire and extend, in the order of arrival, in one transaction."""
    return ledger.act(session, caller, book, actions)


@operation
def act_again(session: Session, caller: Caller, book: PolicyBook, action: Action) -> Outcome:
    """Take one action whose earlier outcome is unknown: what is on record already is answered, not repeated."""
    return ledger.act(session, caller, book, [action], careful=True)


@operation
def expire_holds(session: Session, caller: Caller, book: PolicyBook) -> int:
    """End the tenant's holds whose life is over and return how many there were, at most 1,000.

    What was held is charged as an estimate; a hold under which nothing was sent is released.
    """
    over = expired_holds(session.connection(), caller.tenant, caller.now(), EXPIRED_MAX)
    ends = [
        End(hold_id, EntryKind.RELEASE if unsent else EntryKind.EXPIRE, _AS_HELD, is_estimated=not unsent)
        for hold_id, unsent in over
    ]
    if ends:
        ledger.act(session, caller, book, ends)
    return len(ends)


@operation
def charge(session: Session, caller: Caller, action: Charge) -> Ended:
    """Book what is gone already; an error of its own is raised."""
    answer = ledger.act(session, caller, PolicyBook(), [action], careful=True).answers[0]
    if isinstance(answer, Invalid):
        raise answer.error
    ended: Ended = answer
    return ended


@operation
def record_breach(
    session: Session,
    caller: Caller,
    limit: str,
    *,
    breach_type: str,
    value_at_breach: Decimal,
    limit_value: Decimal,
    run_id: str | None = None,
    incident_id: str | None = None,
    details: dict[str, Any] | None = None,
) -> str:
    """Record a crossing that the caller saw itself, and return the breach's id."""
    return record_limit_breach_sync(
        session,
        tenant_id=caller.tenant,
        limit_id=limit,
        breach_type=breach_type,
        value_at_breach=value_at_breach,
        limit_value=limit_value,
        run_id=run_id,
        incident_id=incident_id,
        details=details,
    )
