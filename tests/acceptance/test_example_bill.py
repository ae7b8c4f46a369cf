import csv
import gzip
import runpy
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
LARGEST_BYTES = 400_000


@pytest.fixture(scope="module")
def write_bill() -> Callable[[Path], None]:
    return runpy.run_path(str(EXAMPLES / "make_bill.py"))["write_bill"]


def contents(folder: Path) -> dict[str, bytes]:
    # Another zlib may compress the same rows to other bytes.
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {
        str(path.relative_to(folder)): gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for path in files
    }


def rows() -> list[dict[str, str]]:
    parts = sorted((EXAMPLES / "bill" / "data").rglob("*.csv.gz"))
    return [row for part in parts for row in csv.DictReader(gzip.decompress(part.read_bytes()).decode().splitlines())]


def cost_by_day(resource: str) -> dict[str, Decimal]:
    return {
        row["ChargePeriodStart"][:10]: Decimal(row["EffectiveCost"])
        for row in rows()
        if row["ResourceName"] == resource
    }


def test_the_script_writes_the_bill_that_is_shipped(write_bill: Callable[[Path], None], tmp_path: Path):
    write_bill(tmp_path)
    assert contents(tmp_path) == contents(EXAMPLES / "bill")


def test_two_runs_of_the_script_write_the_same_bytes(write_bill: Callable[[Path], None], tmp_path: Path):
    for name in ("first", "second"):
        write_bill(tmp_path / name)
    first, second = (
        {path.name + path.parent.name: path.read_bytes() for path in (tmp_path / name).rglob("*.*z")}
        for name in ("first", "second")
    )
    assert first == second


def test_the_bill_is_small():
    assert sum(path.stat().st_size for path in (EXAMPLES / "bill").rglob("*")) < LARGEST_BYTES


def test_the_bill_has_every_charge_category_but_corrections():
    assert {row["ChargeCategory"] for row in rows()} == {"Usage", "Purchase", "Tax", "Credit"}


def test_the_runaway_lasts_three_days():
    costs = cost_by_day("ml-training")
    assert [day for day, cost in costs.items() if cost > 1_000] == ["2026-10-16", "2026-10-17", "2026-10-18"]


def test_the_broken_stream_bills_nothing_at_the_end():
    assert max(cost_by_day("events")) == "2026-10-19"


def test_covered_usage_is_billed_by_the_plan_and_keeps_its_effective_cost():
    covered = [row for row in rows() if row["CommitmentDiscountStatus"] == "Used"]
    assert {row["BilledCost"] for row in covered} == {"0"}
    assert all(Decimal(row["EffectiveCost"]) > 0 for row in covered)
