"""Who may spend: an exact decision per request, in the order of arrival, over balances that are locked."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from comptroller.domains.policies.engine.terms import Line, Route, Rule
from comptroller.domains.policies.engine.windows import EPOCH, SHORT
from comptroller.enums import BreachType, LimitMode
from comptroller.errors import InvalidInputError
from comptroller.money import MAX_QUANTA, Money
from comptroller.types.spend import Amounts, OverLimit

KILL_LIMIT: Final = "builtin:kill-switch"
NO_LIMIT: Final = "builtin:no-limit"
_TOKENS: Final = 2
SPENT: Final = 0
HELD: Final = 1

# Spent and held of each balance, as they stand under their locks.
Tally = dict[str, list[int]]


@dataclass(frozen=True, slots=True)
class Finding:
    """A limit that refused or was crossed; equal findings of one group share one breach row."""

    over: OverLimit
    subject: str
    window_start: datetime
    run_id: str | None
    opens_incident: bool
    is_usage: bool = False


Known = dict[tuple[str, int, int, str | None], Finding]


def over_limits(route: Route, amounts: Amounts, tally: Tally, known: Known, *, has_tokens: bool) -> list[Finding]:
    """Return every limit that the request does not fit under, in the order in which balances are locked.

    An empty list admits; findings of limits in mode ``warn`` and ``observe`` do not refuse. ``known`` keeps the
    group's findings: a storm of equal refusals is described once.
    """
    found = []
    for line in route.lines:
        standing = tally[line.balance_id]
        needed = amounts[line.place]
        if standing[SPENT] + standing[HELD] + needed > line.ceiling:
            key = (line.balance_id, needed, standing[SPENT] + standing[HELD], route.run_id)
            if (finding := known.get(key)) is None:
                finding = known[key] = _crossed(route, line, needed, standing[SPENT] + standing[HELD])
            found.append(finding)
        elif line.place == _TOKENS and not has_tokens:
            found.append(_undecided(route, line.rule, "the request does not say how many tokens", line))
    found += [_undecided(route, rule, f"the request does not say its {name}") for rule, name in route.missing]
    return found


def kill_finding(route: Route) -> Finding:
    """Return the finding of a kill."""
    assert route.kill is not None  # noqa: S101 — asked for killed routes only
    over = OverLimit(KILL_LIMIT, "kill switch", BreachType.VIOLATED, f"killed: {route.kill.reason}")
    return Finding(over, route.kill.id, EPOCH, route.run_id, opens_incident=False)


def no_limit_finding(route: Route) -> Finding:
    """Return the finding of a spend to which no limit applies, where one is required."""
    over = OverLimit(NO_LIMIT, "limit required", BreachType.VIOLATED, "no limit applies and one is required")
    return Finding(over, route.dimensions, EPOCH, route.run_id, opens_incident=False)


def refuses(finding: Finding) -> bool:
    """Tell whether a finding refuses the request rather than being told of."""
    return finding.over.mode is LimitMode.BLOCK


def hold(route: Route, amounts: Amounts, tally: Tally) -> None:
    """Count an admitted request as held."""
    for line in route.lines:
        tally[line.balance_id][HELD] += amounts[line.place]


def spend(balances: Iterable[tuple[str, int]], held: Amounts, spent: Amounts, tally: Tally) -> None:
    """Move what was held to what is spent.

    Raises:
        InvalidInputError: If a balance would leave the range of the ledger; nothing is moved then.
    """
    lines = list(balances)
    for balance, place in lines:
        if tally[balance][SPENT] + tally[balance][HELD] - held[place] + spent[place] > MAX_QUANTA:
            raise InvalidInputError("the balance would leave the range of the ledger")
    for balance, place in lines:
        tally[balance][SPENT] += spent[place]
        tally[balance][HELD] -= held[place]


def require_range(route: Route, amounts: Amounts, tally: Tally) -> None:
    """Check that a request admitted past a ceiling stays countable.

    Raises:
        InvalidInputError: If a balance would leave the range of the ledger.
    """
    for line in route.lines:
        if sum(tally[line.balance_id]) + amounts[line.place] > MAX_QUANTA:
            raise InvalidInputError("the balance would leave the range of the ledger")


def usage_findings(
    lines: Iterable[Line], held: Amounts, spent: Amounts, tally: Tally, run_id: str | None
) -> list[Finding]:
    """Return the crossings of usage that was more than its hold: what is gone is charged and told.

    Each ceiling that it passed is BREACHED; if it passed none, the first limit whose hold it exceeded is VIOLATED.
    """
    exceeded = [line for line in lines if spent[line.place] > held[line.place]]
    past = [line for line in exceeded if sum(tally[line.balance_id]) > line.ceiling]
    if past:
        return [_usage(line, BreachType.BREACHED, sum(tally[line.balance_id]), run_id) for line in past]
    first = [line for line in exceeded if any(held)][:1]
    return [_usage(line, BreachType.VIOLATED, sum(tally[line.balance_id]), run_id) for line in first]


def crossed_thresholds(
    line: Line, before: int, after: int, threshold_quanta: Callable[[str, str, int], int]
) -> list[str]:
    """Return the warning thresholds of a balance that lie between what was spent before and what is spent now."""
    rule = line.rule
    return [text for text in rule.warn_at if before < threshold_quanta(text, rule.unit, line.ceiling) <= after]


def _crossed(route: Route, line: Line, needed: int, counted: int) -> Finding:
    left = line.ceiling - counted
    rule = line.rule
    told = BreachType.EXHAUSTED if left <= 0 else BreachType.BREACHED
    kind = BreachType.THROTTLED if rule.every in SHORT else told
    over = OverLimit(
        limit_id=rule.id,
        limit_name=rule.name,
        breach_type=BreachType.BREACHED if rule.mode is LimitMode.WARN else kind,
        reason="the ceiling would be passed",
        mode=rule.mode,
        ceiling=Money.of_quanta(line.ceiling, rule.unit),
        needed=Money.of_quanta(needed, rule.unit),
        left=Money.of_quanta(left, rule.unit),
        resets_at=line.window_end,
    )
    return Finding(over, line.subject, line.window_start, route.run_id, rule.opens_incident)


def _undecided(route: Route, rule: Rule, reason: str, line: Line | None = None) -> Finding:
    over = OverLimit(rule.id, rule.name, BreachType.VIOLATED, reason, mode=rule.mode)
    subject, start = ("", EPOCH) if line is None else (line.subject, line.window_start)
    return Finding(over, subject, start, route.run_id, rule.opens_incident)


def _usage(line: Line, kind: BreachType, counted: int, run_id: str | None) -> Finding:
    rule = line.rule
    is_past = kind is BreachType.BREACHED
    over = OverLimit(
        limit_id=rule.id,
        limit_name=rule.name,
        breach_type=kind,
        reason="usage went past the ceiling" if is_past else "usage was more than its hold",
        mode=rule.mode,
        ceiling=Money.of_quanta(line.ceiling, rule.unit),
        left=Money.of_quanta(line.ceiling - counted, rule.unit),
        resets_at=line.window_end,
    )
    return Finding(over, line.subject, line.window_start, run_id, rule.opens_incident, is_usage=True)


def with_breach(over: OverLimit, breach_id: str) -> OverLimit:
    """Return what refused together with its record."""
    return replace(over, breach_id=breach_id)


def require_currency(route: Route) -> None:
    """Check that the spend is in the currency of every limit that applies.

    Raises:
        InvalidInputError: If one is in another currency.
    """
    if route.foreign is not None:
        said = route.facts.currency or "no currency"
        raise InvalidInputError(
            f"the spend is in {said} but limit {route.foreign.name!r} is in {route.foreign.unit}: "
            f"state the amount in {route.foreign.unit}"
        )
