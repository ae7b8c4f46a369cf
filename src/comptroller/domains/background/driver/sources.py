"""Read and write the sources that are pulled."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from comptroller.models.background import Source as SourceRow
from comptroller.types.background import Source

_ROWS: Any = SourceRow.__table__


def insert_source(session: Session, tenant: str, source: Source) -> None:
    """Store a new source; its name must be free."""
    values = {
        "id": source.id, "name": source.name, "url": source.url, "format": source.format,
        "every_seconds": source.every_seconds, "stale_seconds": source.stale_seconds,
        "created_at": source.created_at, "created_by": source.created_by,
    }  # fmt: skip
    session.execute(insert(SourceRow).values(tenant_id=tenant, **values))


def list_sources(session: Session, tenant: str) -> list[Source]:
    """Return the sources in use, by name."""
    found = select(_ROWS).where(_ROWS.c.tenant_id == tenant, _ROWS.c.removed_at.is_(None))
    return [_as_source(row) for row in session.execute(found.order_by(_ROWS.c.name))]


def set_news(session: Session, tenant: str, source_id: str, now: datetime) -> None:
    """Write down that something new came."""
    session.execute(update(SourceRow).where(_ROWS.c.tenant_id == tenant, _ROWS.c.id == source_id).values(news_at=now))


def remove_source(session: Session, tenant: str, source_id: str, now: datetime) -> None:
    """Pull a source no more; what came from it stays."""
    key = (_ROWS.c.tenant_id == tenant) & (_ROWS.c.id == source_id)
    session.execute(update(SourceRow).where(key).values(removed_at=now))


def _as_source(row: Row[Any]) -> Source:
    return Source(
        row.id, row.name, row.url, row.format, row.every_seconds, row.stale_seconds, row.news_at, row.created_at,
        row.created_by,
    )  # fmt: skip
