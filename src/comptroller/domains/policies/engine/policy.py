"""A tenant's limits, overrides and kills at one version, and which of them apply to a spend."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from comptroller.domains.policies.engine.dimensions import ABSENT, RUN, Pairs
from comptroller.domains.policies.engine.terms import Kill, Line, Route, Rule, TimedCeiling
from comptroller.domains.policies.engine.windows import EPOCH, bounds
from comptroller.enums import LimitMode, Window
from comptroller.money import COUNT_UNITS
from comptroller.types.spend import HoldFacts, RunScope, Scope

RUN_LIMIT: Final = "builtin:run"
GAUGE: Final = "runs"  # starting a run counts against limits on runs alone, a call never does
RUN_CLOCKS: Final = frozenset({"seconds", "iterations"})  # limits of a run that no balance counts
FAR: Final = datetime.max.replace(tzinfo=UTC)


class Policy:
    """A tenant's policy at one version; never changed.

    Args:
        version: The version of the tenant's policy row.
        requires_limit: Whether a spend without any limit is refused.
        rules: The limits in force, now or later.
        overrides: For each limit's id its overrides, the newest last.
        kills: The kills that are neither lifted nor over.
    """

    def __init__(
        self,
        *,
        version: int,
        requires_limit: bool,
        rules: Iterable[Rule],
        overrides: Mapping[str, tuple[TimedCeiling, ...]],
        kills: Iterable[Kill],
    ) -> None:
        self.version, self.requires_limit, self.overrides = version, requires_limit, overrides
        self.rules = {rule.id: rule for rule in rules}
        self.warns = any(rule.warn_at for rule in self.rules.values())
        self.kills = tuple(kills)
        # A limit is looked up by one of its pairs, so that a spend meets only limits that may apply to it.
        self._everywhere: list[Rule] = []
        self._by_pair: dict[tuple[str, str], list[Rule]] = {}
        for rule in self.rules.values():
            bucket = self._by_pair.setdefault(rule.where[-1], []) if rule.where else self._everywhere
            bucket.append(rule)

    def applicable(self, described: Mapping[str, str]) -> Iterator[Rule]:
        """Yield the limits whose ``where`` matches, whenever they are effective."""
        yield from self._everywhere
        for pair in described.items():
            for rule in self._by_pair.get(pair, ()):
                if matches(rule.where, described):
                    yield rule

    def kill_of(self, described: Mapping[str, str], now: datetime) -> Kill | None:
        """Return a kill that shuts the scope at this instant."""
        return next(
            (kill for kill in self.kills if _is_on(kill, now) and matches(kill.scope, described)),
            None,
        )

    def ceiling(self, rule: Rule, now: datetime) -> tuple[int, str | None]:
        """Return a limit's ceiling at an instant, and the override that sets it."""
        for timed in reversed(self.overrides.get(rule.id, ())):
            if timed.starts_at <= now < timed.expires_at:
                return timed.ceiling, timed.id
        return rule.ceiling, None

    def route(self, scope: Scope, now: datetime) -> Route:
        """Return which balances a spend of this scope counts against now."""
        described = describe(scope)
        lines, missing, foreign, ends = [], [], None, [FAR]
        for rule in self.applicable(described):
            ends += self._turns(rule, now)
            if not is_effective(rule, now) or not _counts(rule, scope):
                continue
            if _is_foreign(rule, scope):
                foreign = foreign or rule
                continue
            missing += [(rule, name) for name in rule.require if name not in described][:1]
            lines.append(self._line(rule, described, now))
        if scope.run is not None and scope.currency != GAUGE:
            lines += _run_lines(scope.run)
            foreign = foreign or next((rule for rule in run_rules(scope.run) if _is_foreign(rule, scope)), None)
        ends += [line.window_end for line in lines if line.window_end is not None]
        ends += [kill.expires_at for kill in self.kills if kill.expires_at is not None and kill.expires_at > now]
        lines.sort(key=lambda line: line.balance_id)
        return _route(
            scope,
            lines=tuple(lines),
            missing=tuple(missing),
            foreign=foreign,
            kill=self.kill_of(described, now),
            valid_until=min(ends),
        )

    def _line(self, rule: Rule, described: Mapping[str, str], now: datetime) -> Line:
        window = bounds(rule.every, rule.place, now)
        names = (*rule.per, RUN) if rule.every is Window.RUN else rule.per
        subject = subject_of({name: described.get(name, ABSENT) for name in names})
        ceiling, override_id = self.ceiling(rule, now)
        line = Line.of(rule, balance_id(rule.id, subject, window.start), subject, window.start, window.end)
        return line if override_id is None else replace(line, ceiling=ceiling, override_id=override_id)

    def _turns(self, rule: Rule, now: datetime) -> list[datetime]:
        turns = [rule.effective_from, rule.effective_until]
        for timed in self.overrides.get(rule.id, ()):
            turns += [timed.starts_at, timed.expires_at]
        return [at for at in turns if at is not None and at > now]


def matches(where: Pairs, described: Mapping[str, str]) -> bool:
    """Tell whether every pair of a scope is among the described ones."""
    return all(described.get(name) == value for name, value in where)


def describe(scope: Scope) -> dict[str, str]:
    """Return a scope's dimensions, its run's id among them."""
    described = dict(scope.dimensions)
    if scope.run is not None:
        described[RUN] = scope.run.id
    return described


def is_effective(rule: Rule, now: datetime) -> bool:
    """Tell whether a limit is in force at an instant."""
    starts, ends = rule.effective_from, rule.effective_until
    return (starts is None or starts <= now) and (ends is None or now < ends)


def subject_of(values: Mapping[str, str]) -> str:
    """Return the key of a balance among those of one limit."""
    return _canonical(dict(values)) if values else ""


def subject_values(subject: str) -> dict[str, str]:
    """Return the values that a balance's subject was made of."""
    return json.loads(subject) if subject else {}


def balance_id(limit_id: str, subject: str, window_start: datetime) -> str:
    """Return a balance's id: whoever comes first makes the same row."""
    return _digest(f"{limit_id}\x00{subject}\x00{window_start.isoformat()}")


def _is_on(kill: Kill, now: datetime) -> bool:
    return kill.expires_at is None or now < kill.expires_at


def _counts(rule: Rule, scope: Scope) -> bool:
    if (rule.unit == GAUGE) != (scope.currency == GAUGE):
        return False
    return rule.every is not Window.RUN or scope.run is not None


def _is_foreign(rule: Rule, scope: Scope) -> bool:
    return rule.unit not in COUNT_UNITS and rule.unit != scope.currency


def run_rules(run: RunScope) -> Iterator[Rule]:
    """Yield a run's own limits."""
    for unit, ceiling in run.ceilings:
        if unit not in RUN_CLOCKS:
            yield run_rule(run.id, unit, ceiling)


def run_rule(run_id: str, unit: str, ceiling: int) -> Rule:
    """Return one limit of a run's own; its row is the built-in one that all runs share."""
    return Rule(
        id=RUN_LIMIT,
        name=f"{unit} of run {run_id}",
        unit=unit,
        ceiling=ceiling,
        every=Window.RUN,
        place=UTC,
        where=(),
        per=(),
        require=(),
        mode=LimitMode.BLOCK,
        warn_at=(),
        opens_incident=False,
        effective_from=None,
        effective_until=None,
    )


def _run_lines(run: RunScope) -> list[Line]:
    lines = []
    for rule in run_rules(run):
        subject = subject_of({RUN: run.id, "unit": rule.unit})
        lines.append(Line.of(rule, balance_id(RUN_LIMIT, subject, EPOCH), subject, EPOCH, None))
    return lines


def _route(scope: Scope, *, lines: tuple[Line, ...], **rest: Any) -> Route:
    run_id = None if scope.run is None else scope.run.id
    dimensions = _canonical(dict(scope.dimensions))
    balances = [[line.balance_id, line.rule.unit] for line in lines]
    route_id = _digest(_canonical([scope.currency, run_id, dimensions, balances]))
    facts = HoldFacts(
        route_id=route_id,
        balances=tuple((line.balance_id, line.place) for line in lines),
        currency=scope.currency,
        run_id=run_id,
    )
    return Route(
        id=route_id,
        facts=facts,
        lines=lines,
        dimensions=dimensions,
        run_id=run_id,
        is_ungoverned=not lines,
        checks=tuple((line.balance_id, line.place, line.ceiling) for line in lines),
        is_plain=bool(lines) and rest["kill"] is None and rest["foreign"] is None and not rest["missing"],
        **rest,
    )


def _canonical(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
