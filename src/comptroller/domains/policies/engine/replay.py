"""What limits would have refused of past calls: the engine's own decisions over balances in memory."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from comptroller.domains.policies.engine import admission
from comptroller.domains.policies.engine.ending import NOTHING
from comptroller.domains.policies.engine.policy import Policy
from comptroller.domains.policies.engine.rules import LimitDraft
from comptroller.domains.policies.engine.terms import Rule
from comptroller.domains.policies.engine.windows import zone
from comptroller.money import spend_quanta
from comptroller.types.limit_file import PastCall, Replayed
from comptroller.types.spend import Scope

_FIRST: Final = 100


def replay(drafts: Sequence[LimitDraft], calls: Iterable[PastCall]) -> Replayed:
    """Return what these limits would have refused; every limit counts as if it blocked.

    A call that is refused spends nothing, so that later ones find its room.
    """
    policy = Policy(version=0, requires_limit=False, rules=[_rule(draft) for draft in drafts], overrides={}, kills=())
    tally: admission.Tally = defaultdict(lambda: [0, 0])
    by_limit: Counter[str] = Counter()
    saved: dict[str, Decimal] = {}
    first: list[tuple[PastCall, tuple[str, ...]]] = []
    count = refused = 0
    for call in sorted(calls, key=lambda one: one.at):
        count += 1
        amounts = (spend_quanta(call.cost.amount, call.cost.unit), call.requests, call.tokens or 0, 0)
        route = policy.route(Scope(call.dimensions, call.cost.unit), call.at)
        over = admission.over_limits(route, amounts, tally, {}, has_tokens=call.tokens is not None)
        if not over:
            admission.spend(route.facts.balances, NOTHING, amounts, tally)
            continue
        refused += 1
        names = tuple(finding.over.limit_name for finding in over)
        by_limit.update(names)
        saved[call.cost.unit] = saved.get(call.cost.unit, Decimal(0)) + call.cost.amount
        if len(first) < _FIRST:
            first.append((call, names))
    return Replayed(count, refused, dict(by_limit), saved, tuple(first))


def _rule(draft: LimitDraft) -> Rule:
    return Rule(
        id=draft.name,
        name=draft.name,
        unit=draft.unit,
        ceiling=draft.ceiling_quanta,
        every=draft.every,
        place=zone(draft.timezone),
        where=draft.where,
        per=draft.per,
        require=draft.require,
        mode=draft.mode,
        warn_at=(),
        opens_incident=False,
        effective_from=draft.effective_from,
        effective_until=draft.effective_until,
    )
