"""Write what admission found: one row for the repeats of a limit, subject, window and type, counted."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, insert, update
from sqlalchemy.dialects import postgresql, sqlite

from comptroller.domains.policies.engine.breach import BUILTIN_LIMITS, BreachDraft
from comptroller.ids import uuid7
from comptroller.models.outbox import OutboxNotice
from comptroller.models.policy_control_plane import Limit, LimitBreach, LimitWarning
from comptroller.sql import Statement

_BREACHES = LimitBreach.__table__
_UPSERT: Final = Statement(
    """INSERT INTO limit_breaches (tenant_id, id, limit_id, breach_type, value_at_breach, limit_value, run_id, details,
    dedup_key, occurrences, recorded_at, last_at)
  VALUES (:tenant_id, :id, :limit_id, :breach_type, :value_at_breach, :limit_value, :run_id,
    CAST(:details AS JSONB), :dedup_key, :occurrences, :now, :now)
  ON CONFLICT (tenant_id, dedup_key) DO UPDATE SET
    occurrences = limit_breaches.occurrences + excluded.occurrences, last_at = excluded.last_at
  RETURNING id"""
)


@dataclass(frozen=True, slots=True)
class CountedBreach:
    """A breach draft, how often it happened in this group, and the key its repeats share."""

    draft: BreachDraft
    dedup_key: str
    occurrences: int


@dataclass(frozen=True, slots=True)
class RecordedBreach:
    """A breach's row and whether this group made it."""

    breach_id: str
    is_new: bool


def dedup_key(*parts: str) -> str:
    """Return the key that the repeats of one refusal share."""
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()


def record_counted(
    conn: Connection, tenant: str, breaches: Sequence[CountedBreach], *, now: datetime
) -> list[RecordedBreach]:
    """Write or count each breach, with a notice for each that is new.

    Rows are locked in the order of their keys; the answers are in the order of the arguments.
    """
    make_builtin_limits(conn, tenant, (each.draft.limit_id for each in breaches), now)
    order = sorted(range(len(breaches)), key=lambda index: breaches[index].dedup_key)
    recorded: dict[int, RecordedBreach] = {}
    notices = []
    for index in order:
        parameters = _parameters(tenant, breaches[index], now)
        breach_id = _UPSERT.execute(conn, parameters).scalar_one()
        recorded[index] = RecordedBreach(breach_id, is_new=breach_id == parameters["id"])
        if recorded[index].is_new:
            notices.append(_notice(tenant, breach_id, breaches[index].draft, now))
    if notices:
        conn.execute(insert(OutboxNotice), notices)
    return [recorded[index] for index in range(len(breaches))]


def name_incident(conn: Connection, tenant: str, breach_id: str, incident_id: str) -> None:
    """Join a breach to the incident that it opened."""
    key = (_BREACHES.c.tenant_id == tenant) & (_BREACHES.c.id == breach_id)
    conn.execute(update(LimitBreach).where(key).values(incident_id=incident_id))


def make_builtin_limits(conn: Connection, tenant: str, limit_ids: Iterable[str], now: datetime) -> None:
    """Make the rows of built-in limits that are about to be named; those that are there stay."""
    rows = [_builtin(tenant, limit_id, now) for limit_id in sorted(BUILTIN_LIMITS.intersection(limit_ids))]
    if rows and conn.dialect.name == "postgresql":
        conn.execute(postgresql.insert(Limit).on_conflict_do_nothing(), rows)
    elif rows:
        conn.execute(sqlite.insert(Limit).on_conflict_do_nothing(), rows)


def record_warning(conn: Connection, row: dict[str, Any], payload: dict[str, Any]) -> bool:
    """Write a crossed threshold and its notice; False if this window was told already."""
    if conn.dialect.name == "postgresql":
        crossed: Any = postgresql.insert(LimitWarning)
    else:
        crossed = sqlite.insert(LimitWarning)
    if conn.execute(crossed.values(row).on_conflict_do_nothing()).rowcount == 0:
        return False
    notice = {
        "tenant_id": row["tenant_id"],
        "id": uuid7(),
        "kind": "limit.warning",
        "subject_id": row["limit_id"],
        "severity": "MEDIUM",
        "payload": payload,
        "created_at": row["crossed_at"],
    }
    conn.execute(insert(OutboxNotice), notice)
    return True


def _parameters(tenant: str, breach: CountedBreach, now: datetime) -> dict[str, Any]:
    draft = breach.draft
    return {
        "tenant_id": tenant,
        "id": uuid7(),
        "limit_id": draft.limit_id,
        "breach_type": draft.breach_type.value,
        "value_at_breach": draft.value_at_breach,
        "limit_value": draft.limit_value,
        "run_id": draft.run_id,
        "details": draft.details,
        "dedup_key": breach.dedup_key,
        "occurrences": breach.occurrences,
        "now": now,
    }


def _notice(tenant: str, breach_id: str, draft: BreachDraft, now: datetime) -> dict[str, Any]:
    return {
        "tenant_id": tenant,
        "id": uuid7(),
        "kind": "limit.breached",
        "subject_id": breach_id,
        "severity": "HIGH",
        "payload": json.loads(draft.payload),
        "created_at": now,
    }


def _builtin(tenant: str, limit_id: str, now: datetime) -> dict[str, Any]:
    return {
        "tenant_id": tenant,
        "id": limit_id,
        "name": limit_id,
        "unit": "requests",
        "ceiling_quanta": 0,
        "every": "lifetime",
        "timezone": "UTC",
        "scope": {},
        "per": [],
        "require": [],
        "mode": "block",
        "warn_at": [],
        "opens_incident": False,
        "builtin": True,
        "version": 1,
        "changed_in": 0,
        "created_at": now,
        "created_by": "system",
    }
