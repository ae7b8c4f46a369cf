"""Read and write anomalies, their evidence, and what people said of them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as lite_insert
from sqlalchemy.orm import Session

from comptroller.enums import Feedback
from comptroller.models.anomalies import Anomaly, AnomalySeries, MutedSeries, PlannedWindow
from comptroller.types.anomalies import SeriesName

PAGE_MAX: Final = 1000  # a list is read by people or page by page
_PARAMETERS_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class AnomalyRecord:
    """An anomaly as it is stored, with its evidence and the ids merged into it."""

    row: Anomaly
    evidence: frozenset[SeriesName]
    aliases: tuple[str, ...]


def records_since(session: Session, tenant_id: str, since: datetime) -> list[AnomalyRecord]:
    """Return the anomalies of series that are open or reach beyond an instant; merged ones appear as aliases."""
    beyond = (Anomaly.end_at >= since) | Anomaly.is_open
    query = select(Anomaly).where(Anomaly.tenant_id == tenant_id, beyond, Anomaly.direction != 0)
    return [record for record in _records(session, tenant_id, query) if record.row.merged_into is None]


def list_records(
    session: Session,
    tenant_id: str,
    *,
    since: datetime | None,
    limit: int,
    before: tuple[datetime, str] | None = None,
) -> list[AnomalyRecord]:
    """Return the newest anomalies, merged ones left out, from after a place in that order."""
    query = select(Anomaly).where(Anomaly.tenant_id == tenant_id, Anomaly.merged_into.is_(None))
    if since is not None:
        query = query.where(Anomaly.end_at >= since)
    if before is not None:
        at, row_id = before
        query = query.where(Anomaly.end_at <= at, (Anomaly.end_at < at) | (Anomaly.id > row_id))
    return _records(session, tenant_id, query.order_by(Anomaly.end_at.desc(), Anomaly.id).limit(min(limit, PAGE_MAX)))


def find_record(session: Session, tenant_id: str, anomaly_id: str) -> AnomalyRecord | None:
    """Return one anomaly or None."""
    query = select(Anomaly).where(Anomaly.tenant_id == tenant_id, Anomaly.id == anomaly_id)
    return next(iter(_records(session, tenant_id, query)), None)


def _records(session: Session, tenant_id: str, query: Select[Any]) -> list[AnomalyRecord]:
    rows: list[Anomaly] = list(session.scalars(query))
    evidence: dict[str, set[SeriesName]] = {row.id: set() for row in rows}
    aliases: dict[str, list[str]] = {row.id: [] for row in rows}
    for ids in _chunks(list(evidence)):
        series = select(AnomalySeries).where(AnomalySeries.tenant_id == tenant_id, AnomalySeries.anomaly_id.in_(ids))
        for item in session.scalars(series):
            evidence[item.anomaly_id].add(SeriesName(item.dimension, item.value))
        merged = select(Anomaly.merged_into, Anomaly.id).where(
            Anomaly.tenant_id == tenant_id, Anomaly.merged_into.in_(ids)
        )
        for survivor, merged_id in session.execute(merged):
            aliases[str(survivor)].append(merged_id)
    return [AnomalyRecord(row, frozenset(evidence[row.id]), tuple(aliases[row.id])) for row in rows]


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield ids in pieces that every database takes as parameters."""
    for start in range(0, len(ids), _PARAMETERS_MAX):
        yield ids[start : start + _PARAMETERS_MAX]


def ids_on_record(session: Session, tenant_id: str, anomaly_ids: Iterable[str]) -> set[str]:
    """Return those of the ids that the tenant has."""
    found: set[str] = set()
    for ids in _chunks(list(anomaly_ids)):
        found.update(session.scalars(select(Anomaly.id).where(Anomaly.tenant_id == tenant_id, Anomaly.id.in_(ids))))
    return found


def insert_anomaly(session: Session, values: dict[str, Any]) -> bool:
    """Write a new anomaly; False if the tenant has that id already."""
    dialect_insert = pg_insert if session.connection().dialect.name == "postgresql" else lite_insert
    statement = dialect_insert(Anomaly).values(**values).on_conflict_do_nothing().returning(Anomaly.id)
    return session.execute(statement).first() is not None


def update_anomaly(session: Session, tenant_id: str, anomaly_id: str, values: dict[str, Any]) -> None:
    """Set columns of an anomaly."""
    session.execute(update(Anomaly).where(Anomaly.tenant_id == tenant_id, Anomaly.id == anomaly_id).values(**values))


def close_anomaly(session: Session, tenant_id: str, anomaly_id: str, *, now: datetime) -> bool:
    """Close an anomaly's window; False if it is closed already."""
    where = (Anomaly.tenant_id == tenant_id, Anomaly.id == anomaly_id, Anomaly.is_open)
    closed = update(Anomaly).where(*where).values(is_open=False, updated_at=now).returning(Anomaly.id)
    return session.execute(closed).first() is not None


def set_evidence(session: Session, tenant_id: str, anomaly_id: str, stakes: dict[SeriesName, int]) -> None:
    """Set the series that show an anomaly."""
    where = (AnomalySeries.tenant_id == tenant_id, AnomalySeries.anomaly_id == anomaly_id)
    session.execute(delete(AnomalySeries).where(*where))
    rows = [
        {
            "tenant_id": tenant_id,
            "anomaly_id": anomaly_id,
            "dimension": name.dimension,
            "value": name.value,
            "stake_quanta": q,
        }
        for name, q in sorted(stakes.items())
    ]
    if rows:
        session.execute(insert(AnomalySeries), rows)


def merge_anomaly(session: Session, tenant_id: str, merged_id: str, surviving_id: str, *, now: datetime) -> bool:
    """Point an anomaly, and what was merged into it before, at the one that survives; False if it is done already."""
    folded = update(Anomaly).values(merged_into=surviving_id, is_open=False, updated_at=now)
    mine = (Anomaly.tenant_id == tenant_id, Anomaly.id == merged_id, Anomaly.merged_into.is_(None))
    if session.execute(folded.where(*mine).returning(Anomaly.id)).first() is None:
        return False
    session.execute(folded.where(Anomaly.tenant_id == tenant_id, Anomaly.merged_into == merged_id))
    return True


def opinions(session: Session, tenant_id: str) -> list[Anomaly]:
    """Return the anomalies that people said something of."""
    return list(session.scalars(select(Anomaly).where(Anomaly.tenant_id == tenant_id, Anomaly.feedback.is_not(None))))


def set_feedback(
    session: Session, tenant_id: str, anomaly_id: str, feedback: Feedback, *, actor: str, now: datetime
) -> None:
    """Write what a person said of an anomaly."""
    values = {"feedback": feedback.value, "feedback_by": actor, "feedback_at": now}
    update_anomaly(session, tenant_id, anomaly_id, values)


def planned_windows(session: Session, tenant_id: str) -> list[PlannedWindow]:
    """Return the tenant's planned windows."""
    return list(session.scalars(select(PlannedWindow).where(PlannedWindow.tenant_id == tenant_id)))


def muted_series(session: Session, tenant_id: str) -> list[MutedSeries]:
    """Return the tenant's muted series."""
    return list(session.scalars(select(MutedSeries).where(MutedSeries.tenant_id == tenant_id)))


def add_planned_window(session: Session, tenant_id: str, values: dict[str, Any]) -> None:
    """Write a planned window."""
    session.execute(insert(PlannedWindow).values(tenant_id=tenant_id, **values))


def add_muted_series(
    session: Session, tenant_id: str, name: SeriesName, *, reason: str, actor: str, now: datetime
) -> None:
    """Write a muted series; one that is there already stays as it is."""
    dialect_insert = pg_insert if session.connection().dialect.name == "postgresql" else lite_insert
    values = {**name._asdict(), "reason": reason, "created_by": actor, "created_at": now}
    session.execute(dialect_insert(MutedSeries).values(tenant_id=tenant_id, **values).on_conflict_do_nothing())


def remove_muted_series(session: Session, tenant_id: str, name: SeriesName) -> bool:
    """Remove a muted series; False if it was not there."""
    where = (
        MutedSeries.tenant_id == tenant_id,
        MutedSeries.dimension == name.dimension,
        MutedSeries.value == name.value,
    )
    return session.execute(delete(MutedSeries).where(*where).returning(MutedSeries.value)).first() is not None
