"""Use cases of anomalies: detect, list, say what they were, plan, mute."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from sqlalchemy.orm import Session

from comptroller import checks
from comptroller.domains.analytics.driver.slices import Cell
from comptroller.domains.analytics.engine.observation import SeriesKey, step_start
from comptroller.enums import CostMetric, Dimension, Sensitivity, Severity
from comptroller.errors import InvalidInputError
from comptroller.money import from_quanta
from comptroller.spine.orchestrator.operation import Do, Steps, Work, operation, procedure, reading
from comptroller.spine.services import anomalies as service
from comptroller.spine.services.cost_anomaly_detector import write_verdict
from comptroller.spine.services.detection_facts import Facts, read_facts
from comptroller.spine.services.findings import Finding, Options
from comptroller.spine.services.judging import Verdict, judge
from comptroller.spine.services.limit_periods import check_limits
from comptroller.spine.services.sharpening import Want, read_slices, sharpen, wanted
from comptroller.types.anomalies import Anomaly, DetectionReport, Found
from comptroller.types.caller import Caller
from comptroller.words import member

DEFAULT_PAGE: Final = 100


@reading
def _read(session: Session, caller: Caller, metric: CostMetric) -> Facts | None:
    return read_facts(session, caller.tenant, metric=metric, now=caller.now())


@reading
def _slice(session: Session, caller: Caller, wants: list[Want], metric: CostMetric) -> dict[str, list[Cell]]:
    return read_slices(session, caller.tenant, wants, metric=metric)


@operation
def _write(session: Session, caller: Caller, verdict: Verdict) -> dict[str, str]:
    return write_verdict(session, caller.tenant, verdict, now=caller.now())


@operation
def _check_periods(session: Session, caller: Caller, metric: CostMetric) -> list[Found]:
    return check_limits(session, caller.tenant, metric=metric, now=caller.now())


@reading
def _foresee_periods(session: Session, caller: Caller, metric: CostMetric) -> list[Found]:
    return check_limits(session, caller.tenant, metric=metric, now=caller.now(), dry_run=True)


@procedure
def detect(
    _caller: Caller,
    *,
    sensitivity: str = Sensitivity.NORMAL,
    cost: str = CostMetric.EFFECTIVE,
    min_amount: Decimal | None = None,
    min_percent: Decimal | None = None,
    dry_run: bool = False,
) -> Steps[DetectionReport]:
    """Judge what was spent, open an incident for every anomaly, and check the periods of limits.

    Args:
        sensitivity: ``normal`` (at most 0.2 false alarms per 1,000 series-days) or ``high`` (at most 1.0).
        cost: Which cost is judged: ``effective``, ``billed``, ``list`` or ``contracted``.
        min_amount: Below this much at stake an incident opens suppressed, without a notice.
        min_percent: Likewise below this much above the expected; with ``min_amount``, both must be met.
        dry_run: Judge and report, write nothing.

    Returns:
        Every anomaly of the judged time, the gravest first; running again over the same data changes nothing.
    """
    metric, options = read_options(sensitivity, cost, min_amount, min_percent)
    facts: Facts | None = yield Do(_read, (metric,))
    if facts is None:
        return DetectionReport((), 0, None, None, options.sensitivity)
    verdict: Verdict = yield Work(judge, (facts, options))
    wants = wanted(verdict)
    if wants:
        slices: dict[str, list[Cell]] = yield Do(_slice, (wants, metric))
        verdict = yield Work(sharpen, (verdict, slices))
    incidents: dict[str, str] = {}
    if not dry_run:
        incidents = yield Do(_write, (verdict,))
    periods: list[Found] = yield Do(_foresee_periods if dry_run else _check_periods, (metric,))
    return _report(facts, verdict, options, incidents, periods)


def read_options(
    sensitivity: str, cost: str, min_amount: Decimal | None, min_percent: Decimal | None
) -> tuple[CostMetric, Options]:
    """Return how to judge; what is not understood raises InvalidInputError, before anything is done."""
    rules = service.notice_rules(min_amount, min_percent)
    return member(CostMetric, "cost", cost), Options(member(Sensitivity, "sensitivity", sensitivity), rules)


def _report(
    facts: Facts, verdict: Verdict, options: Options, incidents: dict[str, str], periods: list[Found]
) -> DetectionReport:
    found = [_found(finding, incidents.get(finding.draft.anomaly_id)) for finding in verdict.findings]
    grid = facts.daily
    order = list(Severity)
    return DetectionReport(
        found=tuple(sorted([*periods, *found], key=lambda one: order.index(one.anomaly.severity))),
        series=verdict.series,
        first_at=None if grid is None else step_start(grid.first_step),
        last_at=None if grid is None else step_start(grid.end_step),
        sensitivity=options.sensitivity,
        spend={} if grid is None else _spend(grid.keys, [int(row) for row in grid.quanta.sum(axis=1)]),
        closed=len(verdict.closes),
        merged=len(verdict.merges),
    )


def _spend(keys: tuple[SeriesKey, ...], sums: list[int]) -> dict[str, Decimal]:
    totals = zip(keys, sums, strict=True)
    return {key.currency: from_quanta(total, key.currency) for key, total in totals if key.dimension is Dimension.TOTAL}


def _found(finding: Finding, incident_id: str | None) -> Found:
    return Found(service.as_anomaly(finding), finding.change, incident_id, finding.curve)


@reading
def list_anomalies(
    session: Session,
    caller: Caller,
    *,
    since: date | None = None,
    limit: int = DEFAULT_PAGE,
    before: str | None = None,
) -> list[Anomaly]:
    """Return anomalies, the newest first, at most 1,000 at once.

    Args:
        session: The transaction.
        caller: Whose anomalies.
        since: Leaves out those that ended before it.
        limit: At most so many.
        before: The id of the last one seen.
    """
    instant = None if since is None else datetime(since.year, since.month, since.day, tzinfo=UTC)
    return service.list_anomalies(session, caller.tenant, since=instant, before=before, limit=limit)


@reading
def get_anomaly(session: Session, caller: Caller, anomaly_id: str) -> Anomaly:
    """Return one anomaly; an unknown id raises NotFoundError."""
    return service.get_anomaly(session, caller.tenant, anomaly_id)


@operation
def give_feedback(session: Session, caller: Caller, anomaly_id: str, feedback: str, *, note: str = "") -> Anomaly:
    """Say what an anomaly was: ``true``, ``false`` or ``planned``; only later runs heed it, the record stays."""
    return service.give_feedback(session, caller, anomaly_id, feedback, note=note, now=caller.now())


@operation
def plan_window(
    session: Session,
    caller: Caller,
    *,
    start: date,
    end: date,
    reason: str,
    dimension: str | None = None,
    value: str | None = None,
) -> str:
    """Announce days (``end`` excluded) of unusual spend: their incidents open suppressed, without a notice."""
    if end <= start:
        raise InvalidInputError(f"planned window ends on {end}, not after its start {start}")
    scope = {} if dimension is None else {dimension: checks.required_id("value", value)}
    return service.plan_window(session, caller, start=start, end=end, reason=reason, scope=scope, now=caller.now())


@operation
def mute_series(session: Session, caller: Caller, dimension: str, value: str, *, reason: str) -> None:
    """Open the incidents of a series suppressed from now on; they stay on record."""
    service.mute_series(session, caller, dimension, value, reason=reason, now=caller.now())


@operation
def unmute_series(session: Session, caller: Caller, dimension: str, value: str) -> None:
    """Tell the incidents of a series again."""
    service.unmute_series(session, caller, dimension, value, now=caller.now())
