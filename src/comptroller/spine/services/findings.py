"""Add to each draft what a person needs: explanation, severity, owner, sentence, curve."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from comptroller.domains.analytics.engine.continuity import Close, Decision, Extend, Open
from comptroller.domains.analytics.engine.drafts import AnomalyDraft, describe
from comptroller.domains.analytics.engine.explain import Explainer
from comptroller.domains.analytics.engine.feedback import planned_windows
from comptroller.domains.analytics.engine.observation import Observation, SeriesKey, step_start
from comptroller.domains.analytics.engine.severity import NoticeRules, judge_severity, suppression
from comptroller.enums import Dimension, Grain, Sensitivity, Severity, SuppressedReason
from comptroller.spine.services.detection_facts import Facts
from comptroller.types.anomalies import Change, Curve

HOURS_A_DAY: Final = 24
# A drawn curve shows what was normal before the anomaly.
CURVE_STEPS_BEFORE: Final = 45
_USUAL_DAYS: Final = 28
_OWNED: Final = {
    "account": Dimension.ACCOUNT,
    "subscription": Dimension.ACCOUNT,
    "model": Dimension.MODEL,
    "tag": Dimension.TAG,
}


@dataclass(frozen=True, slots=True)
class Options:
    """How to judge."""

    sensitivity: Sensitivity = Sensitivity.NORMAL
    notice: NoticeRules = field(default_factory=NoticeRules)


@dataclass(frozen=True, slots=True)
class Finding:
    """One anomaly of the run, ready to be written: what it is, how grave, why, and what became of it."""

    draft: AnomalyDraft
    change: Change
    severity: Severity
    suppressed_reason: SuppressedReason | None
    description: str
    team: str | None
    owner: str | None
    curve: Curve


class Finisher:
    """Adds to each draft what a person needs: explanation, severity, owner, sentence, curve."""

    def __init__(self, facts: Facts, options: Options, seen: Observation) -> None:
        self._facts = facts
        self._options = options
        self._seen = seen
        self._explainer = Explainer(seen)
        self._rows = {key: row for row, key in enumerate(seen.keys)}
        self._planned = [*facts.planned, *planned_windows(facts.opinions)]

    def finish(self, drafts: Sequence[AnomalyDraft], decisions: Sequence[Decision]) -> list[Finding]:
        """Return a finding for every draft, changed or not."""
        findings = []
        decided: set[tuple[SeriesKey, int]] = set()
        for decision in decisions:
            if isinstance(decision, Open):
                findings.append(self._finding(decision.draft, Change.OPENED))
                decided.add((decision.draft.primary, decision.draft.end))
            elif isinstance(decision, Extend | Close) and decision.draft is not None:
                change = Change.EXTENDED if isinstance(decision, Extend) else Change.CLOSED
                findings.append(self._finding(decision.draft, change))
                decided.add((decision.draft.primary, decision.draft.end))
        rest = [draft for draft in drafts if (draft.primary, draft.end) not in decided]
        return findings + [self._finding(self._recorded(draft), Change.UNCHANGED) for draft in rest]

    def _recorded(self, draft: AnomalyDraft) -> AnomalyDraft:
        """Return an unchanged draft under the id that it has on record."""
        for held in self._facts.on_record:
            record = held.record
            if record.primary == draft.primary and record.end == draft.end and held.grain is draft.grain:
                return replace(draft, anomaly_id=record.anomaly_id)
        return draft

    def _finding(self, draft: AnomalyDraft, change: Change) -> Finding:
        draft = replace(draft, carriers=self._explainer.explain(draft))
        severity = judge_severity(draft, self._usual_total(draft.primary.currency))
        team, owner = self._owner(draft)
        return Finding(
            draft=draft,
            change=change,
            severity=severity,
            suppressed_reason=suppression(draft, self._options.notice, self._planned, self._facts.muted),
            description=describe(draft),
            team=team,
            owner=owner,
            curve=draw_curve(self._seen, self._rows[draft.primary], draft),
        )

    def _usual_total(self, currency: str) -> int:
        row = self._rows.get(SeriesKey(Dimension.TOTAL, "(total)", currency))
        if row is None:
            return 0
        steps_a_day = HOURS_A_DAY if self._seen.grain is Grain.HOUR else 1
        newest = self._seen.actual_quanta[row, -_USUAL_DAYS * steps_a_day :]
        return int(np.median(newest) * steps_a_day)

    def _owner(self, draft: AnomalyDraft) -> tuple[str | None, str | None]:
        named = [draft.primary, *(carrier.key for carrier in draft.carriers), *(item.key for item in draft.evidence)]
        for field_name, value, team, owner in self._facts.owners:
            if any(_owns(field_name, value, key) for key in named):
                return team, owner
        teams = [key.value for key in named if key.dimension is Dimension.TEAM]
        return (teams[0] if teams else None), None


def draw_curve(seen: Observation, row: int, draft: AnomalyDraft) -> Curve:
    """Return a series around an anomaly: what was normal before it, and a while after."""
    low = max(draft.start - CURVE_STEPS_BEFORE, seen.first_step) - seen.first_step
    high = min(draft.end + CURVE_STEPS_BEFORE // 3, seen.end_step) - seen.first_step
    unit = float(seen.units(np.array([row]))[0])
    verdict, span = seen.judgement, slice(low, high)
    steps = range(low + seen.first_step, high + seen.first_step)
    return Curve(
        start_at=step_start(low + seen.first_step, seen.grain),
        actual=tuple((seen.actual_quanta[row, span] / unit).tolist()),
        expected=tuple(verdict.expected[row, span].astype(float).tolist()),
        low=tuple(verdict.low[row, span].astype(float).tolist()),
        high=tuple(verdict.high[row, span].astype(float).tolist()),
        abnormal=tuple(draft.start <= step < draft.end for step in steps),
    )


def _owns(field_name: str, value: str, key: SeriesKey) -> bool:
    """Tell whether an owner rule is about a series; a subscription is an account."""
    return _OWNED.get(field_name) is key.dimension and key.value == value
