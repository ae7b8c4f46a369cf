"""Admission and settlement of a group of one tenant's calls, in one transaction.

Order of locks: policy (shared), balances in key order, then what is written: entries, breaches, outbox.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.orm import Session

from comptroller.domains.policies.driver.holds import HoldRecord, find_holds, find_keys
from comptroller.domains.policies.driver.ledger import AlteredError
from comptroller.domains.policies.driver.runs import find_run, finish_runs, insert_runs
from comptroller.domains.policies.engine import admission
from comptroller.domains.policies.engine.admission import Finding
from comptroller.domains.policies.engine.ending import NOTHING, charged_in_all, end, settled_within
from comptroller.domains.policies.engine.page import BreachKey, Page, content_hash
from comptroller.domains.policies.engine.terms import Line, Route
from comptroller.enums import EntryKind
from comptroller.errors import ConflictError, InvalidInputError, NotFoundError
from comptroller.spine.services.crossings import record_findings, record_warnings
from comptroller.spine.services.group import Locked, Wanted, route_row
from comptroller.spine.services.policy_book import PolicyBook
from comptroller.types.caller import Caller
from comptroller.types.spend import (
    Action,
    Admitted,
    Amounts,
    Answer,
    Charge,
    End,
    Ended,
    EndRun,
    Extend,
    Invalid,
    Outcome,
    Refused,
    Reserve,
    StartRun,
)

_OWN_ERRORS: Final = (InvalidInputError, ConflictError, NotFoundError)


@dataclass(slots=True)
class _Refusing:
    """A refusal whose breaches are not written yet."""

    found: list[tuple[BreachKey, Finding]]
    killed: str | None = None


def act(
    session: Session, caller: Caller, book: PolicyBook, actions: Sequence[Action], *, careful: bool = False
) -> Outcome:
    """Decide and write a group's actions, in the order of arrival; the answers are in the same order.

    A hold that this process made is taken to be open; ``careful`` reads first what became of it, which a repeat after
    a failure needs.

    Raises:
        AlteredError: If a hold was not open or a key was taken in between: do it again, one by one and careful.
        GovernanceError: If a breach cannot be recorded.
    """
    return _Group(session, caller, book, actions, careful=careful).act()


class _Group:
    def __init__(
        self, session: Session, caller: Caller, book: PolicyBook, actions: Sequence[Action], *, careful: bool
    ) -> None:
        self._session, self._tenant, self._book, self._actions = session, caller.tenant, book, actions
        self._conn, self._now, self._careful = session.connection(), caller.now(), careful
        self._locked = Locked(self._conn, self._tenant, book, self._now)
        self._records: dict[str, HoldRecord] = {}
        self._keys: dict[str, tuple[str, str]] = {}
        self._page: Page
        self._take: dict[type[Any], Callable[[Any], Answer | _Refusing]] = {
            StartRun: self._start,
            Reserve: self._reserve,
            End: self._end,
            EndRun: self._finish,
            Charge: self._charge,
            Extend: self._extend,
        }

    def act(self) -> Outcome:
        self._open()
        answers = [self._answer(action) for action in self._actions]
        self._write()
        breach_ids = record_findings(self._session, self._tenant, self._page.findings, now=self._now)
        told = [_refused(answer, breach_ids) if isinstance(answer, _Refusing) else answer for answer in answers]
        return Outcome(told, tuple(self._page.routes))

    def _open(self) -> None:
        wanted = Wanted(self._actions, careful=self._careful)
        self._records = find_holds(self._conn, self._tenant, wanted.unknown)
        held = {balance for record in self._records.values() for balance, _ in record.hold.facts.balances}
        for facts in wanted.facts.values():
            held.update([balance for balance, _ in facts.balances])
        self._locked.take(wanted.scopes, held)
        if wanted.unknown:  # again, now that nobody else can end them
            self._records = find_holds(self._conn, self._tenant, wanted.unknown)
        if wanted.keys:
            self._keys = find_keys(self._conn, self._tenant, wanted.keys)
            self._records |= find_holds(self._conn, self._tenant, {hold_id for _, hold_id in self._keys.values()})
        self._page = Page(self._locked.tally)

    def _answer(self, action: Action) -> Answer | _Refusing:
        try:
            return self._take[type(action)](action)
        except _OWN_ERRORS as error:
            return Invalid(error)

    def _reserve(self, action: Reserve) -> Answer | _Refusing:
        route = self._locked.routes[action.scope]
        if self._careful or action.key is not None:
            before = self._repeated(action)
            if before is not None:
                return before.hold
        elif route.is_plain and self._page.admit_plain(action, route):
            return Admitted(action.hold_id, action.amounts, route.facts)
        if route.kill is not None:
            finding = admission.kill_finding(route)
            return _Refusing([(self._page.find(finding), finding)], route.kill.reason)
        admission.require_currency(route)
        findings = self._findings(action, route)
        if findings:
            found = [(self._page.find(finding), finding) for finding in findings]
            refusing = [each for each in found if admission.refuses(each[1])]
            if refusing:
                return _Refusing(refusing)
            admission.require_range(route, action.amounts, self._page.tally)
        self._page.reserve(action, route)
        self._bind(action)
        return Admitted(action.hold_id, action.amounts, route.facts)

    def _findings(self, action: Reserve, route: Route) -> list[Finding]:
        if not route.lines and self._locked.policy.requires_limit:
            return [admission.no_limit_finding(route)]
        return admission.over_limits(
            route, action.amounts, self._page.tally, self._page.known, has_tokens=action.has_tokens
        )

    def _start(self, action: StartRun) -> Answer | _Refusing:
        route = self._locked.routes[action.scope]
        admitted = Admitted(action.hold_id, action.amounts, route.facts)
        if self._careful and find_run(self._conn, self._tenant, action.run_id) is not None:
            return admitted
        found = [
            (self._page.find(finding), finding)
            for finding in admission.over_limits(
                route, action.amounts, self._page.tally, self._page.known, has_tokens=True
            )
        ]
        refusing = [each for each in found if admission.refuses(each[1])]
        if refusing:
            return _Refusing(refusing)
        if route.lines:
            self._page.reserve(action, route)
        self._page.begun.append((action, bool(route.lines)))
        return admitted

    def _finish(self, action: EndRun) -> Answer:
        self._page.finished.append(action)
        if not action.hold_id or (action.hold is not None and not action.hold.facts.balances):
            return None
        return self._end(End(action.hold_id, EntryKind.RELEASE, NOTHING, hold=action.hold))

    def _charge(self, action: Charge) -> Answer:
        route = self._locked.routes[action.scope]
        before = self._repeated(action)
        if before is None:
            admission.require_currency(route)
            self._page.charge(action, route)
            self._bind(action)
            self._tell_usage(route.lines, NOTHING, action.amounts, route.run_id)
        return Ended(action.hold_id if before is None else before.hold.hold_id, EntryKind.CHARGE, action.amounts, False)  # noqa: FBT003 — a record's field

    def _end(self, action: End) -> Answer:
        record = self._records.get(action.hold_id)
        hold = action.hold
        if record is None and hold is not None and not self._careful:
            charged = settled_within(action, hold)
            if charged is not None:
                self._page.settle_plain(action, hold, charged)
                return Ended(action.hold_id, EntryKind.SETTLE, charged, action.is_estimated)
        hold = hold or (record.hold if record is not None else None)
        if hold is None or (record is None and self._careful):
            raise NotFoundError(f"hold {action.hold_id!r} does not exist for this tenant")
        if record is not None and record.kind is not EntryKind.RESERVE:
            raise ConflictError(f"{action.hold_id!r} is a charge, which is final")
        ended, true_up = (None, None) if record is None else (record.ended, record.true_up)
        step = end(hold, action, ended, true_up)
        if isinstance(step, Ended):
            return step
        self._page.end(action, hold.facts, step)
        if record is not None:
            self._records[action.hold_id] = record.after(step.kind, step.charged, is_estimated=step.is_estimated)
        held = hold.amounts if step.kind is not EntryKind.TRUE_UP else NOTHING
        if any(spent > kept for spent, kept in zip(step.charged, held, strict=True)):
            lines = self._locked.lines([balance for balance, _ in hold.facts.balances])
            self._tell_usage(lines, held, step.charged, hold.facts.run_id)
        return Ended(
            action.hold_id, step.kind, charged_in_all(step, None if record is None else record.ended), step.is_estimated
        )

    def _extend(self, action: Extend) -> Answer:
        is_open = self._locked.sql.extend(
            self._conn,
            self._tenant,
            action.hold_id,
            seconds=action.seconds,
            unsent=action.is_unsent,
            now=self._now,
        )
        if not is_open:
            raise ConflictError(f"hold {action.hold_id} is not open, so that its life cannot be changed")
        return None

    def _tell_usage(self, lines: Sequence[Line], held: Amounts, spent: Amounts, run_id: str | None) -> None:
        for finding in admission.usage_findings(lines, held, spent, self._page.tally, run_id):
            self._page.find(finding)

    def _repeated(self, action: Reserve | Charge) -> HoldRecord | None:
        if action.key is not None:
            known = self._keys.get(action.key)
            if known is None:
                return None
            content, hold_id = known
            if content != content_hash(action):
                raise ConflictError(f"key {action.key!r} was used for another spend: a key names one")
            return self._records[hold_id]
        return self._records.get(action.hold_id) if self._careful else None

    def _bind(self, action: Reserve | Charge) -> None:
        if action.key is None:
            return
        content = content_hash(action)
        self._page.keys.append((action.key, content, action.hold_id))
        route = self._locked.routes[action.scope]
        kind = EntryKind.RESERVE if isinstance(action, Reserve) else EntryKind.CHARGE
        self._keys[action.key] = (content, action.hold_id)
        self._records[action.hold_id] = HoldRecord(
            Admitted(action.hold_id, action.amounts, route.facts), kind, None, None
        )

    def _write(self) -> None:
        new = [route for key, route in self._page.routes.items() if not self._book.is_stored(key)]
        if new:
            self._locked.sql.make_routes(self._conn, [route_row(self._tenant, route) for route in new])
        # Below zero is held what was ended before: somebody else's end, or the same one twice in this group.
        is_whole = all(held >= 0 for _, held in self._page.tally.values())
        if not (is_whole and self._locked.sql.write(self._conn, self._tenant, self._page, self._now)):
            raise AlteredError
        if self._page.begun:
            insert_runs(self._conn, self._tenant, self._page.begun, self._now)
        if self._page.finished:
            finish_runs(self._conn, self._tenant, self._page.finished, self._now)
        if self._locked.policy.warns:
            self._warn()

    def _warn(self) -> None:
        spent = {
            key: (self._page.before[key][0], now[0])
            for key, now in self._page.tally.items()
            if now[0] > self._page.before[key][0]
        }
        lines = self._locked.lines(list(spent)) if spent else []
        moved = [(line, *spent[line.balance_id]) for line in lines if line.rule.warn_at]
        record_warnings(self._conn, self._tenant, moved, now=self._now)


def _refused(refusing: _Refusing, breach_ids: dict[BreachKey, str]) -> Refused:
    over = tuple(admission.with_breach(finding.over, breach_ids[key]) for key, finding in refusing.found)
    return Refused(over, refusing.killed)
