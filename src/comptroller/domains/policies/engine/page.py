"""One group's page of the ledger: what its decisions change, ready to be written in one step."""

import hashlib
import json
from dataclasses import dataclass, field

from comptroller.domains.policies.engine.admission import Finding, Known, Tally, hold, spend
from comptroller.domains.policies.engine.ending import NOTHING, Step
from comptroller.domains.policies.engine.terms import Route
from comptroller.enums import BreachType, EntryKind, LimitMode
from comptroller.types.spend import Admitted, Amounts, Charge, End, EndRun, HoldFacts, Reserve, StartRun

FIRST, END, TRUE_UP = 0, 1, 2
TOKENS = 2
# hold, route, amount, requests, tokens, runs, seconds, is_unsent, price_version
OpenedRow = tuple[str, str, int, int, int, int, int | None, bool, str | None]
# hold, step, kind, route, amount, requests, tokens, runs, is_estimated, price_version
EntryRow = tuple[str, int, str, str, int, int, int, int, bool, str | None]
BreachKey = tuple[str, str, str, BreachType, LimitMode, bool]


@dataclass(slots=True)
class Page:
    """The changes of one group.

    Args:
        tally: The locked balances; decisions move them.
    """

    tally: Tally
    before: dict[str, tuple[int, int]] = field(default_factory=dict)
    opened: list[OpenedRow] = field(default_factory=list)
    entries: list[EntryRow] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    keys: list[tuple[str, str, str]] = field(default_factory=list)
    begun: list[tuple[StartRun, bool]] = field(default_factory=list)
    finished: list[EndRun] = field(default_factory=list)
    routes: dict[str, Route] = field(default_factory=dict)
    findings: dict[BreachKey, tuple[Finding, int]] = field(default_factory=dict)
    known: Known = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.note_balances()

    def note_balances(self) -> None:
        """Remember how the balances stood before any decision."""
        self.before = {key: (spent, held) for key, (spent, held) in self.tally.items()}

    def reserve(self, action: Reserve, route: Route) -> None:
        """Hold what was admitted."""
        hold(route, action.amounts, self.tally)
        self.routes[route.id] = route
        self.opened.append(
            (action.hold_id, route.id, *action.amounts, action.seconds, action.is_unsent, action.price_version)
        )

    def admit_plain(self, action: Reserve, route: Route) -> bool:
        """Hold a request that fits under every limit; False, and nothing done, if one needs a closer look."""
        amounts, tally = action.amounts, self.tally
        for balance, place, ceiling in route.checks:
            standing = tally[balance]
            if standing[0] + standing[1] + amounts[place] > ceiling or (place == TOKENS and not action.has_tokens):
                return False
        for balance, place, _ in route.checks:
            tally[balance][1] += amounts[place]
        self.routes[route.id] = route
        self.opened.append((action.hold_id, route.id, *amounts, action.seconds, action.is_unsent, action.price_version))
        return True

    def settle_plain(self, action: End, hold: Admitted, charged: Amounts) -> None:
        """Settle an open hold with no more than it holds."""
        held, facts = hold.amounts, hold.facts
        for balance, place in facts.balances:
            standing = self.tally[balance]
            standing[0] += charged[place]
            standing[1] -= held[place]
        self.closed.append(action.hold_id)
        self.entries.append(
            (action.hold_id, END, "settle", facts.route_id, *charged, action.is_estimated, action.price_version)
        )

    def charge(self, action: Charge, route: Route) -> None:
        """Spend what is gone already."""
        spend(route.facts.balances, NOTHING, action.amounts, self.tally)
        self.routes[route.id] = route
        told = (action.is_estimated, action.price_version)
        self.entries.append((action.hold_id, FIRST, EntryKind.CHARGE.value, route.id, *action.amounts, *told))

    def end(self, action: End, facts: HoldFacts, step: Step) -> None:
        """Write an end, or a true-up, of a hold."""
        spend(facts.balances, step.released, step.charged, self.tally)
        place = TRUE_UP
        if step.kind is not EntryKind.TRUE_UP:
            place = END
            self.closed.append(action.hold_id)
        told = (step.is_estimated, action.price_version)
        self.entries.append((action.hold_id, place, step.kind.value, facts.route_id, *step.charged, *told))

    def find(self, finding: Finding) -> BreachKey:
        """Count a finding; those of one limit, window, subject and type share a row."""
        over = finding.over
        key = (
            over.limit_id,
            finding.subject,
            finding.window_start.isoformat(),
            over.breach_type,
            over.mode,
            finding.is_usage,
        )
        first, count = self.findings.get(key, (finding, 0))
        self.findings[key] = (first, count + 1)
        return key

    def changed(self) -> list[tuple[str, int, int]]:
        """Return the balances that moved, in key order."""
        return [(key, spent, held) for key, (spent, held) in self.tally.items() if (spent, held) != self.before[key]]


def content_hash(action: Reserve | Charge) -> str:
    """Return the hash of what a key stands for."""
    scope = action.scope
    run_id = None if scope.run is None else scope.run.id
    said = [type(action).__name__, scope.dimensions, scope.currency, run_id, action.amounts]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
