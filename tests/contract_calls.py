"""The contract's functions as the tests call them: whichever twin fits the session, with values that are all right."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import FromClause, Table, insert
from sqlalchemy.orm import Session
from sqlalchemy.sql import Executable

from comptroller.models.anomalies import Anomaly
from comptroller.models.policy_control_plane import Limit
from comptroller.spine.drivers.cross_domain import (
    create_incident_from_cost_anomaly,
    create_incident_from_cost_anomaly_sync,
    record_limit_breach,
    record_limit_breach_sync,
    table_exists,
)
from sessions import Governed

ANOMALY: dict[str, Any] = {
    "tenant_id": "acme",
    "anomaly_id": "anomaly-1",
    "anomaly_type": "USER_SPIKE",
    "severity": "HIGH",
    "current_value_cents": 15_000,
    "expected_value_cents": 10_000,
}
CROSSING: dict[str, Any] = {
    "tenant_id": "acme",
    "limit_id": "limit-1",
    "breach_type": "BREACHED",
    "value_at_breach": Decimal("150.00"),
    "limit_value": Decimal("100.00"),
}
NOW = datetime(2026, 11, 1, tzinfo=UTC)
FILLERS: dict[str, Any] = {
    "String": "x",
    "Text": "x",
    "Integer": 1,
    "BigInteger": 1,
    "SmallInteger": 1,
    "Float": 1.0,
    "Boolean": False,
    "UtcDateTime": NOW,
    "JSON": {},
}


def filled(table: FromClause, **values: Any) -> Executable:
    """Return an INSERT of one row that says what is given and fills the columns that must not be empty."""
    assert isinstance(table, Table)
    absent = [column for column in table.columns if not column.nullable and column.name not in values]
    fillers = {column.name: FILLERS[type(column.type).__name__] for column in absent}
    return insert(table).values({**fillers, **values})


def open_incident(governed: Governed, **changes: Any) -> str:
    """Call the incident function that fits the session."""
    answer: str = governed.call(
        create_incident_from_cost_anomaly_sync, create_incident_from_cost_anomaly, **{**ANOMALY, **changes}
    )
    return answer


def record_breach(governed: Governed, **changes: Any) -> str:
    """Call the breach function that fits the session."""
    answer: str = governed.call(record_limit_breach_sync, record_limit_breach, **{**CROSSING, **changes})
    return answer


def fail(governed: Governed) -> str:
    """Call the incident function with a severity that does not exist."""
    return open_incident(governed, severity="DREADFUL")


def is_there(governed: Governed, name: str) -> bool:
    """Call ``table_exists``, which has no sync twin: a sync session goes by what the async one is bridged to."""
    if governed.is_async:
        found: bool = governed.result(table_exists(governed.session, name))
        return found
    from comptroller.database import table_is_there

    return table_is_there(governed.session.connection(), name)


def add_limit(governed: Governed, *, tenant_id: str = "acme", limit_id: str = "limit-1") -> None:
    """Commit a limit."""
    row = filled(Limit.__table__, tenant_id=tenant_id, id=limit_id, name=limit_id, every="month", mode="block")
    governed.execute(row)
    governed.commit()


def add_anomaly(
    governed: Governed,
    *,
    tenant_id: str = "acme",
    anomaly_id: str = "anomaly-1",
    currency: str = "USD",
    reason: str | None = None,
) -> None:
    """Commit the detector's row of the anomaly that the tests report."""
    row = filled(
        Anomaly.__table__,
        tenant_id=tenant_id,
        id=anomaly_id,
        severity="HIGH",
        grain="day",
        currency=currency,
        suppressed_reason=reason,
    )
    governed.execute(row)
    governed.commit()


def counts(governed: Governed) -> dict[str, int]:
    """Return how many committed rows the governed tables hold."""
    names = ("incidents", "incident_events", "limit_breaches", "outbox")
    return {name: governed.committed(f"SELECT count(*) FROM {name}")[0][0] for name in names}


NOTHING = {"incidents": 0, "incident_events": 0, "limit_breaches": 0, "outbox": 0}
OPENED = {"incidents": 1, "incident_events": 1, "limit_breaches": 0, "outbox": 1}
RECORDED = {"incidents": 0, "incident_events": 0, "limit_breaches": 1, "outbox": 1}

Body = Callable[[Session], Any]
