"""An anomaly before it is written, its lasting id, and the sentence that tells it.

Interface:
    ``AnomalyDraft`` (what the spine writes), ``Evidence`` (a series that shows the same thing), ``Carrier`` (a
    dimension value that explains it), ``anomaly_id(key, direction, start, grain)``, ``days_of(draft)``,
    ``describe(draft)``.

Ids are made from content alone: ``anm_`` and 26 hexadecimal digits of SHA-256 over the JSON list [dimension, value,
currency, family, grain, start step]. The family is "over" for too much and "under" for too little, so that a spike
which turns out to be a shift keeps its id. Ids are unique per tenant (the tenant is no part of them).
"""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from comptroller.domains.analytics.engine.episodes import UP
from comptroller.domains.analytics.engine.observation import SeriesKey, step_length, step_start
from comptroller.enums import AnomalyKind, Dimension, Grain
from comptroller.money import from_quanta

_TIMES: Final = "\N{MULTIPLICATION SIGN}"
# Below, "1.1 times the expected" says less than "10 % above".
_LEAST_TOLD_RATIO: Final = 1.2
# From here on a ratio says no more than both amounts.
_LEAST_UNTOLD_RATIO: Final = 1000
# From here on decimals say nothing: ratios as they are, amounts in whole units.
_ROUND_FROM: Final = 100
_WHOLE_UNITS_FROM: Final = 1000
_CENT: Final = Decimal("0.01")
# A sentence names three places; the rest is in the table.
_MOST_PLACES: Final = 3
_TOLD_FIRST: Final = (
    Dimension.SERVICE,
    Dimension.MODEL,
    Dimension.ACCOUNT,
    Dimension.REGION,
    Dimension.USER,
    Dimension.TEAM,
    Dimension.TAG,
    Dimension.TOTAL,
)
# Spend without a region or an owner is in no place.
_NOWHERE: Final = frozenset({"(none)", "(unowned)"})
# From 99.5 % on a share is told as "all".
_ALL: Final = 0.995


@dataclass(frozen=True, slots=True)
class Evidence:
    """Hold a further series that shows the same excess; ``excess`` in quanta over its own days."""

    key: SeriesKey
    start: int
    end: int
    excess: int


@dataclass(frozen=True, slots=True)
class Carrier:
    """Name a dimension value and the share of the anomaly's excess that it carries (0.97 is 97 %)."""

    key: SeriesKey
    share: float


@dataclass(frozen=True, slots=True)
class AnomalyDraft:
    """Hold one anomaly (one cause); money in quanta of the primary series' currency over [start, end).

    Attributes:
        anomaly_id: See the module.
        primary: The most specific series that carries the excess.
        kind: What it is.
        direction: +1 too much, -1 too little.
        start: First abnormal step (``step_of``).
        end: Step after the last abnormal one.
        is_open: Whether it may still go on.
        grain: What a step is.
        actual: What was spent; ``expected``, ``low`` and ``high`` what would have been normal.
        score: How unusual its most unusual step is; 1.0 is the threshold.
        evidence: The other series that show it, the largest excess first.
        carriers: The dimension values that explain it (``explain``), empty until asked.
    """

    anomaly_id: str
    primary: SeriesKey
    kind: AnomalyKind
    direction: int
    start: int
    end: int
    is_open: bool
    grain: Grain
    actual: int
    expected: int
    low: int
    high: int
    score: float
    evidence: tuple[Evidence, ...] = ()
    carriers: tuple[Carrier, ...] = field(default=())

    @property
    def excess(self) -> int:
        """Return what was spent beyond the expected; negative for a drop."""
        return self.actual - self.expected

    @property
    def stakes(self) -> int:
        """Return the money at stake: the excess in the anomaly's direction, at least 0."""
        return max(self.excess * self.direction, 0)

    @property
    def steps(self) -> int:
        """Return how many steps it lasts so far."""
        return self.end - self.start


def days_of(draft: AnomalyDraft) -> tuple[int, int]:
    """Return the days that the anomaly touches, [first, end), whatever its grain."""
    steps_a_day = timedelta(days=1) // step_length(draft.grain)
    return draft.start // steps_a_day, -(-draft.end // steps_a_day)


def anomaly_id(key: SeriesKey, direction: int, start: int, grain: Grain) -> str:
    """Return the id of the anomaly that begins on this series at this step."""
    family = "over" if direction == UP else "under"
    return _hashed(json.dumps([key.dimension.value, key.value, key.currency, family, grain.value, start]))


def next_id(taken: str) -> str:
    """Return the id to use when one is taken by another anomaly."""
    return _hashed(json.dumps([taken]))


def _hashed(content: str) -> str:
    return "anm_" + hashlib.sha256(content.encode()).hexdigest()[:26]


def series_name(key: SeriesKey) -> str:
    """Return what a person calls the series."""
    match key.dimension:
        case Dimension.TOTAL:
            return "Total spend"
        case Dimension.SERVICE | Dimension.MODEL:
            return key.value
        case Dimension.TAG:
            return f"Tag {key.value}"
        case _:
            return f"{key.dimension.value.capitalize()} {key.value}"


def describe(draft: AnomalyDraft) -> str:
    """Tell the anomaly in one sentence: who, how much, against what, since when, and what explains it."""
    rate = _amount(draft.actual, draft)
    expected = _amount(draft.expected, draft)
    since = _since(draft)
    return f"{series_name(draft.primary)} {_body(draft, rate, expected, since)}{_explanation(draft)}"


def _body(draft: AnomalyDraft, rate: str, expected: str, since: str) -> str:
    per_step = f" {'an hour' if draft.grain is Grain.HOUR else 'a day'}" if draft.steps > 1 else ""
    currency = draft.primary.currency
    if draft.kind is AnomalyKind.NEW_SPEND:
        return f"is new: {rate} {currency}{per_step} {since}, where nothing was spent before"
    if draft.direction < 0 and draft.actual <= 0 < draft.expected:
        return f"fell silent {since}: nothing spent, {expected} {currency}{per_step} expected"
    verb = "fell to" if draft.direction < 0 else "cost"
    return f"{verb} {rate} {currency}{per_step} {since}, {_against(draft)} the expected {expected}"


def _against(draft: AnomalyDraft) -> str:
    ratio = draft.actual / draft.expected if draft.expected > 0 else _LEAST_UNTOLD_RATIO
    if ratio >= _LEAST_UNTOLD_RATIO:
        return "against"
    if draft.direction < 0 or ratio < _LEAST_TOLD_RATIO:
        return f"{abs(ratio - 1):.0%} {'below' if ratio < 1 else 'above'}"
    return f"{ratio:.1f} {_TIMES}" if ratio < _ROUND_FROM else f"{ratio:,.0f} {_TIMES}"


def _since(draft: AnomalyDraft) -> str:
    begin, until = _bounds(draft)
    zone = " UTC" if draft.grain is Grain.HOUR else ""
    if draft.is_open and (draft.steps > 1 or draft.kind in {AnomalyKind.SHIFT, AnomalyKind.DRIFT}):
        return f"since {begin}{zone}"
    return f"on {begin}{zone}" if draft.steps == 1 else f"from {begin} to {until}{zone}"


def _bounds(draft: AnomalyDraft) -> tuple[str, str]:
    """Return the first and last day; for hours the instants between which it lies, a date once."""
    first, last = step_start(draft.start, draft.grain), step_start(draft.end - 1, draft.grain)
    begin, until = f"{first.day} {first:%b}", f"{last.day} {last:%b}"
    if draft.grain is Grain.DAY:
        return begin, until
    end = f"{step_start(draft.end, draft.grain):%H:%M}"
    return f"{begin} {first:%H:%M}", end if begin == until else f"{until} {end}"


def _explanation(draft: AnomalyDraft) -> str:
    """Return "; 97% of it in account 123 / eu-west-1": the axes that one value carries, at the smallest share."""
    named: dict[str, list[Carrier]] = {}
    for carrier in draft.carriers:
        if carrier.key.axis not in {draft.primary.axis, Dimension.TOTAL.value} and carrier.key.value not in _NOWHERE:
            named.setdefault(carrier.key.axis, []).append(carrier)
    alone = [carriers[0] for carriers in named.values() if len(carriers) == 1]
    single = sorted(alone, key=lambda carrier: _TOLD_FIRST.index(carrier.key.dimension))[:_MOST_PLACES]
    if not single:
        spread = sorted(named.values(), key=lambda carriers: _TOLD_FIRST.index(carriers[0].key.dimension))
        return "".join(_spread(carriers) for carriers in spread[:1])
    share = min(carrier.share for carrier in single)
    places = " / ".join(_place(carrier.key) for carrier in single)
    return f"; {'all' if share >= _ALL else f'{share:.0%}'} of it in {places}"


def _spread(carriers: list[Carrier]) -> str:
    names = ", ".join(f"{_place(carrier.key)} ({carrier.share:.0%})" for carrier in carriers)
    return f"; mostly {names}"


def _place(key: SeriesKey) -> str:
    if key.dimension in {Dimension.REGION, Dimension.SERVICE, Dimension.MODEL, Dimension.TAG}:
        return key.value
    return f"{key.dimension.value} {key.value}"


def _amount(quanta: int, draft: AnomalyDraft) -> str:
    """Return an amount per step as a person reads it: cents, whole units from 1,000 on, two digits below a cent."""
    amount = from_quanta(quanta, draft.primary.currency) / draft.steps
    if abs(amount) >= _WHOLE_UNITS_FROM:
        return f"{amount.quantize(Decimal(1), ROUND_HALF_EVEN):,}"
    if abs(amount) >= _CENT or amount == 0:
        return f"{amount.quantize(_CENT, ROUND_HALF_EVEN):,}"
    return f"{round(amount, 1 - amount.adjusted()):f}"
