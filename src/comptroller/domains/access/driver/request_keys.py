"""The keys of requests that changed something."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from comptroller.models.access import RequestKey

_INSERTS: Final[dict[str, Any]] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


def claim(session: Session, tenant_id: str, key: str, content_hash: str, *, now: datetime) -> bool:
    """Bind a key to this request, waiting for another transaction that is at it; False where it is bound already."""
    row = _INSERTS[session.connection().dialect.name](RequestKey).values(
        tenant_id=tenant_id, key=key, content_hash=content_hash, answer="", created_at=now
    )
    return session.execute(row.on_conflict_do_nothing().returning(RequestKey.key)).first() is not None


def first_answer(session: Session, tenant_id: str, key: str) -> tuple[str, str]:
    """Return the content hash and the answer of a key that is bound."""
    row = session.execute(
        select(RequestKey.content_hash, RequestKey.answer).where(
            RequestKey.tenant_id == tenant_id, RequestKey.key == key
        )
    ).one()
    return row[0], row[1]


def keep_answer(session: Session, tenant_id: str, key: str, answer: str) -> None:
    """Write the answer down, for the repeat."""
    session.execute(
        update(RequestKey).where(RequestKey.tenant_id == tenant_id, RequestKey.key == key).values(answer=answer)
    )
