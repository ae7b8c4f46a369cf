"""Use cases of limits."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from comptroller.checks import required_id
from comptroller.domains.policies.driver import limits as driver
from comptroller.domains.policies.engine import rules
from comptroller.domains.policies.engine.replay import replay
from comptroller.errors import InvalidInputError
from comptroller.money import Money
from comptroller.spine.orchestrator.operation import operation, reading
from comptroller.spine.services import limit_file
from comptroller.spine.services import limits as service
from comptroller.types.caller import Caller
from comptroller.types.limit_file import PastCall, PlannedChange, Replayed
from comptroller.types.limits import Limit, LimitChange, Override

PAGE_MAX = 1000
OVERRIDE_MAX = timedelta(days=366)  # what lasts longer is no override but a change of the limit


@operation
def create_limit(
    session: Session,
    caller: Caller,
    name: str,
    *,
    ceiling: str | Money,
    every: str | None = None,
    timezone: str = "UTC",
    where: Mapping[str, str] | None = None,
    per: Sequence[str] = (),
    require: Sequence[str] = (),
    mode: str = "block",
    warn_at: Sequence[str | Money] = (),
    opens_incident: bool = False,
    effective_from: datetime | None = None,
    effective_until: datetime | None = None,
    why: str | None = None,
) -> Limit:
    """Create a limit; a wrong value raises InvalidInputError, a name that is in force ConflictError."""
    draft = rules.draft_limit(
        name=name,
        ceiling=ceiling,
        every=every,
        timezone=timezone,
        where=where or {},
        per=per,
        require=require,
        mode=mode,
        warn_at=warn_at,
        opens_incident=opens_incident,
        effective_from=effective_from,
        effective_until=effective_until,
    )
    return service.create(session, caller, draft, rules.reason(why), now=caller.now())


@operation
def update_limit(
    session: Session,
    caller: Caller,
    limit: str,
    *,
    name: str | None = None,
    ceiling: str | Money | None = None,
    where: Mapping[str, str] | None = None,
    require: Sequence[str] | None = None,
    mode: str | None = None,
    warn_at: Sequence[str | Money] | None = None,
    opens_incident: bool | None = None,
    effective_from: datetime | None = None,
    effective_until: datetime | None = None,
    why: str | None = None,
) -> Limit:
    """Change a limit by name or id; what is left out stays. Unit, window and ``per`` never change: create another."""
    said = {
        "name": name,
        "ceiling": ceiling,
        "where": where,
        "require": require,
        "mode": mode,
        "warn_at": warn_at,
        "opens_incident": opens_incident,
        "effective_from": effective_from,
        "effective_until": effective_until,
    }
    changes = {key: value for key, value in said.items() if value is not None}
    return service.update(session, caller, required_id("limit", limit), changes, rules.reason(why), now=caller.now())


@operation
def archive_limit(session: Session, caller: Caller, limit: str, *, why: str | None = None) -> Limit:
    """Take a limit out of force, by name or id; its history stays, its name becomes free."""
    return service.archive(session, caller, required_id("limit", limit), rules.reason(why), now=caller.now())


@operation
def override_limit(
    session: Session,
    caller: Caller,
    limit: str,
    *,
    ceiling: str | Money,
    why: str,
    expires_at: datetime | None = None,
    seconds: int | None = None,
    starts_at: datetime | None = None,
) -> Override:
    """Change a limit's ceiling until an instant, or for some seconds; the reason is kept."""
    now = caller.now()
    start = rules.instant("starts_at", starts_at) or now
    end = _end(start, expires_at, seconds)
    if end <= now or not timedelta(0) < end - start <= OVERRIDE_MAX:
        raise InvalidInputError(f"an override must end after it starts, within {OVERRIDE_MAX.days} days: {end}")
    if not rules.reason(why):
        raise InvalidInputError("why must say who allowed the override and for what")
    unit = service.get_limit(session, caller, required_id("limit", limit)).ceiling.unit
    quanta = rules.ceiling_in(ceiling, unit)
    return service.override(
        session, caller, limit, ceiling=quanta, starts_at=start, expires_at=end, why=rules.reason(why), now=now
    )


@operation
def revoke_override(session: Session, caller: Caller, limit: str, override_id: str, *, why: str | None = None) -> None:
    """End an override before its time."""
    service.revoke_override(session, caller, limit, override_id, rules.reason(why), now=caller.now())


@operation
def require_limit(session: Session, caller: Caller, *, required: bool = True, why: str | None = None) -> None:
    """Refuse every spend to which no limit applies, or admit it again as ungoverned."""
    service.require_limit(session, caller, rules.reason(why), required=required, now=caller.now())


@reading
def get_limit(session: Session, caller: Caller, limit: str) -> Limit:
    """Return a limit by name or id; an unknown one raises NotFoundError."""
    return service.get_limit(session, caller, required_id("limit", limit))


@reading
def list_limits(
    session: Session, caller: Caller, *, archived: bool = False, after: str | None = None, count: int = PAGE_MAX
) -> list[Limit]:
    """Return limits by name, at most 1,000 at once; ``after`` is the last name seen."""
    if not 0 < count <= PAGE_MAX:
        raise InvalidInputError(f"count must be between 1 and {PAGE_MAX}: {count}")
    return driver.list_limits(session, caller.tenant, archived=archived, after=after, count=count)


@reading
def limit_history(session: Session, caller: Caller, limit: str) -> list[LimitChange]:
    """Return a limit's versions: who, when, what, why."""
    found = service.get_limit(session, caller, required_id("limit", limit))
    return driver.list_versions(session, caller.tenant, found.id)


@reading
def list_overrides(session: Session, caller: Caller, limit: str | None = None) -> list[Override]:
    """Return the overrides that are in force or will be."""
    found = None if limit is None else service.get_limit(session, caller, limit).id
    return driver.list_overrides(session, caller.tenant, limit_id=found, since=caller.now())


@reading
def plan_limits(session: Session, caller: Caller, said: object, *, prune: bool = False) -> list[PlannedChange]:
    """Return what applying a file of limits would change; nothing is written."""
    return limit_file.plan(session, caller, limit_file.drafts_of(said), prune=prune)


@operation
def apply_limits(
    session: Session, caller: Caller, said: object, *, prune: bool = False, why: str | None = None
) -> list[PlannedChange]:
    """Make the limits in force those of a file, all of them or none; others are archived only where asked."""
    drafts = limit_file.drafts_of(said)
    return limit_file.apply(session, caller, drafts, rules.reason(why), prune=prune, now=caller.now())


def replay_limits(said: object, calls: Iterable[PastCall]) -> Replayed:
    """Return which past calls a file of limits would have refused, and the money that saves; needs no database."""
    return replay(limit_file.drafts_of(said), calls)


def _end(start: datetime, expires_at: datetime | None, seconds: int | None) -> datetime:
    if (expires_at is None) == (seconds is None):
        raise InvalidInputError("an override needs either expires_at or seconds")
    if seconds is not None:
        if isinstance(seconds, bool) or not isinstance(seconds, int) or seconds <= 0:
            raise InvalidInputError(f"seconds must be a positive int: {seconds!r}")
        return start + timedelta(seconds=min(seconds, 2 * int(OVERRIDE_MAX.total_seconds())))
    end = rules.instant("expires_at", expires_at)
    assert end is not None  # noqa: S101 — narrows the type; absence is handled above
    return end
