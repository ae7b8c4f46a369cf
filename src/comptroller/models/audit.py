"""Who changed what, when and why; append-only."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from comptroller.models.mapping import Base, Id, Json, UtcDateTime


class AuditEntry(Base):
    """One change made by a person, a key or the program itself."""

    __tablename__ = "audit_entries"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(Id)
    action: Mapped[str] = mapped_column(String(64))
    object_type: Mapped[str] = mapped_column(String(64))
    object_id: Mapped[str] = mapped_column(Id)
    detail: Mapped[dict[str, Any]] = mapped_column(Json)

    __table_args__ = (Index(None, "tenant_id", "object_type", "object_id"),)
