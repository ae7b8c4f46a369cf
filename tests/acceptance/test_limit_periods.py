"""Bills against the periods of limits: each fact once per limit and window, an excess with its breach."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import bills
from comptroller import GovernanceError
from comptroller.enums import AnomalyKind, Severity
from faces import Face

WriteBill = Callable[..., Path]
FLAT = {"Amazon EC2": lambda _: 100.0}
JUNE = range(30)


def periods(report) -> list[tuple[AnomalyKind, str]]:
    return [(found.anomaly.kind, found.anomaly.value) for found in report.found if found.anomaly.dimension == "limit"]


def check(face: Face, bill: WriteBill, days: range, services: Any = None, **other: str):
    """Deliver some days and check, in the morning after the last of them."""
    face.turn_to(bills.noon(days.stop))
    face.do("costs.ingest", bill(f"until{days.stop}.csv", bills.rows(services or FLAT, days, **other)))
    return face.do("anomalies.detect")


def breaches(face: Face) -> list[tuple[Any, ...]]:
    return face.rows(
        "SELECT limit_id, breach_type, value_at_breach, limit_value, incident_id, details FROM limit_breaches"
    )


def test_an_excess_is_an_incident_and_its_breach(every_face: Face, bill: WriteBill):
    limit = every_face.do("limits.create", "monthly", ceiling="1000 USD", every="month")
    report = check(every_face, bill, range(12))
    assert periods(report) == [(AnomalyKind.BUDGET_EXCEEDED, "monthly")]
    (incident,) = every_face.do("incidents.list")
    assert (incident.anomaly_type, incident.severity, incident.current_value_cents) == (
        "BUDGET_EXCEEDED", Severity.HIGH, 120_000
    )  # fmt: skip
    ((limit_id, kind, value, ceiling, incident_id, _),) = breaches(every_face)
    assert (limit_id, kind, Decimal(str(value)), Decimal(str(ceiling)), incident_id) == (
        limit.id, "BREACHED", 1200, 1000, incident.id
    )  # fmt: skip
    kinds = sorted(kind for (kind,) in every_face.rows("SELECT kind FROM outbox"))
    assert len(kinds) == 2
    assert "incident.opened" in kinds


def test_it_is_told_once_per_window(every_face: Face, bill: WriteBill):
    every_face.do("limits.create", "monthly", ceiling="1000 USD", every="month")
    check(every_face, bill, range(12))
    before = every_face.tables()
    every_face.do("anomalies.detect")
    assert every_face.tables() == before
    report = check(every_face, bill, range(20))
    assert periods(report) == []
    assert len(breaches(every_face)) == 1
    report = check(every_face, bill, range(30 + 15))
    assert periods(report) == [(AnomalyKind.BUDGET_EXCEEDED, "monthly")]
    windows = [row[0] for row in every_face.rows("SELECT start_at FROM anomalies ORDER BY start_at")]
    assert [str(window)[:10] for window in windows] == ["2026-06-01", "2026-07-01"]


def test_a_warning_comes_before_the_excess(face: Face, bill: WriteBill):
    face.do("limits.create", "monthly", ceiling="3500 USD", every="month", warn_at=["50%", "80%"])
    assert periods(check(face, bill, range(17))) == []
    assert periods(check(face, bill, range(18))) == [(AnomalyKind.BUDGET_WARNING, "monthly")]
    assert periods(check(face, bill, range(29))) == [(AnomalyKind.BUDGET_WARNING, "monthly")]
    assert breaches(face) == []


def test_a_forecast_that_will_exceed_is_told_before_it_does(face: Face, bill: WriteBill):
    face.do("limits.create", "monthly", ceiling="2000 USD", every="month", warn_at=["100%"])
    report = check(face, bill, range(14))
    assert periods(report) == [(AnomalyKind.BUDGET_FORECAST, "monthly")]
    assert "will pass" in report.found[0].anomaly.description
    assert breaches(face) == []
    assert periods(face.do("anomalies.detect")) == []


def test_spend_below_the_limit_says_nothing(lite: Face, bill: WriteBill):
    lite.do("limits.create", "monthly", ceiling="9000 USD", every="month")
    assert periods(check(lite, bill, JUNE)) == []


def test_without_its_breach_an_excess_is_not_written(face: Face, bill: WriteBill):
    face.do("limits.create", "monthly", ceiling="1000 USD", every="month")
    face.turn_to(bills.noon(12))
    face.do("costs.ingest", bill("bill.csv", bills.rows(FLAT, range(12))))
    face.execute("ALTER TABLE limit_breaches RENAME TO breaches_away")
    before = face.tables()
    with pytest.raises(GovernanceError):
        face.do("anomalies.detect")
    assert face.tables() == before
    face.execute("ALTER TABLE breaches_away RENAME TO limit_breaches")
    assert periods(face.do("anomalies.detect")) == [(AnomalyKind.BUDGET_EXCEEDED, "monthly")]


def test_each_subject_has_a_limit_of_its_own(face: Face, bill: WriteBill):
    services = {"Amazon EC2": lambda _: 100.0, "Amazon S3": lambda _: 10.0, "AWS Lambda": lambda _: 90.0}
    face.do("limits.create", "each", ceiling="1000 USD", every="month", per=["service"])
    report = check(face, bill, range(12), services)
    assert {name for _, name in periods(report)} == {"each (Amazon EC2)", "each (AWS Lambda)"}
    assert len(face.do("incidents.list")) == len(breaches(face)) == 2


def test_only_what_matches_counts(face: Face, bill: WriteBill):
    face.do("limits.create", "s3", ceiling="1000 USD", every="month", where={"service": "Amazon S3"})
    face.do("limits.create", "ec2", ceiling="1000 USD", every="month", where={"service": "Amazon EC2"})
    both = {"service": "Amazon EC2", "account": "account-1"}
    face.do("limits.create", "two", ceiling="1000 USD", every="month", where=both)
    face.do("limits.create", "other", ceiling="1000 USD", every="month", where=both | {"account": "account-2"})
    report = check(face, bill, range(12), {"Amazon EC2": lambda _: 100.0, "Amazon S3": lambda _: 10.0})
    assert {name for _, name in periods(report)} == {"ec2", "two"}


def test_a_limit_counts_its_own_currency_only(lite: Face, bill: WriteBill):
    lite.do("limits.create", "euros", ceiling="100 EUR", every="month")
    assert periods(check(lite, bill, range(12))) == []


def test_credits_do_not_count(lite: Face, bill: WriteBill):
    lite.do("limits.create", "monthly", ceiling="1000 USD", every="month")
    lite.turn_to(bills.noon(12))
    credit = bills.row(3, "Amazon EC2", "-900.00", ChargeCategory="Credit")
    lite.do("costs.ingest", bill("bill.csv", [*bills.rows(FLAT, range(12)), credit]))
    assert periods(lite.do("anomalies.detect")) == [(AnomalyKind.BUDGET_EXCEEDED, "monthly")]


def test_an_override_in_force_is_the_ceiling(lite: Face, bill: WriteBill):
    limit = lite.do("limits.create", "monthly", ceiling="1000 USD", every="month")
    lite.turn_to(bills.noon(12))
    ends = bills.noon(40)
    lite.do("limits.override", limit.id, ceiling="9000 USD", expires_at=ends, why="launch")
    assert periods(check(lite, bill, range(12))) == []


@pytest.mark.parametrize(("every", "ceiling", "expected"), [("day", "150 USD", 2), ("week", "750 USD", 1)])
def test_days_and_weeks_are_windows_too(lite: Face, bill: WriteBill, every: str, ceiling: str, expected: int):
    costs = {"Amazon EC2": lambda day: 200.0 if day in {8, 20} else 100.0 if every == "day" or day < 14 else 90.0}
    lite.do("limits.create", "windows", ceiling=ceiling, every=every, warn_at=["100%"])
    report = check(lite, bill, JUNE, costs)
    exceeded = [name for kind, name in periods(report) if kind is AnomalyKind.BUDGET_EXCEEDED]
    assert len(exceeded) == expected == len(breaches(lite))


def hour(at: datetime, cost: str) -> bills.Row:
    """Return a row of one hour."""
    month = at.date().replace(day=1)
    return bills.row(0, "Amazon EC2", cost) | {
        "BillingPeriodStart": month.isoformat(),
        "BillingPeriodEnd": (month + timedelta(days=32)).replace(day=1).isoformat(),
        "ChargePeriodStart": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "ChargePeriodEnd": f"{at + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
    }


@pytest.mark.parametrize(
    ("zone", "at", "window"),
    [
        ("UTC", datetime(2026, 6, 30, 23, tzinfo=UTC), "2026-06-01"),
        ("Europe/Berlin", datetime(2026, 6, 30, 21, tzinfo=UTC), "2026-06-01"),
        ("Europe/Berlin", datetime(2026, 6, 30, 22, tzinfo=UTC), "2026-07-01"),
        ("America/New_York", datetime(2026, 7, 1, 3, tzinfo=UTC), "2026-06-01"),
        ("America/New_York", datetime(2026, 7, 1, 4, tzinfo=UTC), "2026-07-01"),
        ("Asia/Kolkata", datetime(2026, 6, 30, 18, tzinfo=UTC), "2026-06-01"),
        ("Asia/Kolkata", datetime(2026, 6, 30, 19, tzinfo=UTC), "2026-07-01"),
        ("Pacific/Kiritimati", datetime(2026, 6, 30, 10, tzinfo=UTC), "2026-07-01"),
    ],
)
def test_an_hour_counts_in_the_month_of_the_limits_zone(
    face: Face, bill: WriteBill, zone: str, at: datetime, window: str
):
    face.do("limits.create", "monthly", ceiling="100 USD", every="month", timezone=zone, warn_at=["100%"])
    calm = [hour(datetime(2026, 6, 15, 12, tzinfo=UTC), "1.00"), hour(datetime(2026, 7, 10, 12, tzinfo=UTC), "1.00")]
    face.turn_to(datetime(2026, 7, 20, tzinfo=UTC))
    face.do("costs.ingest", bill("bill.csv", [*calm, hour(at, "150.00")]))
    report = face.do("anomalies.detect")
    assert periods(report) == [(AnomalyKind.BUDGET_EXCEEDED, "monthly")]
    assert report.found[0].anomaly.start_at.date().isoformat() == window


@pytest.mark.parametrize(("at", "day"), [(0, "2026-10-25"), (21, "2026-10-25"), (23, "2026-10-26")])
def test_a_day_of_twenty_five_hours_is_one_window(lite: Face, bill: WriteBill, at: int, day: str):
    lite.do("limits.create", "daily", ceiling="100 USD", every="day", timezone="Europe/Berlin", warn_at=["100%"])
    start = datetime(2026, 10, 25, tzinfo=UTC)
    lite.turn_to(datetime(2026, 11, 5, tzinfo=UTC))
    calm = [hour(start + timedelta(days=days, hours=12), "1.00") for days in (-3, 3)]
    lite.do("costs.ingest", bill("bill.csv", [*calm, hour(start + timedelta(hours=at), "150.00")]))
    (found,) = lite.do("anomalies.detect").found
    assert found.anomaly.start_at.date().isoformat() == day


def test_a_days_row_counts_on_the_day_it_names_in_every_zone(lite: Face, bill: WriteBill):
    zone = "America/New_York"
    lite.do("limits.create", "monthly", ceiling="100 USD", every="month", timezone=zone, warn_at=["100%"])
    lite.turn_to(bills.noon(45))
    rows = [bills.row(10, "Amazon EC2", "1.00"), bills.row(30, "Amazon EC2", "150.00")]
    lite.do("costs.ingest", bill("bill.csv", rows))
    found = [found.anomaly for found in lite.do("anomalies.detect").found if found.anomaly.dimension == "limit"]
    assert [one.start_at.date().isoformat() for one in found] == ["2026-07-01"]


def test_limits_of_another_tenant_are_not_checked(face: Face, bill: WriteBill):
    other = face.another("globex")
    other.do("limits.create", "monthly", ceiling="1000 USD", every="month")
    assert periods(check(face, bill, range(12))) == []
    assert other.do("anomalies.detect").found == ()
    other.close()
