"""Explain what applies to a subject, and what became of a past decision; nothing is locked or written."""

from sqlalchemy.orm import Session

from comptroller.domains.policies.driver import sight as driver
from comptroller.domains.policies.driver.holds import find_holds, key_of
from comptroller.domains.policies.driver.policy import read_policy, read_settings
from comptroller.domains.policies.engine.dimensions import Pairs
from comptroller.domains.policies.engine.policy import Policy, subject_values
from comptroller.domains.policies.engine.terms import Line, Rule
from comptroller.errors import NotFoundError
from comptroller.money import COUNT_UNITS, Money
from comptroller.types.caller import Caller
from comptroller.types.limits import Standing
from comptroller.types.sight import Explanation, HoldExplanation
from comptroller.types.spend import Scope


def read_book(session: Session, caller: Caller) -> Policy:
    """Return the tenant's policy as it stands."""
    conn = session.connection()
    version, requires_limit = read_settings(conn, caller.tenant)
    return read_policy(conn, caller.tenant, version=version, requires_limit=requires_limit, now=caller.now())


def explain(session: Session, caller: Caller, pairs: Pairs) -> Explanation:
    """Return every limit that would apply to a spend of these dimensions, where it stands and why it matches."""
    policy, now = read_book(session, caller), caller.now()
    lines: dict[str, Line] = {}
    for currency in sorted({rule.unit for rule in policy.rules.values() if rule.unit not in COUNT_UNITS} | {"runs"}):
        route = policy.route(Scope(pairs, currency), now)
        lines |= {line.balance_id: line for line in route.lines}
    plain = policy.route(Scope(pairs, None), now)
    lines |= {line.balance_id: line for line in plain.lines}
    return Explanation(
        dimensions=dict(pairs),
        standings=tuple(sorted(standings(session, caller, list(lines.values())), key=_room)),
        killed=None if plain.kill is None else plain.kill.reason,
        is_ungoverned=not any(line.rule.unit != "runs" for line in lines.values()),
        requires_limit=policy.requires_limit,
    )


def standings(session: Session, caller: Caller, lines: list[Line]) -> list[Standing]:
    """Return where balances stand; one that nobody has used yet stands at zero."""
    conn = session.connection()
    tally = driver.read_tally(conn, caller.tenant, [line.balance_id for line in lines])
    limits = driver.read_limits(conn, caller.tenant, {line.rule.id for line in lines})
    found = []
    for line in lines:
        spent, held = tally.get(line.balance_id, (0, 0))
        unit = line.rule.unit
        found.append(
            Standing(
                limit=limits[line.rule.id],
                subject=subject_values(line.subject),
                ceiling=Money.of_quanta(line.ceiling, unit),
                spent=Money.of_quanta(spent, unit),
                held=Money.of_quanta(held, unit),
                left=Money.of_quanta(line.ceiling - spent - held, unit),
                window_start=line.window_start,
                window_end=line.window_end,
                why=_why(line.rule),
                balance_id=line.balance_id,
                override_id=line.override_id,
            )
        )
    return found


def explain_hold(session: Session, caller: Caller, hold_id: str) -> HoldExplanation:
    """Return a past decision.

    Raises:
        NotFoundError: If the tenant has no such hold.
    """
    conn = session.connection()
    key = key_of(hold_id)
    if key not in find_holds(conn, caller.tenant, [key]):
        raise NotFoundError(f"hold {hold_id!r} does not exist for this tenant")
    return driver.read_hold(conn, caller.tenant, key)


def _why(rule: Rule) -> str:
    if not rule.where:
        told = "it applies to every spend"
    else:
        told = "it matches " + ", ".join(f"{name}={value}" for name, value in rule.where)
    return told + (f", one balance for each {', '.join(rule.per)}" if rule.per else "")


def _room(standing: Standing) -> tuple[float, str]:
    return float(standing.left.amount / standing.ceiling.amount), standing.limit.name
