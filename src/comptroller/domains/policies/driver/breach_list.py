"""Read breaches."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from comptroller.enums import BreachType
from comptroller.models.policy_control_plane import LimitBreach
from comptroller.types.breaches import Breach


def list_breaches(
    session: Session, tenant_id: str, *, limit_id: str | None, before: Breach | None, count: int
) -> list[Breach]:
    """Return breaches, the newest first; of one limit by when they were recorded."""
    query = select(LimitBreach).where(LimitBreach.tenant_id == tenant_id)
    if limit_id is None:
        query = query if before is None else query.where(LimitBreach.id < before.id)
        order = (LimitBreach.id.desc(),)
    else:
        query = query.where(LimitBreach.limit_id == limit_id)
        if before is not None:
            is_older = (LimitBreach.recorded_at < before.recorded_at) | (LimitBreach.id < before.id)
            query = query.where(LimitBreach.recorded_at <= before.recorded_at, is_older)
        order = (LimitBreach.recorded_at.desc(), LimitBreach.id.desc())  # type: ignore[assignment]  # a longer tuple
    return [_view(row) for row in session.scalars(query.order_by(*order).limit(count))]


def find_breach(session: Session, tenant_id: str, breach_id: str) -> Breach | None:
    """Return one breach, or None."""
    query = select(LimitBreach).where(LimitBreach.tenant_id == tenant_id, LimitBreach.id == breach_id)
    row = session.scalars(query).one_or_none()
    return None if row is None else _view(row)


def _view(row: LimitBreach) -> Breach:
    return Breach(
        id=row.id,
        limit_id=row.limit_id,
        breach_type=BreachType(row.breach_type),
        value_at_breach=row.value_at_breach,
        limit_value=row.limit_value,
        run_id=row.run_id,
        incident_id=row.incident_id,
        details=row.details,
        occurrences=row.occurrences,
        recorded_at=row.recorded_at,
        last_at=row.last_at,
    )
