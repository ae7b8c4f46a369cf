"""What a group needs before it decides: the policy in force, its routes, and every balance under lock."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from comptroller.domains.policies.driver.holds import find_balances
from comptroller.domains.policies.driver.ledger import dialect_of
from comptroller.domains.policies.driver.policy import make_policy_row, read_policy
from comptroller.domains.policies.driver.refusals import make_builtin_limits
from comptroller.domains.policies.driver.runs import find_ceilings
from comptroller.domains.policies.engine.dimensions import RUN
from comptroller.domains.policies.engine.policy import RUN_LIMIT, Policy, run_rule, subject_values
from comptroller.domains.policies.engine.terms import Line, Route
from comptroller.spine.services.policy_book import PolicyBook
from comptroller.types.spend import Action, Charge, End, EndRun, HoldFacts, Reserve, Scope

_ADMISSIONS: Final = (Reserve, Charge)
_ENDS: Final = (End, EndRun)


class Wanted:
    """What a group must read before it decides; gone through once, since groups are large."""

    def __init__(self, actions: Sequence[Action], *, careful: bool) -> None:
        self.scopes: dict[Scope, None] = {}
        self.facts: dict[int, HoldFacts] = {}
        self.keys: set[str] = set()
        self.unknown: list[str] = []
        for action in actions:
            if isinstance(action, _ADMISSIONS):
                self.scopes[action.scope] = None
                if action.key is not None:
                    self.keys.add(action.key)
                if careful:
                    self.unknown.append(action.hold_id)
            elif isinstance(action, _ENDS):
                if action.hold is not None:
                    self.facts[id(action.hold.facts)] = action.hold.facts
                if action.hold_id and (careful or action.hold is None):
                    self.unknown.append(action.hold_id)


class Locked:
    """The policy and the balances that a group has locked.

    Args:
        conn: The group's connection, in its transaction.
        book: What this process remembers of the tenant's policy.
        now: The instant at which the group decides.
    """

    def __init__(self, conn: Connection, tenant: str, book: PolicyBook, now: datetime) -> None:
        self.conn, self.tenant, self.book, self.now = conn, tenant, book, now
        self.sql = dialect_of(conn)
        self.tally: dict[str, list[int]] = {}
        self.policy: Policy
        self.routes: dict[Scope, Route] = {}

    def take(self, scopes: Iterable[Scope], held: Iterable[str]) -> None:
        """Lock the policy, then the balances of these scopes and of the holds that end.

        The routes are first those of the remembered policy; if it has changed they are worked out again.
        """
        scopes, held = list(scopes), set(held)
        policy = self.book.policy
        expected = self._routed(policy, scopes) if policy is not None else {}
        version, requires_limit = self._lock(held.union(*(_ids(route) for route in expected.values())))
        if policy is None or policy.version != version:
            policy = read_policy(
                self.conn, self.tenant, version=version, requires_limit=requires_limit, now=self.now, known=policy
            )
            self.book.turn(policy)
        self.policy, self.routes = policy, self._routed(policy, scopes)
        self._lock_rest()

    def lines(self, balance_ids: Sequence[str]) -> list[Line]:
        """Return what balances belong to, with the ceilings now in force; those of archived limits are left out."""
        known = {key: line for key in balance_ids if (line := self.book.lines.get(key)) is not None}
        unknown = [key for key in balance_ids if key not in known]
        if unknown:
            known |= self._read_lines(unknown)
        return [self._in_force(known[key]) for key in balance_ids if key in known]

    def _routed(self, policy: Policy, scopes: list[Scope]) -> dict[Scope, Route]:
        return {scope: self.book.route(policy, scope, self.now) for scope in scopes}

    def _lock(self, ids: Iterable[str]) -> tuple[int, bool]:
        wanted = sorted(ids)
        locked = self.sql.lock(self.conn, self.tenant, wanted)
        if locked is None:
            make_policy_row(self.conn, self.tenant, self.now)
            locked = self.sql.lock(self.conn, self.tenant, wanted)
        version, requires_limit, tally = locked
        self.tally |= tally
        return version, requires_limit

    def _lock_rest(self) -> None:
        lines = {line.balance_id: line for route in self.routes.values() for line in route.lines}
        missing = [key for key in sorted(lines) if key not in self.tally]
        if not missing:
            return
        self._lock(missing)
        new = [lines[key] for key in missing if key not in self.tally]
        if new:
            make_builtin_limits(self.conn, self.tenant, {line.rule.id for line in new}, self.now)
            self.sql.make_balances(self.conn, [_balance(self.tenant, line) for line in new])
            self._lock(line.balance_id for line in new)

    def _read_lines(self, balance_ids: list[str]) -> dict[str, Line]:
        found = {}
        for key, record in find_balances(self.conn, self.tenant, balance_ids).items():
            rule = self.policy.rules.get(record.limit_id)
            if record.limit_id == RUN_LIMIT:
                rule = self._run_rule(record.subject)
            if rule is not None:
                found[key] = Line.of(rule, key, record.subject, record.window_start, record.window_end)
        return found

    def _run_rule(self, subject: str) -> Any:
        values = subject_values(subject)
        ceiling = find_ceilings(self.conn, self.tenant, values[RUN]).get(values["unit"])
        return None if ceiling is None else run_rule(values[RUN], values["unit"], ceiling)

    def _in_force(self, line: Line) -> Line:
        ceiling, override_id = self.policy.ceiling(line.rule, self.now)
        return line if ceiling == line.ceiling else replace(line, ceiling=ceiling, override_id=override_id)


def _ids(route: Route) -> list[str]:
    return [line.balance_id for line in route.lines]


def _balance(tenant: str, line: Line) -> dict[str, Any]:
    return {
        "tenant": tenant,
        "id": line.balance_id,
        "limit_id": line.rule.id,
        "subject": line.subject,
        "unit": line.rule.unit,
        "start": line.window_start,
        "end": line.window_end,
    }


def route_row(tenant: str, route: Route) -> dict[str, Any]:
    """Return a route as its row is made of."""
    return {
        "tenant": tenant,
        "id": route.id,
        "currency": route.facts.currency,
        "run_id": route.run_id,
        "dimensions": route.dimensions,
        "balances": json.dumps([[line.balance_id, line.rule.unit] for line in route.lines]),
        "ungoverned": route.is_ungoverned,
    }
