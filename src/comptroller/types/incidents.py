"""Incidents as callers see them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from comptroller.enums import IncidentStatus, Severity, SuppressedReason


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """One step in an incident's life."""

    id: str
    kind: str
    actor: str
    at: datetime
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Incident:
    """What people act on; values are cents, hundredths of ``currency``."""

    id: str
    anomaly_id: str | None
    anomaly_type: str
    severity: Severity
    status: IncidentStatus
    suppressed_reason: SuppressedReason | None
    title: str
    description: str | None
    current_value_cents: int
    expected_value_cents: int
    currency: str
    entity_type: str | None
    entity_id: str | None
    merged_into: str | None
    opened_at: datetime
    updated_at: datetime
    acknowledged_at: datetime | None
    resolved_at: datetime | None
    timeline: tuple[TimelineEvent, ...] = ()
