"""Read breaches in bulk, for those who tell of them and those who list them."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from comptroller.models.policy_control_plane import Limit, LimitBreach

_ROWS: Any = LimitBreach.__table__
_LIMITS: Any = Limit.__table__


def breach_rows(session: Session, tenant: str, ids: Collection[str]) -> dict[str, Row[Any]]:
    """Return breaches by id, each with its limit's name, unit and scope."""
    found = _with_limit(tenant).where(_ROWS.c.id.in_(list(ids)))
    return {row.id: row for row in session.execute(found)} if ids else {}


def newest_breaches(session: Session, tenant: str, *, before: str | None, count: int) -> list[Row[Any]]:
    """Return breaches, the newest first; ``before`` is the id of the last one seen."""
    found = _with_limit(tenant)
    if before is not None:
        found = found.where(_ROWS.c.id < before)
    return list(session.execute(found.order_by(_ROWS.c.id.desc()).limit(count)))


def _with_limit(tenant: str) -> Any:
    same = (_LIMITS.c.tenant_id == _ROWS.c.tenant_id) & (_LIMITS.c.id == _ROWS.c.limit_id)
    limit = (_LIMITS.c.name.label("limit_name"), _LIMITS.c.unit, _LIMITS.c.scope)
    return select(_ROWS, *limit).join(_LIMITS, same).where(_ROWS.c.tenant_id == tenant)
