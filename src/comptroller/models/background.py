"""The work in the background: what each job did last, and the sources that are pulled."""

from datetime import datetime

from sqlalchemy import Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from comptroller.models.mapping import Base, Id, UtcDateTime

_IN_USE = text("removed_at IS NULL")


class Job(Base):
    """One job of one tenant: when it is due, who is at it, how it went last."""

    __tablename__ = "jobs"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Present while a worker is at it; past this instant another may take it up.
    claimed_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    claimed_by: Mapped[str | None] = mapped_column(Id)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Absent: it never succeeded.
    succeeded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    took_ms: Mapped[int] = mapped_column(Integer)
    # In a row, up to now.
    failures: Mapped[int] = mapped_column(Integer)
    last_error: Mapped[str | None] = mapped_column(Text)
    # What there was to see when it was begun last; present on jobs that are also due when that has changed.
    seen: Mapped[str | None] = mapped_column(String(64))


class Source(Base):
    """A place from which cost files are pulled."""

    __tablename__ = "sources"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(Id)
    # A folder, or a URL that the file-system library knows, without credentials.
    url: Mapped[str] = mapped_column(Text)
    format: Mapped[str | None] = mapped_column(String(32))
    every_seconds: Mapped[int] = mapped_column(Integer)
    # Without anything new for so long it is stale, and an incident says so.
    stale_seconds: Mapped[int] = mapped_column(Integer)
    # When something new came last; absent: never.
    news_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(Id)
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("uq_sources_name", "tenant_id", "name", unique=True, postgresql_where=_IN_USE, sqlite_where=_IN_USE),
    )
