"""Read what the dashboard's pages show; a table that cannot be found makes its part absent, never 0."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar

from sqlalchemy.orm import Session

from comptroller.database import table_is_there
from comptroller.domains.analytics.driver import totals
from comptroller.domains.incidents.driver.facts import open_counts
from comptroller.domains.incidents.driver.reading import incident_ids, list_incidents
from comptroller.domains.notices.driver import channels, outbox
from comptroller.domains.policies.driver import burning as driver
from comptroller.domains.policies.driver import kills, limits, runs
from comptroller.domains.policies.engine.policy import subject_values
from comptroller.domains.policies.engine.windows import bounds, zone
from comptroller.enums import Dimension, IncidentStatus, RunState
from comptroller.money import Money, from_quanta
from comptroller.spine.services.anomalies import get_anomaly
from comptroller.types.caller import Caller
from comptroller.types.limits import Limit
from comptroller.types.overview import AnomalyCurve, Burning, Meter, Overview, Spending

R = TypeVar("R")
LISTED: Final = 6
LIMITS_READ: Final = 200  # of which the fullest are shown first
DAYS: Final = 30
OTHERS: Final = "(others)"
AROUND: Final = timedelta(days=45)  # what is drawn before an anomaly


def if_there(session: Session, tables: Sequence[str], read: Callable[[], R]) -> R | None:
    """Return what is read, or None where one of its tables is not there."""
    conn = session.connection()
    return read() if all(table_is_there(conn, table) for table in tables) else None


def overview(session: Session, caller: Caller, *, dimension: str) -> Overview:
    """Return the first page's parts."""
    tenant, now, conn = caller.tenant, caller.now(), session.connection()
    return Overview(
        incidents=if_there(session, ["incidents"], lambda: _open_incidents(session, tenant)),
        counts=if_there(session, ["incidents"], lambda: open_counts(session, tenant)),
        at_stake=if_there(session, ["anomalies"], lambda: _at_stake(session, tenant)),
        burning=if_there(session, ["entries", "routes"], lambda: burning(session, tenant, dimension, now)),
        days=if_there(session, ["daily_costs", "cost_deliveries"], lambda: _days(session, tenant)),
        meters=if_there(session, ["limits", "balances"], lambda: tuple(fullest(session, caller)[:LISTED])),
        runs=if_there(
            session,
            ["runs"],
            lambda: tuple(runs.list_runs(conn, tenant, state=RunState.RUNNING, before=None, count=LISTED)),
        ),
        kills=if_there(
            session,
            ["kill_switches"],
            lambda: tuple(kills.list_kills(conn, tenant, now, history=False, count=LISTED)),
        ),
        refusals=if_there(
            session, ["limit_breaches"], lambda: driver.refusals_since(conn, tenant, now - timedelta(days=1))
        ),
        oldest_notice_at=if_there(session, ["outbox", "deliveries"], lambda: outbox.oldest_waiting(session, tenant)),
        has_channels=if_there(session, ["channels"], lambda: bool(channels.list_channels(session, tenant))),
    )


def burning(session: Session, tenant: str, dimension: str, now: datetime) -> Burning:
    """Return what the ledger booked in the last hour."""
    total: dict[str, int] = {}
    by: dict[tuple[str, str], int] = {}
    for row in driver.spent_since(session.connection(), tenant, now - timedelta(hours=1)):
        value = row.dimensions.get(dimension, "(none)")
        total[row.currency] = total.get(row.currency, 0) + int(row.amount)
        by[value, row.currency] = by.get((value, row.currency), 0) + int(row.amount)
    most = sorted(by.items(), key=lambda item: item[1], reverse=True)[:LISTED]
    return Burning(
        tuple(Money.of_quanta(quanta, unit) for unit, quanta in sorted(total.items())),
        tuple((value, Money.of_quanta(quanta, unit)) for (value, unit), quanta in most),
        dimension,
    )


def fullest(session: Session, caller: Caller, *, after: str | None = None, count: int = LIMITS_READ) -> list[Meter]:
    """Return where limits stand, the fullest first."""
    known = limits.list_limits(session, caller.tenant, archived=False, after=after, count=count)
    return sorted(meters(session, caller, known), key=lambda one: one.share, reverse=True)


def meters(session: Session, caller: Caller, known: Sequence[Limit]) -> list[Meter]:
    """Return where limits stand in their present windows; one that nobody has used yet stands at zero."""
    now, conn = caller.now(), session.connection()
    windows = {one.id: bounds(one.every, zone(one.timezone), now) for one in known if one.every.value != "run"}
    rows = driver.fullest_balances(conn, caller.tenant, [(key, window.start) for key, window in windows.items()])
    overrides = {
        one.limit_id: one.ceiling
        for one in limits.list_overrides(session, caller.tenant, since=now)
        if one.starts_at <= now < one.expires_at
    }
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row.limit_id, []).append(row)
    made = []
    for limit in known:
        window = windows.get(limit.id)
        start, end = (now, None) if window is None else (window.start, window.end)
        for row in found.get(limit.id) or [None]:
            made.append(_meter(limit, row, overrides.get(limit.id), period=(start, end), now=now))  # noqa: PERF401 — two loops
    return made


def _meter(
    limit: Limit, row: Any, override: Money | None, *, period: tuple[datetime, datetime | None], now: datetime
) -> Meter:
    start, end = period
    unit, ceiling = limit.ceiling.unit, override or limit.ceiling
    spent, held = (0, 0) if row is None else (int(row.spent), int(row.held))
    used = from_quanta(spent + held, unit)
    runs_out_at = None
    if end is not None and spent > 0 and ceiling.amount > 0:
        left = max(ceiling.amount - used, Decimal(0))
        pace = from_quanta(spent, unit) / Decimal(max((now - start).total_seconds(), 1.0))
        seconds = left / pace
        if seconds < Decimal((end - now).total_seconds()):
            runs_out_at = now + timedelta(seconds=float(seconds))
    return Meter(
        limit=limit,
        subject={} if row is None else subject_values(row.subject),
        ceiling=ceiling,
        spent=Money.of_quanta(spent, unit),
        held=Money.of_quanta(held, unit),
        share=float(used / ceiling.amount) if ceiling.amount else 0.0,
        gone=None if end is None else (now - start) / (end - start),
        window_start=start,
        window_end=end,
        runs_out_at=runs_out_at,
        is_overridden=override is not None,
    )


def spending(
    session: Session, caller: Caller, dimension: Dimension, currency: str | None, *, start: date, end: date, count: int
) -> Spending | None:
    """Return spend by one dimension over days, the largest values and the rest; None where there is none."""
    units = totals.currencies(session, caller.tenant, start, end)
    if not units:
        return None
    unit = currency if currency in units else units[0]
    tenant, length = caller.tenant, end - start
    top = totals.value_sums(session, tenant, dimension, unit, start=start, end=end, count=count)
    names = [value for value, _ in top]
    days = [start + timedelta(days=step) for step in range(length.days)]
    amounts = {name: dict.fromkeys(days, Decimal(0)) for name in [*names, OTHERS]}
    for day, value, one, quanta in totals.day_sums(session, tenant, dimension, start=start, end=end, values=names):
        if one == unit:
            amounts[value][day] += from_quanta(quanta, unit)
    for day, _, one, quanta in totals.day_sums(session, tenant, dimension, start=start, end=end):
        if one == unit:
            amounts[OTHERS][day] = from_quanta(quanta, unit) - sum((amounts[name][day] for name in names), Decimal(0))
    before = dict(totals.value_sums(session, tenant, dimension, unit, start=start - length, end=start, count=1000))
    has_others = any(amounts[OTHERS].values())
    shown = [*names, OTHERS] if has_others else names
    rest = sum(quanta for value, quanta in before.items() if value not in names)
    return Spending(
        currency=unit,
        currencies=tuple(units),
        dimension=dimension.value,
        days=tuple(days),
        names=tuple(shown),
        series=tuple(tuple(amounts[name].values()) for name in shown),
        before=tuple(from_quanta(rest if name == OTHERS else before.get(name, 0), unit) for name in shown),
    )


def anomaly_curve(session: Session, caller: Caller, anomaly_id: str) -> AnomalyCurve:
    """Return an anomaly with its series from some weeks before it."""
    anomaly = get_anomaly(session, caller.tenant, anomaly_id)
    start, end = (anomaly.start_at - AROUND).date(), anomaly.end_at.date() + timedelta(days=1)
    known = {one.value for one in Dimension}
    dimension = Dimension(anomaly.dimension) if anomaly.dimension in known else Dimension.TOTAL
    values = None if dimension is Dimension.TOTAL else [anomaly.value]
    amounts = {
        day: from_quanta(quanta, anomaly.currency)
        for day, _, unit, quanta in totals.day_sums(
            session, caller.tenant, dimension, start=start, end=end, values=values
        )
        if unit == anomaly.currency
    }
    days = tuple(start + timedelta(days=step) for step in range((end - start).days))
    incident = incident_ids(session, caller.tenant, [anomaly_id]).get(anomaly_id)
    return AnomalyCurve(anomaly, incident, days, tuple(amounts.get(day) for day in days))


def _open_incidents(session: Session, tenant: str) -> tuple[Any, ...]:
    found = [
        one
        for status in (IncidentStatus.OPEN, IncidentStatus.ACKNOWLEDGED)
        for one in list_incidents(session, tenant, status=status, severity=None, limit=LISTED * 4)
    ]
    order = ["CRITICAL", "HIGH", "MEDIUM", "LOW"]
    return tuple(sorted(found, key=lambda one: order.index(one.severity.value))[:LISTED])


def _at_stake(session: Session, tenant: str) -> tuple[Money, ...]:
    return tuple(Money.of_quanta(max(int(row.quanta), 0), row.currency) for row in totals.stakes(session, tenant))


def _days(session: Session, tenant: str) -> list[tuple[date, str, Decimal]]:
    last = totals.last_day(session, tenant)
    if last is None:
        return []
    start = last - timedelta(days=DAYS - 1)
    found = totals.day_sums(session, tenant, Dimension.TOTAL, start=start, end=last + timedelta(days=1))
    return [(day, unit, from_quanta(quanta, unit)) for day, _, unit, quanta in found]
