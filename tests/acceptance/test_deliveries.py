from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

import bills
from comptroller import ConflictError
from comptroller.types.costs import DeliveryOutcome
from faces import Face

SERVICES = {"Amazon EC2": bills.steady(200), "Amazon S3": bills.steady(50)}
CURRENT = (
    "SELECT SUM(r.effective_quanta) FROM cost_rows r JOIN cost_deliveries d ON d.tenant_id = r.tenant_id "
    "AND d.id = r.delivery_id WHERE d.superseded_at IS NULL"
)
WriteBill = Callable[..., Path]


def total(rows: list[bills.Row]) -> Decimal:
    return sum((Decimal(row["EffectiveCost"]) for row in rows), Decimal(0))


def quanta(rows: list[bills.Row]) -> int:
    return int(total(rows) * 10**9)


def outcomes(report) -> list[DeliveryOutcome]:
    return [delivery.outcome for delivery in report.deliveries]


def test_month_to_date_files_delivered_daily_never_add_up_twice(every_face: Face, bill: WriteBill):
    for day in range(5):
        rows = bills.rows(SERVICES, range(day + 1))
        every_face.turn_to(bills.noon(day + 1))
        every_face.scan(bill(f"day{day}.csv", rows))
        assert every_face.value(CURRENT) == quanta(rows)
    report = every_face.do("anomalies.detect")
    assert report.spend == {"USD": total(rows)}


def test_superseded_rows_stay_readable(face: Face, bill: WriteBill):
    first, second = bills.rows(SERVICES, range(3)), bills.rows(SERVICES, range(5))
    face.do("costs.ingest", bill("first.csv", first))
    report = face.do("costs.ingest", bill("second.csv", second))
    assert outcomes(report) == [DeliveryOutcome.REPLACED]
    by_state = face.rows(
        "SELECT d.superseded_at IS NULL, COUNT(*) FROM cost_rows r JOIN cost_deliveries d ON d.tenant_id = r.tenant_id "
        "AND d.id = r.delivery_id GROUP BY d.superseded_at IS NULL ORDER BY 1"
    )
    assert [count for _, count in by_state] == [len(first), len(second)]


def test_a_corrected_amount_replaces_the_earlier_one(face: Face, bill: WriteBill):
    face.do("costs.ingest", bill("first.csv", [bills.row(0, "Amazon EC2", "10.00")]))
    face.do("costs.ingest", bill("second.csv", [bills.row(0, "Amazon EC2", "9.50")]))
    assert face.value(CURRENT) == 9_500_000_000


def test_a_delivery_that_lacks_a_day_of_a_service_is_refused(every_face: Face, bill: WriteBill):
    every_face.do("costs.ingest", bill("whole.csv", bills.rows(SERVICES, range(5))))
    before = every_face.tables()
    with pytest.raises(ConflictError, match=r"Amazon S3 on 2026-06-05.*--replace.*--append"):
        every_face.do("costs.ingest", bill("part.csv", bills.rows(SERVICES, range(5))[:-1]))
    assert every_face.tables() == before


def test_a_refused_account_keeps_the_other_accounts_of_the_file_out(face: Face, bill: WriteBill):
    face.do("costs.ingest", bill("whole.csv", bills.rows(SERVICES, range(5))))
    before = face.tables()
    other = bills.rows(SERVICES, range(5), BillingAccountId="billing-0")
    with pytest.raises(ConflictError):
        face.do("costs.ingest", bill("part.csv", other + bills.rows(SERVICES, range(4))))
    assert face.tables() == before


def test_replace_takes_a_delivery_that_lacks_something(face: Face, bill: WriteBill):
    rows = bills.rows(SERVICES, range(3))
    face.do("costs.ingest", bill("whole.csv", bills.rows(SERVICES, range(5))))
    report = face.do("costs.ingest", bill("part.csv", rows), arrival="replace")
    assert outcomes(report) == [DeliveryOutcome.REPLACED]
    assert face.value(CURRENT) == quanta(rows)


def test_append_adds_a_further_part_once(face: Face, bill: WriteBill):
    first, second = bills.rows(SERVICES, range(3)), bills.rows(SERVICES, range(3, 5))
    face.do("costs.ingest", bill("first.csv", first))
    report = face.do("costs.ingest", bill("second.csv", second), arrival="append")
    assert outcomes(report) == [DeliveryOutcome.APPENDED]
    before = face.tables()
    for name, rows in (("second.csv", second), ("first.csv", first)):
        again = face.do("costs.ingest", bill(name, rows), arrival="append")
        assert outcomes(again) == [DeliveryOutcome.UNCHANGED]
    assert face.tables() == before
    assert face.value(CURRENT) == quanta(first + second)


def test_a_whole_delivery_replaces_all_parts(face: Face, bill: WriteBill):
    rows = bills.rows(SERVICES, range(5))
    face.do("costs.ingest", bill("first.csv", rows[:6]))
    face.do("costs.ingest", bill("second.csv", rows[6:]), arrival="append")
    face.do("costs.ingest", bill("whole.csv", [*rows, bills.row(4, "AWS Lambda", "1.00")]))
    assert face.value("SELECT COUNT(*) FROM cost_deliveries WHERE superseded_at IS NULL") == 1
    assert face.value(CURRENT) == quanta(rows) + 10**9


def test_the_files_of_one_command_are_one_delivery(face: Face, bill: WriteBill):
    rows = bills.rows(SERVICES, range(4))
    files = bill("a.csv", rows[:4]), bill("b.csv.gz", rows[4:])
    report = face.do("costs.ingest", *files)
    assert outcomes(report) == [DeliveryOutcome.STORED]
    assert face.value(CURRENT) == quanta(rows)
    assert face.do("costs.ingest", *reversed(files)).is_unchanged


def test_months_and_accounts_are_replaced_apart(face: Face, bill: WriteBill):
    june, july = bills.rows(SERVICES, range(30)), bills.rows(SERVICES, range(30, 61))
    face.do("costs.ingest", bill("june.csv", june))
    face.do("costs.ingest", bill("july.csv", july))
    assert face.value(CURRENT) == quanta(june + july)
    other = bills.rows(SERVICES, range(30), BillingAccountId="billing-2")
    assert outcomes(face.do("costs.ingest", bill("other.csv", other))) == [DeliveryOutcome.STORED]
    assert face.value(CURRENT) == quanta(june + july + other)


def test_sources_are_apart(face: Face, bill: WriteBill):
    rows = bills.rows(SERVICES, range(3))
    face.do("costs.ingest", bill("a.csv", rows), source="export-a")
    report = face.do("costs.ingest", bill("a.csv", rows), source="export-b")
    assert report.source == "export-b"
    assert face.value(CURRENT) == 2 * quanta(rows)


def test_an_older_file_after_a_newer_one_is_refused(face: Face, bill: WriteBill):
    older = bill("older.csv", bills.rows(SERVICES, range(3)))
    face.do("costs.ingest", older)
    face.do("costs.ingest", bill("newer.csv", bills.rows(SERVICES, range(5))))
    before = face.tables()
    with pytest.raises(ConflictError, match="lacks"):
        face.do("costs.ingest", older)
    assert face.tables() == before


def test_new_owners_have_the_same_file_stored_anew(face: Face, bill: WriteBill, tmp_path: Path):
    rows = bills.rows(SERVICES, range(3))
    file = bill("bill.csv", rows)
    face.do("costs.ingest", file)
    assert face.rows("SELECT DISTINCT team FROM cost_rows") == [("(unowned)",)]
    owners = tmp_path / "owners.csv"
    owners.write_text("kind,value,team,owner\naccount,account-1,web,ana\n")
    assert face.do("owners.apply", owners) == 1
    assert outcomes(face.do("costs.ingest", file)) == [DeliveryOutcome.REPLACED]
    current = (
        "SELECT DISTINCT r.team, r.owner FROM cost_rows r JOIN cost_deliveries d ON d.id = r.delivery_id "
        "WHERE d.superseded_at IS NULL"
    )
    assert face.rows(current) == [("web", "ana")]
    assert face.value(CURRENT) == quanta(rows)
    assert face.do("costs.ingest", file).is_unchanged


def usage(path: Path) -> Path:
    lines = [f"2026-06-0{day + 1}T10:00:00Z,house-model,1000000,500000,ana\n" for day in range(3)]
    path.write_text("time,model,input_tokens,output_tokens,user\n" + "".join(lines))
    return path


def test_a_new_price_has_the_same_usage_priced_anew_and_keeps_the_old_rows(face: Face, tmp_path: Path):
    file = usage(tmp_path / "usage.csv")
    face.do("prices.set", "house-model", input_per_million=Decimal("1.00"), output_per_million=Decimal("2.00"))
    face.do("costs.ingest", file)
    assert face.value(CURRENT) == 3 * 2 * 10**9
    face.do("prices.set", "house-model", input_per_million=Decimal("2.00"), output_per_million=Decimal("2.00"))
    assert outcomes(face.do("costs.ingest", file)) == [DeliveryOutcome.REPLACED]
    assert face.value(CURRENT) == 3 * 3 * 10**9
    priced = face.rows("SELECT price_version, COUNT(*) FROM cost_rows GROUP BY price_version")
    assert [count for _, count in priced] == [3, 3]
    assert all(version.startswith("override ") for version, _ in priced)


def test_a_row_that_is_bad_keeps_the_whole_file_out_unless_skipped(face: Face, bill: WriteBill):
    from comptroller import BadFileError

    rows = [*bills.rows(SERVICES, range(3)), bills.row(3, "Amazon EC2", "ten dollars")]
    file = bill("bill.csv", rows)
    before = face.tables()["cost_deliveries"]
    with pytest.raises(BadFileError, match=r"bill\.csv.*8.*ten dollars.*--skip-bad"):
        face.do("costs.ingest", file)
    assert face.tables()["cost_deliveries"] == before
    report = face.do("costs.ingest", file, skip_bad=True)
    assert (report.bad_rows, report.row_count) == (1, 6)
    assert face.value("SELECT bad_count FROM cost_deliveries") == 1
