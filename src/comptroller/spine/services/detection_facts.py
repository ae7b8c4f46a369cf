"""Read everything a detection run judges by, in one consistent reading."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from comptroller.domains.analytics.driver import anomalies as driver
from comptroller.domains.analytics.driver import series
from comptroller.domains.analytics.driver.owners import owner_rules
from comptroller.domains.analytics.engine.continuity import AnomalyOnRecord
from comptroller.domains.analytics.engine.feedback import Opinion
from comptroller.domains.analytics.engine.grid import Grid, lay_out
from comptroller.domains.analytics.engine.observation import SeriesKey, step_of, step_start
from comptroller.domains.analytics.engine.provisional import Fullness, fill_samples, learn_fullness
from comptroller.domains.analytics.engine.severity import PlannedWindow, Scope
from comptroller.enums import AnomalyKind, CostMetric, Dimension, Feedback, Grain, Severity, SuppressedReason
from comptroller.models.anomalies import Anomaly as Row
from comptroller.types.anomalies import SeriesName

# A year, so that month ends have eleven earlier ones to learn from, and what settles a baseline before it.
HISTORY_DAYS: Final = 420
# Five weeks of hours: four to learn a week's shape, one to judge.
HISTORY_HOURS: Final = 35 * 24


@dataclass(frozen=True, slots=True)
class OnRecord:
    """An anomaly on record, in its own grain, with what the incident was told."""

    record: AnomalyOnRecord
    grain: Grain
    severity: Severity
    suppressed_reason: SuppressedReason | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What a run judges by; ``daily`` and ``hourly`` are None where there is no such data."""

    daily: Grid | None
    hourly: Grid | None
    fullness: Fullness | None
    on_record: tuple[OnRecord, ...]
    opinions: tuple[Opinion, ...]
    planned: tuple[PlannedWindow, ...]
    muted: tuple[Scope, ...]
    owners: tuple[tuple[str, str, str, str | None], ...]


def read_facts(session: Session, tenant_id: str, *, metric: CostMetric, now: datetime) -> Facts | None:
    """Return the facts, or None where the tenant has no Usage.

    Bills may name periods to come: days after that of ``now`` are kept, and judged when they have come.
    """
    conn = session.connection()
    last = series.last_day(conn, tenant_id, today=now.date())
    if last is None:
        return None
    since = last - timedelta(days=HISTORY_DAYS)
    end = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)
    hours_since = end - timedelta(hours=HISTORY_HOURS)
    records = driver.records_since(session, tenant_id, datetime(since.year, since.month, since.day, tzinfo=UTC))
    samples = [sample for of_one in series.filling(conn, tenant_id, metric=metric) for sample in fill_samples(of_one)]
    return Facts(
        daily=lay_out(series.daily_series(conn, tenant_id, metric=metric, since=since, until=end.date())),
        hourly=lay_out(series.hourly_series(conn, tenant_id, metric=metric, since=hours_since, until=end)),
        fullness=learn_fullness(samples),
        on_record=tuple(_on_record(record) for record in records),
        opinions=tuple(_opinion(row) for row in driver.opinions(session, tenant_id)),
        planned=tuple(_planned(session, tenant_id)),
        muted=tuple(Scope(Dimension(m.dimension), m.value) for m in driver.muted_series(session, tenant_id)),
        owners=tuple(owner_rules(session, tenant_id)),
    )


def _on_record(record: driver.AnomalyRecord) -> OnRecord:
    row, grain = record.row, Grain(record.row.grain)
    held = AnomalyOnRecord(
        anomaly_id=row.id,
        primary=_key(row),
        kind=AnomalyKind(row.kind),
        direction=row.direction,
        start=step_of(row.start_at, grain),
        end=step_of(row.end_at, grain),
        is_open=row.is_open,
        actual=row.actual_quanta,
        expected=row.expected_quanta,
        low=row.low_quanta,
        high=row.high_quanta,
        evidence=frozenset(_evidence(name, row.currency) for name in record.evidence),
        aliases=record.aliases,
    )
    reason = SuppressedReason(row.suppressed_reason) if row.suppressed_reason else None
    return OnRecord(held, grain, Severity(row.severity), reason)


def _evidence(name: SeriesName, currency: str) -> SeriesKey:
    return SeriesKey(Dimension(name.dimension), name.value, currency)


def _key(row: Row) -> SeriesKey:
    return SeriesKey(Dimension(row.dimension), row.value, row.currency)


def _opinion(row: Row) -> Opinion:
    start, end = step_of(row.start_at), _day_after(row.end_at)
    return Opinion(_key(row), AnomalyKind(row.kind), start, end, Feedback(str(row.feedback)))


def _day_after(moment: datetime) -> int:
    """Return the first day that begins at or after the instant."""
    day = step_of(moment)
    return day if step_start(day) == moment else day + 1


def _planned(session: Session, tenant_id: str) -> list[PlannedWindow]:
    windows = []
    for row in driver.planned_windows(session, tenant_id):
        dimension, value = next(iter(row.scope.items()), (None, None))
        scope = Scope(Dimension(dimension) if dimension else None, value)
        windows.append(PlannedWindow(scope, step_of(row.start_on), step_of(row.end_on)))
    return windows
