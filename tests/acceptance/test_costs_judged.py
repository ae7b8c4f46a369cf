from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

import bills
from comptroller.enums import Severity
from faces import Face

CALM = {"Amazon EC2": bills.steady(200), "Amazon S3": bills.steady(50)}
WriteBill = Callable[..., Path]


def names(report) -> set[tuple[str, str]]:
    return {(found.anomaly.value, found.anomaly.currency) for found in report.detection.found}


def test_currencies_are_judged_apart(face: Face, bill: WriteBill):
    euros = {"Hetzner": bills.spiked(80, (80, 81), 6)}
    rows = [*bills.rows(CALM), *bills.rows(euros, BillingCurrency="EUR")]
    report = face.scan(bill("bill.csv", rows))
    assert set(report.detection.spend) == {"USD", "EUR"}
    assert names(report) == {("Hetzner", "EUR")}
    assert face.rows("SELECT currency FROM incidents") == [("EUR",)]


@pytest.mark.parametrize("category", ["Credit", "Tax", "Purchase", "Adjustment"])
def test_what_is_no_usage_is_kept_and_not_judged(lite: Face, bill: WriteBill, category: str):
    cost = "-9000.00" if category == "Credit" else "9000.00"
    rows = [*bills.rows(CALM), bills.row(80, "Amazon EC2", cost, ChargeCategory=category)]
    report = lite.scan(bill("bill.csv", rows))
    assert report.detection.found == ()
    kept = lite.rows("SELECT effective_cost FROM cost_rows WHERE charge_category = :category", category=category)
    assert [Decimal(str(value)) for (value,) in kept] == [Decimal(cost)]


def test_refunds_and_free_rows_are_no_error_and_no_anomaly(lite: Face, bill: WriteBill):
    refund = bills.row(60, "Amazon S3", "-3.00", ChargeDescription="refund")
    free = [bills.row(day, "Amazon S3", "0", ChargeDescription="free tier") for day in range(bills.DAYS)]
    report = lite.scan(bill("bill.csv", [*bills.rows(CALM), refund, *free]))
    assert report.detection.found == ()
    assert report.costs.row_count == 2 * bills.DAYS + 1 + bills.DAYS


def test_days_to_come_are_kept_and_not_judged(face: Face, bill: WriteBill):
    ahead = [bills.row(bills.DAYS + 40, "Amazon EC2", "9000.00")]
    report = face.scan(bill("bill.csv", [*bills.rows(CALM), *ahead]))
    assert report.detection.found == ()
    assert report.costs.row_count == 2 * bills.DAYS + 1
    assert report.detection.last_at.date() == bills.day_after(bills.DAYS)


def test_the_cost_that_is_asked_for_is_judged(face: Face, bill: WriteBill):
    rows = bills.rows(CALM)
    for row in rows:
        if row["ServiceName"] == "Amazon EC2" and row["ChargePeriodStart"] in {"2026-08-20", "2026-08-21"}:
            row["BilledCost"] = "1500.00"
    file = bill("bill.csv", rows)
    assert face.scan(file).detection.found == ()
    report = face.scan(file, cost="billed")
    assert names(report) == {("Amazon EC2", "USD")}
    assert report.detection.found[0].anomaly.actual == Decimal(3000)


def test_a_cost_that_the_bill_does_not_have_finds_nothing(lite: Face, bill: WriteBill):
    rows = [row | {"ListCost": ""} for row in bills.rows(CALM)]
    assert lite.scan(bill("bill.csv", rows), cost="list").detection.found == ()


def test_new_spend_without_history_is_found(lite: Face, bill: WriteBill):
    rows = [*bills.rows(CALM), *bills.rows({"Amazon Bedrock": bills.steady(400)}, range(80, 84))]
    report = lite.scan(bill("bill.csv", rows))
    (found,) = report.detection.found
    told = {found.anomaly.value, *(series.value for series in found.anomaly.evidence)}
    assert "Amazon Bedrock" in told
    assert found.anomaly.severity in {Severity.CRITICAL, Severity.HIGH}


def test_the_owner_of_an_account_is_told(face: Face, bill: WriteBill, tmp_path: Path):
    owners = tmp_path / "owners.toml"
    owners.write_text('[[owner]]\naccount = "account-2"\nteam = "research"\nowner = "ben"\n')
    face.do("owners.apply", owners)
    other = bills.rows({"Amazon SageMaker": bills.spiked(100, (80, 81), 6)}, SubAccountId="account-2")
    (found,) = face.scan(bill("bill.csv", [*bills.rows(CALM), *other])).detection.found
    assert (found.anomaly.team, found.anomaly.owner) == ("research", "ben")
    assert face.rows("SELECT team, owner FROM anomalies") == [("research", "ben")]
    assert [rule.team for rule in face.do("owners.list")] == ["research"]


def hourly(path: Path) -> Path:
    lines = []
    for hour in range(21 * 24):
        at = bills.noon(60).replace(hour=0).timestamp() + hour * 3600
        from datetime import UTC, datetime

        tokens = 1_000_000 + (hour * 37 % 11) * 10_000
        if 21 * 24 - 5 <= hour < 21 * 24 - 2:
            tokens *= 12
        moment = datetime.fromtimestamp(at, UTC)
        lines.append(f"{moment:%Y-%m-%dT%H:%M:%SZ},house-model,{tokens},{tokens // 4},ana\n")
    path.write_text("time,model,input_tokens,output_tokens,user\n" + "".join(lines))
    return path


def test_a_burst_of_hours_is_found_in_usage_with_times(face: Face, tmp_path: Path):
    face.do("prices.set", "house-model", input_per_million=Decimal(10), output_per_million=Decimal(20))
    report = face.scan(hourly(tmp_path / "usage.csv"))
    assert any(found.anomaly.value in {"house-model", "ana", "(total)"} for found in report.detection.found)
    before = face.tables()
    face.do("anomalies.detect")
    assert face.tables() == before
