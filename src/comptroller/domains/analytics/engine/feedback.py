"""Let what people said of past anomalies make repeats quieter, and nothing else.

Interface:
    ``heed_feedback(drafts, feedback, rules) -> (kept, hidden)`` between ``find_causes`` and ``decide``;
    ``planned_windows(feedback) -> list[PlannedWindow]`` for ``suppression``;
    ``needed_score(...)`` is the rule itself.

"false" multiplies the score that a later anomaly of the same kind on the same series needs by 1.5, up to 4 times the
threshold; the effect halves every 90 days, counted from the day of the anomaly it was said of to the repeat, so that
a replay decides the same. "true" takes one "false" back. "planned" changes no score: it marks exactly the days of its
anomaly as planned. Other kinds, other series, and the anomaly itself are never touched.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from comptroller.domains.analytics.engine.drafts import AnomalyDraft, days_of
from comptroller.domains.analytics.engine.observation import SeriesKey
from comptroller.domains.analytics.engine.severity import PlannedWindow, Scope
from comptroller.enums import AnomalyKind, Feedback


@dataclass(frozen=True, slots=True)
class FeedbackRules:
    """Say how much one "false" counts.

    Attributes:
        factor: By how much one "false" raises the needed score.
        most: The highest needed score; something far out is told however often smaller ones were called false.
        half_life_days: After how long it counts half.
    """

    factor: float = 1.5
    most: float = 4.0
    half_life_days: float = 90.0


@dataclass(frozen=True, slots=True)
class Opinion:
    """Hold what a person said of one anomaly (its latest word): its series and kind, and the days it touches.

    Days are days (``step_of(date)``) for hourly anomalies too.
    """

    key: SeriesKey
    kind: AnomalyKind
    start: int
    end: int
    feedback: Feedback


def heed_feedback(
    drafts: Iterable[AnomalyDraft], feedback: Iterable[Opinion], rules: FeedbackRules | None = None
) -> tuple[list[AnomalyDraft], list[AnomalyDraft]]:
    """Return the drafts that stay and those that feedback makes too small to tell.

    Args:
        drafts: This run's causes.
        feedback: What was said before this run.
        rules: How much it counts.
    """
    rules = rules or FeedbackRules()
    said: dict[tuple[SeriesKey, AnomalyKind], list[Opinion]] = defaultdict(list)
    for opinion in feedback:
        said[opinion.key, opinion.kind].append(opinion)
    kept: list[AnomalyDraft] = []
    hidden: list[AnomalyDraft] = []
    for draft in drafts:
        (kept if _stays(draft, said, rules) else hidden).append(draft)
    return kept, hidden


def _stays(
    draft: AnomalyDraft, said: Mapping[tuple[SeriesKey, AnomalyKind], Sequence[Opinion]], rules: FeedbackRules
) -> bool:
    opinions = said.get((draft.primary, draft.kind), ())
    first, end = days_of(draft)
    if any(opinion.start < end and first < opinion.end for opinion in opinions):
        return True
    ages = [(float(first - opinion.end), opinion.feedback) for opinion in opinions if opinion.end <= first]
    return draft.score >= needed_score(ages, rules)


def needed_score(opinions: Iterable[tuple[float, Feedback]], rules: FeedbackRules) -> float:
    """Return the score that a repeat needs; 1.0 is the detector's threshold.

    Args:
        opinions: How many days ago each earlier anomaly was, and what was said of it.
        rules: How much it counts.
    """
    weight = 0.0
    for days, feedback in opinions:
        match feedback:
            case Feedback.FALSE:
                weight += 0.5 ** (days / rules.half_life_days)
            case Feedback.TRUE:
                weight -= 0.5 ** (days / rules.half_life_days)
            case Feedback.PLANNED:
                pass
            case _:
                assert_never(feedback)
    return min(math.pow(rules.factor, max(weight, 0.0)), rules.most)


def planned_windows(feedback: Iterable[Opinion]) -> list[PlannedWindow]:
    """Return the days that people called planned: those of the anomalies themselves, on their series."""
    return [
        PlannedWindow(Scope(o.key.dimension, o.key.value, o.key.currency), o.start, o.end)
        for o in feedback
        if o.feedback is Feedback.PLANNED
    ]
