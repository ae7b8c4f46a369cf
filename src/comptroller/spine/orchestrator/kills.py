"""Use cases of the kill switch."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from comptroller.domains.policies.driver import kills as driver
from comptroller.domains.policies.driver.policy import read_version
from comptroller.domains.policies.engine import dimensions, rules
from comptroller.errors import InvalidInputError
from comptroller.spine.orchestrator.operation import operation, reading
from comptroller.spine.services import killswitch as service
from comptroller.types.caller import Caller
from comptroller.types.runs import Kill

PAGE_MAX = 1000
SECONDS_MAX = 10 * 366 * 86_400


@operation
def kill(
    session: Session,
    caller: Caller,
    *,
    where: Mapping[str, str],
    why: str,
    seconds: int | None = None,
    incident_id: str | None = None,
) -> Kill:
    """Shut a scope until it is lifted, or for some seconds; an empty ``where`` is the whole tenant."""
    return service.kill(
        session,
        caller,
        dimensions.pairs("where", where),
        _why(why),
        seconds=_seconds(seconds),
        incident_id=incident_id,
        now=caller.now(),
    )


@reading
def preview_kill(session: Session, caller: Caller, *, where: Mapping[str, str]) -> Kill:
    """Return which runs and how much money per hour a kill would stop; nothing is written."""
    scope, now = dimensions.pairs("where", where), caller.now()
    return service.what_it_stops(session, caller, Kill("", dict(scope), "", caller.actor, now, None), now=now)


@operation
def lift(
    session: Session,
    caller: Caller,
    *,
    where: Mapping[str, str],
    why: str | None = None,
    incident_id: str | None = None,
) -> list[Kill]:
    """Open a scope again; if no kill of exactly this scope is on, it raises NotFoundError."""
    scope = dimensions.pairs("where", where)
    return service.lift(session, caller, scope, rules.reason(why), incident_id=incident_id, now=caller.now())


@reading
def list_kills(session: Session, caller: Caller, *, history: bool = False, count: int = PAGE_MAX) -> list[Kill]:
    """Return the kills that are on, the newest first, or all there ever were."""
    return driver.list_kills(session.connection(), caller.tenant, caller.now(), history=history, count=count)


@reading
def policy_version(session: Session, caller: Caller) -> int:
    """Return the number that every change of limits and every kill raises."""
    return read_version(session.connection(), caller.tenant)


def _why(why: object) -> str:
    text = rules.reason(why)
    if not text:
        raise InvalidInputError("why must say what the kill is for: the person who finds it must know")
    return text


def _seconds(seconds: object) -> int | None:
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 < seconds <= SECONDS_MAX:
        raise InvalidInputError(f"seconds must be a positive int of at most ten years: {seconds!r}")
    return seconds
