"""The contract: governance that succeeds or raises ``GovernanceError``; it flushes and never commits.

Rule 1: governance must throw. Rule 2: no optional dependencies. Rule 3: learning is downstream only.
Cost anomalies must create incidents, limit breaches must be recorded. Signatures are the contract's to the letter
(docs/contracts/cross_domain.yaml); sync and async share one body and differ by one await.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Optional

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from comptroller import clock, ids, metrics
from comptroller.database import table_is_there
from comptroller.domains.incidents.driver.opening import open_incident
from comptroller.domains.incidents.engine.draft import draft_incident
from comptroller.domains.policies.driver.breaches import record_breach
from comptroller.domains.policies.engine.breach import draft_breach
from comptroller.enums import BreachType
from comptroller.guard import bridged, mandatory, note
from comptroller.models.killswitch import Incident
from comptroller.models.policy_control_plane import LimitBreach

_ANALYTICS: Final = "Analytics"
_POLICIES: Final = "Policies"
_CREATE: Final = "create_incident_from_cost_anomaly"
_RECORD: Final = "record_limit_breach"
_CREATED: Final = metrics.governance_incidents_created_total.labels(domain=_ANALYTICS, source_type="cost_anomaly")
_RECORDED: Final = {
    word: metrics.governance_limit_breaches_recorded_total.labels(breach_type=word.value) for word in BreachType
}


def utc_now() -> datetime:
    """Return timezone-aware UTC datetime."""
    return clock.utc_now()


def generate_uuid() -> str:
    """Generate a UUID string (version 7: time-ordered)."""
    return ids.uuid7()


async def create_incident_from_cost_anomaly(
    session: AsyncSession,
    tenant_id: str,
    anomaly_id: str,
    anomaly_type: str,
    severity: str,
    current_value_cents: int,
    expected_value_cents: int,
    entity_type: Optional[str] = None,
    entity_id: Optional[str] = None,
    description: Optional[str] = None,
) -> str:
    """Create an incident from a cost anomaly. MANDATORY.

    The incident, its first timeline event and its notice are flushed in the session's transaction, never committed.
    An ``anomaly_id`` seen before returns the first incident's id; other values add one event per distinct content.

    Args:
        session: The caller's own session, of SQLAlchemy or SQLModel.
        tenant_id: Who pays; it need not be registered.
        anomaly_id: At most 255 characters; may name a row of the caller's own tables.
        anomaly_type: An UPPER_SNAKE word such as ``USER_SPIKE``.
        severity: CRITICAL, HIGH, MEDIUM or LOW, in any case of letters.
        current_value_cents: Actual cost, in hundredths of the anomaly's currency (USD where none is known).
        expected_value_cents: Expected cost, likewise; neither may be negative.
        entity_type: What kind of thing spent, such as ``user``.
        entity_id: Which one.
        description: At most 10,000 characters.

    Returns:
        The incident's id.

    Raises:
        GovernanceError: If the incident cannot be created. The transaction then refuses to commit.

    Example:
        >>> incident_id = await create_incident_from_cost_anomaly(
        ...     session=session,
        ...     tenant_id="tenant-123",
        ...     anomaly_id="anomaly-456",
        ...     anomaly_type="BUDGET_EXCEEDED",
        ...     severity="HIGH",
        ...     current_value_cents=15000,
        ...     expected_value_cents=10000,
        ... )  # doctest: +SKIP
    """
    said = _anomaly(
        tenant_id, anomaly_id, anomaly_type, severity, current_value_cents, expected_value_cents, entity_type,
        entity_id, description,
    )  # fmt: skip
    return await bridged(session, _create_incident, said)


async def record_limit_breach(
    session: AsyncSession,
    tenant_id: str,
    limit_id: str,
    breach_type: str,
    value_at_breach: Decimal,
    limit_value: Decimal,
    run_id: Optional[str] = None,
    incident_id: Optional[str] = None,
    details: Optional[dict] = None,  # type: ignore[type-arg]  # the contract's own words
) -> str:
    """Record a limit breach. MANDATORY.

    The breach and its notice are flushed in the session's transaction, never committed. Each call writes a row.

    Args:
        session: The caller's own session, of SQLAlchemy or SQLModel.
        tenant_id: Who pays; it need not be registered.
        limit_id: A limit of that tenant, or a built-in one (``builtin:kill-switch``, ``builtin:pricing``).
        breach_type: BREACHED, EXHAUSTED, THROTTLED or VIOLATED.
        value_at_breach: In the limit's unit; finite, not negative, kept digit for digit.
        limit_value: Likewise.
        run_id: May name a run of the caller's own tables.
        incident_id: An incident of that tenant.
        details: Finite JSON of at most 16 KiB.

    Returns:
        The breach's id.

    Raises:
        GovernanceError: If the breach cannot be recorded. The transaction then refuses to commit.

    Example:
        >>> breach_id = await record_limit_breach(
        ...     session=session,
        ...     tenant_id="tenant-123",
        ...     limit_id="limit-456",
        ...     breach_type="BREACHED",
        ...     value_at_breach=Decimal("150.00"),
        ...     limit_value=Decimal("100.00"),
        ...     run_id="run-789",
        ... )  # doctest: +SKIP
    """
    said = _crossing(
        tenant_id, limit_id, breach_type, value_at_breach, limit_value, run_id, incident_id, details
    )  # fmt: skip
    return await bridged(session, _record_breach, said)


async def table_exists(session: AsyncSession, table_name: str) -> bool:
    """Check if a table exists in the database.

    Used by Overview for defensive queries that degrade gracefully. Looks along PostgreSQL's search path; never
    aborts the transaction and takes no write lock.

    Args:
        session: The caller's own session.
        table_name: A plain identifier.

    Returns:
        True if the table exists, False otherwise. Real errors surface.
    """
    return await bridged(session, _table_exists, table_name)


def create_incident_from_cost_anomaly_sync(
    session: Session,
    tenant_id: str,
    anomaly_id: str,
    anomaly_type: str,
    severity: str,
    current_value_cents: int,
    expected_value_cents: int,
    entity_type: Optional[str] = None,
    entity_id: Optional[str] = None,
    description: Optional[str] = None,
) -> str:
    """Create an incident from a cost anomaly (SYNC version). MANDATORY.

    Same as create_incident_from_cost_anomaly but for sync sessions. See async version for full documentation.

    Raises:
        GovernanceError: If the incident cannot be created. The transaction then refuses to commit.
    """
    said = _anomaly(
        tenant_id, anomaly_id, anomaly_type, severity, current_value_cents, expected_value_cents, entity_type,
        entity_id, description,
    )  # fmt: skip
    return _create_incident(session, said)


def record_limit_breach_sync(
    session: Session,
    tenant_id: str,
    limit_id: str,
    breach_type: str,
    value_at_breach: Decimal,
    limit_value: Decimal,
    run_id: Optional[str] = None,
    incident_id: Optional[str] = None,
    details: Optional[dict] = None,  # type: ignore[type-arg]  # the contract's own words
) -> str:
    """Record a limit breach (SYNC version). MANDATORY.

    Same as record_limit_breach but for sync sessions. See async version for full documentation.

    Raises:
        GovernanceError: If the breach cannot be recorded. The transaction then refuses to commit.
    """
    said = _crossing(
        tenant_id, limit_id, breach_type, value_at_breach, limit_value, run_id, incident_id, details
    )  # fmt: skip
    return _record_breach(session, said)


def _anomaly(*values: object) -> dict[str, Any]:
    names = (
        "tenant_id", "anomaly_id", "anomaly_type", "severity", "current_value_cents", "expected_value_cents",
        "entity_type", "entity_id", "description",
    )  # fmt: skip
    return dict(zip(names, values, strict=True))


def _crossing(*values: object) -> dict[str, Any]:
    names = (
        "tenant_id", "limit_id", "breach_type", "value_at_breach", "limit_value", "run_id", "incident_id", "details",
    )  # fmt: skip
    return dict(zip(names, values, strict=True))


def _create_incident(session: Session, said: dict[str, Any]) -> str:
    with mandatory(
        session, domain=_ANALYTICS, operation=_CREATE, entity_id=said["anomaly_id"], mapper=Incident
    ) as conn:
        incident_id, is_new = open_incident(conn, draft_incident(**said), now=utc_now())
        if is_new:
            note(conn, _CREATED.inc)
        return incident_id


def _record_breach(session: Session, said: dict[str, Any]) -> str:
    with mandatory(
        session, domain=_POLICIES, operation=_RECORD, entity_id=said["limit_id"], mapper=LimitBreach
    ) as conn:
        draft = draft_breach(**said)
        breach_id = record_breach(conn, draft, now=utc_now())
        note(conn, _RECORDED[draft.breach_type].inc)
        return breach_id


def _table_exists(session: Session, table_name: str) -> bool:
    return table_is_there(session.connection(), table_name)
