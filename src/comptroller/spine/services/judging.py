"""Turn facts into findings: judge the series, find causes, compare with the record. No database, no clock."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from comptroller.domains.analytics.engine.causes import find_causes
from comptroller.domains.analytics.engine.continuity import AnomalyOnRecord, Close, Merge, decide
from comptroller.domains.analytics.engine.daily import judge_daily
from comptroller.domains.analytics.engine.drafts import AnomalyDraft
from comptroller.domains.analytics.engine.episodes import find_episodes
from comptroller.domains.analytics.engine.feedback import heed_feedback
from comptroller.domains.analytics.engine.grid import Grid
from comptroller.domains.analytics.engine.hourly import judge_hourly
from comptroller.domains.analytics.engine.newcomers import leave_out_early_drops, let_new_spend_last
from comptroller.domains.analytics.engine.observation import Observation, step_start
from comptroller.domains.analytics.engine.panel import Panel
from comptroller.domains.analytics.engine.provisional import provisional_steps
from comptroller.domains.analytics.engine.severity import rank
from comptroller.enums import Grain
from comptroller.spine.services.detection_facts import HISTORY_DAYS, Facts, OnRecord
from comptroller.spine.services.findings import HOURS_A_DAY, Finding, Finisher, Options

# Where older history was cut off, the first days only make the baselines: what happened then was judged back then.
WARM_UP_DAYS: Final = 60
# Hourly verdicts are kept for the newest days, which daily data cannot judge yet.
HOURLY_DAYS: Final = 2
# So many of the newest hours end no anomaly: usage of an hour arrives late.
FILLING_HOURS: Final = 3


@dataclass(slots=True)
class Verdict:
    """What a run decided.

    Attributes:
        findings: Every anomaly of the judged time, the gravest first.
        merges: (surviving, merged) ids.
        closes: Ids whose time is over, with the step after their last one.
        series: How many series were judged.
    """

    findings: list[Finding] = field(default_factory=list)
    merges: list[tuple[str, str]] = field(default_factory=list)
    closes: list[tuple[str, int, Grain]] = field(default_factory=list)
    series: int = 0


def judge(facts: Facts, options: Options) -> Verdict:
    """Judge daily and hourly series and compare what they show with the record."""
    verdict = Verdict()
    if facts.daily is not None:
        verdict.series = len(facts.daily.keys)
        _collect(facts, options, _observe_days(facts, facts.daily, options), verdict)
    if facts.hourly is not None:
        _collect(facts, options, _observe_hours(facts.hourly, options), verdict)
    verdict.findings.sort(key=lambda finding: rank(finding.draft, finding.severity))
    return verdict


def _observe_days(facts: Facts, grid: Grid, options: Options) -> Observation:
    provisional = provisional_steps(facts.fullness, grid.end_step, grid.quanta.shape[1])
    panel = Panel(grid.values, step_start(grid.first_step).date())
    verdict = judge_daily(panel, sensitivity=options.sensitivity, provisional=provisional.shares)
    let_new_spend_last(verdict, grid.quanta, Grain.DAY)
    leave_out_early_drops(verdict, grid.quanta)
    judged_from = grid.first_step + (WARM_UP_DAYS if grid.quanta.shape[1] >= HISTORY_DAYS else 0)
    return Observation(
        grid.keys, grid.quanta, verdict, grid.first_step, provisional.settled_until, judged_from=judged_from
    )


def _observe_hours(grid: Grid, options: Options) -> Observation:
    first_hour = step_start(grid.first_step, Grain.HOUR)
    verdict = judge_hourly(grid.values, first_hour=first_hour, sensitivity=options.sensitivity)
    let_new_spend_last(verdict, grid.quanta, Grain.HOUR)
    fresh = max(grid.end_step - HOURLY_DAYS * HOURS_A_DAY - grid.first_step, 0)
    verdict.flag[:, :fresh] = False
    verdict.score[:, :fresh] = 0
    verdict.kind[:, :fresh] = 0
    # An hour that is still being filled may only be too high; but what was too high ends with the first normal hours.
    begin = grid.first_step + fresh
    settled = max(grid.end_step - FILLING_HOURS, begin)
    return Observation(grid.keys, grid.quanta, verdict, grid.first_step, settled, Grain.HOUR, begin, begin)


def _collect(facts: Facts, options: Options, seen: Observation, verdict: Verdict) -> None:
    """Add one grain's findings; an hourly cause that the days show already is theirs."""
    drafts, _hidden = heed_feedback(find_causes(seen, find_episodes(seen)), facts.opinions)
    drafts = [draft for draft in drafts if not _is_shown(draft, verdict.findings)]
    records = [_in_grain(held, seen.grain) for held in facts.on_record if _is_comparable(held, seen.grain)]
    decisions = decide(seen, drafts, records)
    verdict.merges += [(d.surviving_id, d.merged_id) for d in decisions if isinstance(d, Merge)]
    verdict.closes += [(d.anomaly_id, d.end, seen.grain) for d in decisions if isinstance(d, Close) and d.draft is None]
    verdict.findings += Finisher(facts, options, seen).finish(drafts, decisions)


def _is_comparable(held: OnRecord, grain: Grain) -> bool:
    return grain is Grain.DAY or held.grain is Grain.HOUR


def _in_grain(held: OnRecord, grain: Grain) -> AnomalyOnRecord:
    """Return the record on the run's time axis: an hourly one covers the days it touches."""
    if held.grain is grain:
        return held.record
    start, end = held.record.start // HOURS_A_DAY, -(-held.record.end // HOURS_A_DAY)
    return replace(held.record, start=start, end=end)


def _is_shown(draft: AnomalyDraft, known: Sequence[Finding]) -> bool:
    """Tell whether a daily finding shows the same: a shared series, the same direction, on the same days."""
    if draft.grain is Grain.DAY:
        return False
    names = {draft.primary, *(item.key for item in draft.evidence)}
    first, end = draft.start // HOURS_A_DAY, -(-draft.end // HOURS_A_DAY)
    return any(
        finding.draft.direction == draft.direction
        and finding.draft.start < end
        and first < finding.draft.end
        and names & {finding.draft.primary, *(item.key for item in finding.draft.evidence)}
        for finding in known
    )
