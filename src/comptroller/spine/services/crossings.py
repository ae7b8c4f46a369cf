"""Record what admission found over a limit: breach, notice and, where the limit says so, an incident; never less."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from comptroller import metrics
from comptroller.domains.policies.driver import refusals as driver
from comptroller.domains.policies.engine.admission import Finding, crossed_thresholds
from comptroller.domains.policies.engine.breach import draft_breach
from comptroller.domains.policies.engine.page import BreachKey
from comptroller.domains.policies.engine.rules import threshold_quanta
from comptroller.domains.policies.engine.terms import Line
from comptroller.enums import Severity
from comptroller.guard import mandatory, note
from comptroller.models.policy_control_plane import LimitBreach
from comptroller.money import COUNT_UNITS, Money
from comptroller.spine.drivers.cross_domain import create_incident_from_cost_anomaly_sync
from comptroller.types.spend import OverLimit

_DOMAIN: Final = "Policies"
_RECORD: Final = "record_limit_breach"
Found = Mapping[BreachKey, tuple[Finding, int]]
Moved = Iterable[tuple[Line, int, int]]


def record_findings(session: Session, tenant: str, found: Found, *, now: datetime) -> dict[BreachKey, str]:
    """Write each finding as a breach, or count it among its repeats, and return the breaches' ids. MANDATORY.

    Raises:
        GovernanceError: If one cannot be written; the transaction then refuses to commit.
    """
    if not found:
        return {}
    first = next(iter(found))[0]
    with mandatory(session, domain=_DOMAIN, operation=_RECORD, entity_id=first, mapper=LimitBreach) as conn:
        counted = [_counted(tenant, key, finding, count) for key, (finding, count) in found.items()]
        recorded = driver.record_counted(conn, tenant, counted, now=now)
        for key, breach in zip(found, recorded, strict=True):
            if breach.is_new:
                note(conn, metrics.governance_limit_breaches_recorded_total.labels(breach_type=key[3].value).inc)
    ids = {key: breach.breach_id for key, breach in zip(found, recorded, strict=True)}
    for (key, (finding, _)), breach in zip(found.items(), recorded, strict=True):
        if breach.is_new and finding.opens_incident:
            _open_incident(session, tenant, finding.over, ids[key])
    return ids


def record_warnings(conn: Connection, tenant: str, moved: Moved, *, now: datetime) -> None:
    """Tell each warning threshold that was crossed, at most once a window."""
    for line, before, after in moved:
        for threshold in crossed_thresholds(line, before, after, threshold_quanta):
            key = {
                "tenant_id": tenant,
                "limit_id": line.rule.id,
                "subject": line.subject,
                "window_start": line.window_start,
                "threshold": threshold,
            }
            driver.record_warning(
                conn, key | {"spent_quanta": after, "crossed_at": now}, _warning(line, after, threshold)
            )


def _counted(tenant: str, key: BreachKey, finding: Finding, count: int) -> driver.CountedBreach:
    over = finding.over
    ceiling, value = _values(over)
    draft = draft_breach(
        tenant_id=tenant,
        limit_id=over.limit_id,
        breach_type=over.breach_type.value,
        value_at_breach=value,
        limit_value=ceiling,
        run_id=finding.run_id,
        details=_details(finding),
    )
    return driver.CountedBreach(draft, driver.dedup_key(*map(str, key)), count)


def _values(over: OverLimit) -> tuple[Decimal, Decimal]:
    if over.ceiling is None or over.left is None:
        return Decimal(0), Decimal(1)  # no balance decided: one request where none may pass
    needed = Decimal(0) if over.needed is None else over.needed.amount
    return over.ceiling.amount, over.ceiling.amount - over.left.amount + needed


def _details(finding: Finding) -> dict[str, Any]:
    over = finding.over
    said = {
        "limit": over.limit_name,
        "reason": over.reason,
        "mode": over.mode.value,
        "subject": finding.subject,
        "window_start": finding.window_start.isoformat(),
        "resets_at": None if over.resets_at is None else over.resets_at.isoformat(),
        "needed": None if over.needed is None else str(over.needed),
        "left": None if over.left is None else str(over.left),
    }
    if finding.is_usage and over.left is not None and over.left.amount < 0:
        said["over_by"] = str(Money(-over.left.amount, over.left.unit))
    return {name: value for name, value in said.items() if value is not None}


def _open_incident(session: Session, tenant: str, over: OverLimit, breach_id: str) -> None:
    ceiling, value = _values(over)
    in_money = over.ceiling is not None and over.ceiling.unit not in COUNT_UNITS
    incident_id = create_incident_from_cost_anomaly_sync(
        session,
        tenant_id=tenant,
        anomaly_id=f"breach:{breach_id}",
        anomaly_type="LIMIT_BREACH",
        severity=Severity.HIGH.value,
        current_value_cents=int(value * 100) if in_money else 0,
        expected_value_cents=int(ceiling * 100) if in_money else 0,
        entity_type="limit",
        entity_id=over.limit_id,
        description=f"limit {over.limit_name}: {over.reason} ({value} of {over.ceiling})",
    )
    driver.name_incident(session.connection(), tenant, breach_id, incident_id)


def _warning(line: Line, after: int, threshold: str) -> dict[str, Any]:
    unit = line.rule.unit
    return {
        "limit": line.rule.name,
        "threshold": threshold,
        "spent": str(Money.of_quanta(after, unit)),
        "ceiling": str(Money.of_quanta(line.ceiling, unit)),
        "subject": line.subject,
        "window_start": line.window_start.isoformat(),
        "resets_at": None if line.window_end is None else line.window_end.isoformat(),
    }
