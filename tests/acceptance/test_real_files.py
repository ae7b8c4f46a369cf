"""Every real cost file of the data folder is taken in whole, or refused for a reason that names the mend."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from comptroller.cli.app import run

DATA = Path(os.environ.get("COMPTROLLER_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data")
FOLDERS = ("focus", "provider_native", "llm_usage")
SPEC = "focus/spec_examples"
DOLLARS = "currency=const:USD"
GPT = "model=const:gpt-4o"
FROM_MONDAY = f"time=2025-01-06+hours:hour,{GPT}"
FLEXIBLE = f"{SPEC}/commitment_discount_flexibility"
FULL = f"{FLEXIBLE}/one_hundred_percent_utilization"
SCENARIO = f"{SPEC}/commitment_discount_scenarios/commitment_discount"
SAAS = f"{SPEC}/saas_examples"

# file, what --map must say, format, rows
TAKEN = [
    ("focus/focus_1.0_aws_2024-09-01_22.csv", None, "focus", 625),
    ("focus/focus_1.0_microsoft_part1.csv", None, "focus", 25),
    ("focus/focus_1.2_synthetic_sample.csv", None, "focus", 4),
    (f"{FULL}_with_commitment_discount_flexibility_with_1_resource.csv", DOLLARS, "focus", 3),
    (f"{FULL}_without_commitment_discount_flexibility.csv", DOLLARS, "focus", 2),
    (f"{FLEXIBLE}/zero_percent_utilization_without_commitment_discount_flexibility.csv", DOLLARS, "focus", 3),
    (f"{SCENARIO}_purchase_scenario_1.csv", DOLLARS, "focus", 1),
    (f"{SCENARIO}_usage_scenario_1.csv", DOLLARS, "focus", 1),
    (f"{SCENARIO}_usage_scenario_2.csv", DOLLARS, "focus", 1),
    (f"{SCENARIO}_usage_scenario_4.csv", DOLLARS, "focus", 2),
    (f"{SAAS}/simple_agreements/simple_saas_agreements_a1.csv", None, "focus", 1),
    (f"{SAAS}/simple_agreements/simple_saas_agreements_a2.csv", None, "focus", 1),
    (f"{SAAS}/simple_agreements/simple_saas_agreements_a3.csv", None, "focus", 1),
    (f"{SAAS}/spend_agreements/saas_spend_agreements_a1.csv", None, "focus", 4),
    (f"{SAAS}/spend_agreements/saas_spend_agreements_a2.csv", None, "focus", 13),
    (f"{SAAS}/virtual_currency_pricing_model_a1.csv", None, "focus", 1),
    (f"{SAAS}/virtual_currency_pricing_model_a2.csv", None, "focus", 3),
    ("llm_usage/azure_llm_2023_conv.csv.gz", GPT, "usage", 19366),
    ("llm_usage/litellm_spend_log_sample.json", None, "litellm", 1),
    ("llm_usage/servegen_language_mlarge_hourly_even_clients.csv.gz", FROM_MONDAY, "usage", 27216),
    ("llm_usage/servegen_language_msmall_hourly.csv.gz", FROM_MONDAY, "usage", 14448),
    ("llm_usage/servegen_reason_deepseekr1_hourly.csv.gz", FROM_MONDAY, "usage", 1752),
    ("provider_native/aws_cur_legacy_2023-11.csv.gz", None, "aws-cur", 1281),
    ("provider_native/azure_ea_export_2023-09.csv", None, "azure", 27),
]  # fmt: skip
# file, what the refusal says
REFUSED = [
    ("focus/azure_open_data/PricingUnits.csv", "is no bill: its columns are 'UnitOfMeasure'"),
    ("focus/azure_open_data/Regions.csv", "is no bill: its columns are 'OriginalValue'"),
    ("focus/azure_open_data/Services.csv", "is no bill: its columns are 'ConsumedService'"),
    ("focus/validator_samples/all_pass_0.5.csv", "the billing period ends before it starts"),
    ("focus/validator_samples/billedCostTest.csv", "it lacks ChargePeriodStart and BillingCurrency"),
    ("focus/validator_samples/currency_codes.csv", "is no bill"),
    ("focus/validator_samples/listUnitPriceTest.csv", "it lacks ChargePeriodStart and BilledCost"),
    ("focus/validator_samples/multiple_failure_examples.csv", "it lacks ChargePeriodStart and BilledCost"),
    ("focus/validator_samples/sample.parquet", "it lacks ChargePeriodStart and BilledCost"),
    ("llm_usage/litellm_model_prices.json.gz", "this is no bill"),
    ("llm_usage/mooncake_conversation.csv.gz", "it lacks time and model"),
    ("llm_usage/otel_genai_span_examples.json", "it lacks time"),
]
# A period that ends at thirty o'clock.
ODD = f"{SCENARIO}_purchase_scenario_2.csv"
# what must be mapped, and what is said until it is
MAPPED = {DOLLARS: "--map currency=const:USD", GPT: "--map model=const:MODEL", FROM_MONDAY: "model=const:MODEL"}

needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="no data folder: set COMPTROLLER_TEST_DATA")


Scan = Callable[..., tuple[int, str, str]]


@pytest.fixture
def scan(capsys: pytest.CaptureFixture[str], sqlite_url: str) -> Scan:
    """Run ``comptroller scan`` on a file of the data folder: exit status, answer, error."""

    def scanned(name: str, mapping: str | None = None, *options: str) -> tuple[int, str, str]:
        mapped = [] if mapping is None else ["--map", mapping]
        status = run(["scan", str(DATA / name), *mapped, *options, "--database", sqlite_url, "--format", "json"])
        return status, *capsys.readouterr()

    return scanned


@needs_data
def test_every_file_has_its_line_in_the_tables():
    files = {path.relative_to(DATA).as_posix() for folder in FOLDERS for path in (DATA / folder).rglob("*")
             if path.is_file()}  # fmt: skip
    assert {name for name, *_ in TAKEN} | {name for name, _ in REFUSED} | {ODD} == files


@needs_data
@pytest.mark.parametrize(("name", "mapping", "format_", "rows"), TAKEN, ids=[line[0] for line in TAKEN])
def test_a_bill_is_taken_in_whole(name: str, mapping: str | None, format_: str, rows: int, scan: Scan):
    if mapping is not None:
        status, _, err = scan(name)
        assert (status, MAPPED[mapping] in err) == (2, True)
    status, out, err = scan(name, mapping)
    assert (status, err) == (0, "")
    costs = json.loads(out)["costs"]
    assert (costs["format"], sum(part["row_count"] for part in costs["deliveries"])) == (format_, rows)


@needs_data
@pytest.mark.parametrize(("name", "said"), REFUSED, ids=[line[0] for line in REFUSED])
def test_what_is_no_bill_is_refused_for_a_reason(name: str, said: str, scan: Scan):
    status, out, err = scan(name)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert name.rpartition("/")[2] in err
    assert said in err


@needs_data
def test_a_row_that_ends_at_thirty_oclock_is_named_and_can_be_left_out(scan: Scan):
    status, _, err = scan(ODD, DOLLARS)
    assert status == 2
    assert "line 4, ChargePeriodEnd '2023-02-01T30:00:00Z'" in err
    status, out, _ = scan(ODD, DOLLARS, "--skip-bad")
    costs = json.loads(out)["costs"]
    assert (status, costs["bad_rows"], costs["deliveries"][0]["row_count"]) == (0, 1, 2)
