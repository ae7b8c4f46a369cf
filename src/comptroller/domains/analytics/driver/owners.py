"""Who owns what: the tenant's rules, in the order in which they apply."""

from collections.abc import Iterable

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from comptroller.models.costs import OwnerRule


def owner_rules(session: Session, tenant_id: str) -> list[tuple[str, str, str, str | None]]:
    """Return (field, value, team, owner) in order."""
    query = select(OwnerRule.field, OwnerRule.value, OwnerRule.team, OwnerRule.owner)
    rows = session.execute(query.where(OwnerRule.tenant_id == tenant_id).order_by(OwnerRule.position))
    return [(row.field, row.value, row.team, row.owner) for row in rows]


def set_owner_rules(session: Session, tenant_id: str, rules: Iterable[tuple[str, str, str, str | None]]) -> None:
    """Replace the tenant's rules as a whole."""
    session.execute(delete(OwnerRule).where(OwnerRule.tenant_id == tenant_id))
    values = [
        {"tenant_id": tenant_id, "position": position, "field": field, "value": value, "team": team, "owner": owner}
        for position, (field, value, team, owner) in enumerate(rules, start=1)
    ]
    if values:
        session.execute(insert(OwnerRule), values)
