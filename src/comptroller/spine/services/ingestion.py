"""Store a checked bill: each (source, billing account, billing period) replaces what was current before it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from comptroller.domains.analytics.driver.bulk import copy_into, insert_into
from comptroller.domains.analytics.driver.deliveries import (
    CurrentPart,
    DeliveryKey,
    add_delivery,
    coverage,
    current_parts,
    supersede,
)
from comptroller.enums import Arrival
from comptroller.errors import ConflictError
from comptroller.ids import uuid7
from comptroller.ingest.bill import Bill, BillPart
from comptroller.ingest.columns import COST_ROW_COLUMNS, DAILY_COLUMNS, HOURLY_COLUMNS
from comptroller.types.costs import DeliveryOutcome, DeliveryReport

_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Delivery:
    """A bill on its way in."""

    bill: Bill
    fingerprint: str
    arrival: Arrival


def store_bill(session: Session, tenant_id: str, delivery: Delivery, *, now: datetime) -> tuple[DeliveryReport, ...]:
    """Store every part of the bill, all or none.

    Raises:
        ConflictError: If a part lacks a (day, service) that the current delivery has, and neither append nor replace
            was asked for.
    """
    return tuple(_store_part(session, tenant_id, delivery, part, now=now) for part in delivery.bill.parts)


def _store_part(
    session: Session, tenant_id: str, delivery: Delivery, part: BillPart, *, now: datetime
) -> DeliveryReport:
    key = DeliveryKey(part.source, part.billing_account, part.period_start)
    current = current_parts(session, tenant_id, key)
    if any(known.content_sha256 == delivery.fingerprint for known in current):
        return _report(part, DeliveryOutcome.UNCHANGED)
    outcome, number = _arrive(session, tenant_id, delivery, part, current, now=now)
    conn = session.connection()
    delivery_id = uuid7()
    values = _values(delivery, part, tenant_id=tenant_id, delivery_id=delivery_id, now=now)
    add_delivery(conn, {**values, "part": number})
    _load(conn, delivery.bill, part, tenant_id=tenant_id, delivery_id=delivery_id)
    return _report(part, outcome)


def _arrive(
    session: Session, tenant_id: str, delivery: Delivery, part: BillPart, current: list[CurrentPart], *, now: datetime
) -> tuple[DeliveryOutcome, int]:
    if not current:
        return DeliveryOutcome.STORED, 1
    if delivery.arrival is Arrival.APPEND:
        return DeliveryOutcome.APPENDED, current[-1].part + 1
    ids = [known.id for known in current]
    if delivery.arrival is Arrival.COMPLETE:
        _require_coverage(delivery.bill, part, coverage(session, tenant_id, ids))
    supersede(session, tenant_id, ids, now=now)
    return DeliveryOutcome.REPLACED, 1


def _require_coverage(bill: Bill, part: BillPart, before: set[tuple[date, str]]) -> None:
    lost = sorted(before - set(bill.coverage(part)))
    if lost:
        named = ", ".join(f"{service} on {day}" for day, service in lost[:_SHOWN])
        more = f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
        raise ConflictError(
            f"the delivery of {part.billing_account} for {part.period_start} lacks {named}{more}, which the current "
            "one has: give --replace if it is the whole period, --append if it is a further part"
        )


def _values(delivery: Delivery, part: BillPart, *, tenant_id: str, delivery_id: str, now: datetime) -> dict[str, Any]:
    bill = delivery.bill
    return {
        "tenant_id": tenant_id,
        "id": delivery_id,
        "source": part.source,
        "billing_account": part.billing_account,
        "period_start": part.period_start,
        "period_end": part.period_end,
        "content_sha256": delivery.fingerprint,
        "format": bill.format.value,
        "files": [str(file) for file in bill.files],
        "row_count": part.row_count,
        "bad_count": bill.bad_count,
        "rounding": {currency: format(value, "f") for currency, value in part.rounding_difference.items()},
        "delivered_at": now,
    }


def _load(conn: Connection, bill: Bill, part: BillPart, *, tenant_id: str, delivery_id: str) -> None:
    if conn.dialect.name == "postgresql":
        rows = bill.copy_stream(part, tenant_id=tenant_id, delivery_id=delivery_id)
        days = bill.daily_copy(part, tenant_id=tenant_id, delivery_id=delivery_id)
        hours = bill.hourly_copy(part, tenant_id=tenant_id, delivery_id=delivery_id)
        copy_into(conn, "cost_rows", COST_ROW_COLUMNS, rows)
        copy_into(conn, "daily_costs", DAILY_COLUMNS, days)
        copy_into(conn, "hourly_costs", HOURLY_COLUMNS, hours)
        return
    same = {"tenant_id": tenant_id, "delivery_id": delivery_id, **bill.constants(part)}
    lines = bill.rows(part, tenant_id=tenant_id, delivery_id=delivery_id, leave_out=same.keys())
    insert_into(conn, "cost_rows", COST_ROW_COLUMNS, lines, same)
    insert_into(conn, "daily_costs", DAILY_COLUMNS, bill.daily(part, tenant_id=tenant_id, delivery_id=delivery_id))
    insert_into(conn, "hourly_costs", HOURLY_COLUMNS, bill.hourly(part, tenant_id=tenant_id, delivery_id=delivery_id))


def _report(part: BillPart, outcome: DeliveryOutcome) -> DeliveryReport:
    rounding = dict(part.rounding_difference)
    return DeliveryReport(part.billing_account, part.period_start, part.period_end, outcome, part.row_count, rounding)
