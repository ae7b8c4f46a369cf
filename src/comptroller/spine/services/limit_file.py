"""Limits as a file: what it changes, in one transaction or not at all."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from comptroller.domains.policies.driver import limits as driver
from comptroller.domains.policies.engine.rules import LimitDraft, draft_limit
from comptroller.errors import InvalidInputError
from comptroller.spine.services import limits as service
from comptroller.types.caller import Caller
from comptroller.types.limit_file import PlannedChange, PlannedStep
from comptroller.types.limits import Limit

_DEFAULTS: Final[Mapping[str, Any]] = {
    "every": None,
    "timezone": "UTC",
    "where": {},
    "per": (),
    "require": (),
    "mode": "block",
    "warn_at": (),
    "opens_incident": False,
    "effective_from": None,
    "effective_until": None,
}
_FIXED: Final = ("every", "timezone", "per")
_PAGE: Final = 1000


def drafts_of(said: object) -> list[LimitDraft]:
    """Return the checked limits of a file that was read.

    Raises:
        InvalidInputError: If it is no list of limits, a word is unknown, a value wrong, or a name there twice.
    """
    tables = said.get("limit") if isinstance(said, Mapping) else None
    if not isinstance(tables, list) or not all(isinstance(each, Mapping) for each in tables):
        raise InvalidInputError("a file of limits is a list of [[limit]] tables, each with name and ceiling")
    drafts = [_draft(each) for each in tables]
    names = [draft.name for draft in drafts]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidInputError(f"limit {twice[0]!r} stands in the file twice")
    return drafts


def plan(session: Session, caller: Caller, drafts: Sequence[LimitDraft], *, prune: bool) -> list[PlannedChange]:
    """Return what applying the file would change."""
    present = {limit.name: driver.as_draft(limit) for limit in _all(session, caller.tenant)}
    planned = []
    for draft in drafts:
        before = present.pop(draft.name, None)
        changes = dict(_changes(before, draft))
        step = PlannedStep.CREATE if before is None else PlannedStep.UPDATE if changes else PlannedStep.KEEP
        planned.append(PlannedChange(draft.name, step, changes))
    planned += [PlannedChange(name, PlannedStep.ARCHIVE, {}) for name in sorted(present) if prune]
    return planned


def apply(
    session: Session,
    caller: Caller,
    drafts: Sequence[LimitDraft],
    why: str,
    *,
    prune: bool,
    now: datetime,
) -> list[PlannedChange]:
    """Make the limits in force those of the file; a limit whose unit, window or subject changes is made anew."""
    driver.raise_version(session, caller.tenant, now)
    planned = plan(session, caller, drafts, prune=prune)
    for change, draft in zip(planned, [*drafts, *[None] * (len(planned) - len(drafts))], strict=True):
        if change.step is PlannedStep.ARCHIVE or draft is None:
            service.archive(session, caller, change.name, why, now=now)
        elif change.step is PlannedStep.CREATE:
            service.create(session, caller, draft, why, now=now)
        elif change.step is PlannedStep.UPDATE:
            before = service.get_limit(session, caller, change.name)
            if _is_other(before, draft):
                service.archive(session, caller, before.id, why, now=now)
                service.create(session, caller, draft, why, now=now)
            else:
                service.replace(session, caller, before, draft, why, now=now)
    return planned


def _draft(said: Mapping[str, Any]) -> LimitDraft:
    unknown = set(said) - set(_DEFAULTS) - {"name", "ceiling"}
    if unknown:
        raise InvalidInputError(f"a limit has no {min(unknown)}: it has name, ceiling, {', '.join(_DEFAULTS)}")
    missing = {"name", "ceiling"} - set(said)
    if missing:
        raise InvalidInputError(f"limit {said.get('name', '?')!r} has no {min(missing)}")
    return draft_limit(**{**_DEFAULTS, **said})


def _changes(before: LimitDraft | None, draft: LimitDraft) -> Iterator[tuple[str, tuple[Any, Any]]]:
    old = {} if before is None else driver.content(before)
    for name, value in driver.content(draft).items():
        if old.get(name) != value:
            yield name, (old.get(name), value)


def _is_other(before: Limit, draft: LimitDraft) -> bool:
    old = driver.as_draft(before)
    return old.unit != draft.unit or any(getattr(old, name) != getattr(draft, name) for name in _FIXED)


def _all(session: Session, tenant: str) -> list[Limit]:
    found: list[Limit] = []
    while True:
        after = found[-1].name if found else None
        page = driver.list_limits(session, tenant, archived=False, after=after, count=_PAGE)
        found += page
        if len(page) < _PAGE:
            return found
