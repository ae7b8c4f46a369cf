"""How an application calls the contract; checked by mypy in strict mode, never run.

A line with ``type: ignore`` is a misuse that must be told: mypy complains of an ignore that is not needed.
"""

from datetime import datetime  # noqa: TC003 — read as an application reads it
from decimal import Decimal

import sqlmodel
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from sqlmodel.ext.asyncio.session import AsyncSession as SQLModelAsyncSession

from comptroller.errors.governance import GovernanceError
from comptroller.spine.drivers.cross_domain import (
    create_incident_from_cost_anomaly,
    create_incident_from_cost_anomaly_sync,
    generate_uuid,
    record_limit_breach,
    record_limit_breach_sync,
    table_exists,
    utc_now,
)


def use_sync(session: Session, model_session: sqlmodel.Session) -> str:
    incident_id: str = create_incident_from_cost_anomaly_sync(
        session, "acme", "anomaly-1", "USER_SPIKE", "HIGH", 15_000, 10_000, entity_type="user", entity_id=None
    )
    breach_id: str = record_limit_breach_sync(
        model_session,
        tenant_id="acme",
        limit_id="limit-1",
        breach_type="BREACHED",
        value_at_breach=Decimal(150),
        limit_value=Decimal(100),
        run_id=None,
        incident_id=incident_id,
        details={"any": ["thing"]},
    )
    return breach_id


async def use_async(session: AsyncSession, model_session: SQLModelAsyncSession) -> bool:
    now: datetime = utc_now()
    incident_id: str = await create_incident_from_cost_anomaly(
        session=session,
        tenant_id="acme",
        anomaly_id=generate_uuid(),
        anomaly_type="USER_SPIKE",
        severity="HIGH",
        current_value_cents=15_000,
        expected_value_cents=10_000,
        description=now.isoformat(),
    )
    await record_limit_breach(model_session, "acme", "limit-1", "BREACHED", Decimal(1), Decimal(0), None, incident_id)
    found: bool = await table_exists(session, "incidents")
    return found


def what_an_error_says(error: GovernanceError) -> tuple[str, str, str, str | None]:
    return error.message, error.domain, error.operation, error.entity_id


async def misuse(session: Session, async_session: AsyncSession) -> None:
    record_limit_breach_sync(async_session, "acme", "limit-1", "BREACHED", Decimal(1), Decimal(0))  # type: ignore[arg-type]
    await table_exists(session, "incidents")  # type: ignore[arg-type]
    record_limit_breach_sync(session, "acme", "limit-1", "BREACHED", 1.5, Decimal(0))  # type: ignore[arg-type]
    create_incident_from_cost_anomaly_sync(session, "acme", "anomaly-1", "SPIKE", "HIGH", Decimal(1), 1)  # type: ignore[arg-type]
    create_incident_from_cost_anomaly_sync(session, "acme", "anomaly-1", "SPIKE", "HIGH", 1)  # type: ignore[call-arg]
    GovernanceError()  # type: ignore[call-arg]
