"""Use cases of looking at breaches; they are written by refusals and crossings alone."""

from typing import Final

from sqlalchemy.orm import Session

from comptroller.checks import required_id
from comptroller.domains.policies.driver import breach_list as driver
from comptroller.errors import InvalidInputError, NotFoundError
from comptroller.spine.orchestrator.operation import reading
from comptroller.spine.services.limits import get_limit
from comptroller.types.breaches import Breach
from comptroller.types.caller import Caller

PAGE_MAX: Final = 1000


@reading
def list_breaches(
    session: Session, caller: Caller, *, limit: str | None = None, before: str | None = None, count: int = 100
) -> list[Breach]:
    """Return breaches, the newest first, at most 1,000 at once; of one limit by name or id.

    Args:
        session: The transaction.
        caller: Whose breaches.
        limit: Only of this limit, which may also be a built-in one's id.
        before: The id of the last one seen.
        count: At most so many.
    """
    if not 0 < count <= PAGE_MAX:
        raise InvalidInputError(f"count must be between 1 and {PAGE_MAX}: {count}")
    limit_id = limit if limit is None or limit.startswith("builtin:") else get_limit(session, caller, limit).id
    last = None if before is None else _get(session, caller, before)
    return driver.list_breaches(session, caller.tenant, limit_id=limit_id, before=last, count=count)


@reading
def get_breach(session: Session, caller: Caller, breach_id: str) -> Breach:
    """Return one breach; an unknown id raises NotFoundError."""
    return _get(session, caller, required_id("breach_id", breach_id))


def _get(session: Session, caller: Caller, breach_id: str) -> Breach:
    found = driver.find_breach(session, caller.tenant, breach_id)
    if found is None:
        raise NotFoundError(f"breach {breach_id!r} does not exist for this tenant")
    return found
