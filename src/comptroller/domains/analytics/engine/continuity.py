"""Carry anomalies over runs: what of a run's causes is new, goes on, has ended, or was one all along.

Interface:
    ``decide(observation, drafts, records) -> list[Decision]`` with ``Decision = Merge | Extend | Close | Open``, in
    that order. Applying the decisions and running again over the same data yields none.

A draft continues a record of the same currency and direction when their days overlap or touch and
(1) the draft has the record's id or one of its aliases, else (2) the record's primary series is among the draft's
series, else (3) the draft's primary is among the record's evidence. Each record is continued by one draft, the one of
the largest stakes. Several records that one draft continues by (1) or (2) were one cause: they merge into the
earliest, which then answers for all ids. An open record that nothing continues is closed as soon as a settled step
lies behind it. A record keeps its id for ever, also when its primary series changes; a new draft whose id is taken
(one cause that turns out to be two) gets the next id made from it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from comptroller.domains.analytics.engine.drafts import AnomalyDraft, next_id
from comptroller.domains.analytics.engine.episodes import DEFAULT_RULES, amounts_over
from comptroller.domains.analytics.engine.observation import Observation, SeriesKey
from comptroller.enums import AnomalyKind


@dataclass(frozen=True, slots=True)
class AnomalyOnRecord:
    """Hold an anomaly as it is stored; merged ones are not given (their ids are the survivor's aliases).

    Attributes:
        evidence: The series on record beside the primary.
        aliases: The ids merged into this one.
    """

    anomaly_id: str
    primary: SeriesKey
    kind: AnomalyKind
    direction: int
    start: int
    end: int
    is_open: bool
    actual: int
    expected: int
    low: int
    high: int
    evidence: frozenset[SeriesKey] = frozenset()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Open:
    """Write a new anomaly."""

    draft: AnomalyDraft


@dataclass(frozen=True, slots=True)
class Extend:
    """Set an anomaly on record to the draft: it goes on, came back, or its amounts were restated."""

    anomaly_id: str
    draft: AnomalyDraft


@dataclass(frozen=True, slots=True)
class Close:
    """Close an anomaly's window at ``end``; ``draft`` holds its final amounts, None leaves them as they are."""

    anomaly_id: str
    end: int
    draft: AnomalyDraft | None


@dataclass(frozen=True, slots=True)
class Merge:
    """Fold one anomaly into another; the survivor's aliases gain ``merged_id`` and that one's aliases."""

    surviving_id: str
    merged_id: str


Decision = Merge | Extend | Close | Open


def decide(
    observation: Observation, drafts: Sequence[AnomalyDraft], records: Sequence[AnomalyOnRecord]
) -> list[Decision]:
    """Return what to do so that the record says what the run found; nothing if it does already.

    Args:
        observation: The run's facts (for the amounts of anomalies that began before it).
        drafts: What ``find_causes`` found, less what feedback hides.
        records: The tenant's anomalies that are open or overlap the judged steps.
    """
    ordered = sorted(drafts, key=lambda draft: (-draft.stakes, draft.primary, draft.start))
    continued = _match(ordered, records)
    merges: list[Decision] = []
    changes: list[Decision] = []
    opens: list[Decision] = []
    taken = {known for record in records for known in (record.anomaly_id, *record.aliases)}
    for draft, held in zip(ordered, continued, strict=True):
        if not held:
            opens.append(Open(_with_free_id(draft, taken)))
            continue
        survivor, *merged = sorted(held, key=lambda record: (record.start, record.anomaly_id))
        merges += [Merge(survivor.anomaly_id, record.anomaly_id) for record in merged]
        changes += _update(observation, draft, survivor)
    claimed = {record.anomaly_id for held in continued for record in held}
    ended = [r for r in records if r.is_open and r.anomaly_id not in claimed and r.end < observation.settled_until]
    closes = [Close(record.anomaly_id, record.end, None) for record in sorted(ended, key=lambda r: r.anomaly_id)]
    return [*merges, *changes, *closes, *opens]


class _Claims:
    """Give each record to at most one draft."""

    def __init__(self, records: Iterable[AnomalyOnRecord]) -> None:
        self.by_id: dict[str, list[AnomalyOnRecord]] = defaultdict(list)
        self.by_primary: dict[SeriesKey, list[AnomalyOnRecord]] = defaultdict(list)
        self.by_evidence: dict[SeriesKey, list[AnomalyOnRecord]] = defaultdict(list)
        self._claimed: set[str] = set()
        for record in sorted(records, key=lambda r: (r.start, r.anomaly_id)):
            self.by_primary[record.primary].append(record)
            for key in record.evidence:
                self.by_evidence[key].append(record)
            for known in (record.anomaly_id, *record.aliases):
                self.by_id[known].append(record)

    def claim(self, draft: AnomalyDraft, candidates: Iterable[AnomalyOnRecord], most: int) -> list[AnomalyOnRecord]:
        """Return up to ``most`` of the candidates that the draft continues, none of them taken before."""
        free = [r for r in candidates if r.anomaly_id not in self._claimed and _touches(draft, r)][:most]
        self._claimed.update(record.anomaly_id for record in free)
        return free


def _match(drafts: Sequence[AnomalyDraft], records: Sequence[AnomalyOnRecord]) -> list[list[AnomalyOnRecord]]:
    """Return, for each draft, the records it continues."""
    claims = _Claims(records)
    some = len(records)
    held = [claims.claim(draft, claims.by_id[draft.anomaly_id], some) for draft in drafts]
    for draft, mine in zip(drafts, held, strict=True):
        mine.extend(claims.claim(draft, claims.by_primary[draft.primary], some))
    for draft, mine in zip(drafts, held, strict=True):
        for evidence in draft.evidence:
            mine.extend(claims.claim(draft, claims.by_primary[evidence.key], some))
    for draft, mine in zip(drafts, held, strict=True):
        mine.extend([] if mine else claims.claim(draft, claims.by_evidence[draft.primary], 1))
    return held


def _with_free_id(draft: AnomalyDraft, taken: set[str]) -> AnomalyDraft:
    """Return the draft under an id that is not taken, and take it."""
    free = draft.anomaly_id
    while free in taken:
        free = next_id(free)
    taken.add(free)
    return draft if free == draft.anomaly_id else replace(draft, anomaly_id=free)


def _touches(draft: AnomalyDraft, record: AnomalyOnRecord) -> bool:
    same = record.direction == draft.direction and record.primary.currency == draft.primary.currency
    # As many unflagged steps as an episode bridges: a return after them continues the anomaly.
    gap = DEFAULT_RULES[draft.grain].bridge
    return same and draft.start <= record.end + gap and record.start <= draft.end + gap


def _update(observation: Observation, draft: AnomalyDraft, record: AnomalyOnRecord) -> list[Decision]:
    draft = _carried(observation, draft, record)
    keys = frozenset(evidence.key for evidence in draft.evidence)
    now = (draft.primary, draft.kind, draft.start, draft.end, draft.is_open, draft.actual, draft.expected, keys)
    then = (record.primary, record.kind, record.start, record.end, record.is_open, record.actual, record.expected)
    if now == (*then, record.evidence):
        return []
    if record.is_open and not draft.is_open:
        return [Close(record.anomaly_id, draft.end, draft)]
    return [Extend(record.anomaly_id, draft)]


def _carried(observation: Observation, draft: AnomalyDraft, record: AnomalyOnRecord) -> AnomalyDraft:
    """Return the draft under the record's id; what lies before the judged steps is taken from the record."""
    draft = replace(draft, anomaly_id=record.anomaly_id)
    judged_from = observation.first_step if observation.judged_from is None else observation.judged_from
    if record.start >= judged_from or record.primary != draft.primary:
        return draft
    added = (0, 0, 0, 0)
    if draft.end > record.end:
        row = observation.keys.index(draft.primary)
        added = amounts_over(observation, row, max(record.end, observation.first_step), draft.end)
    return replace(
        draft,
        start=record.start,
        end=max(draft.end, record.end),
        actual=record.actual + added[0],
        expected=record.expected + added[1],
        low=record.low + added[2],
        high=record.high + added[3],
    )
