"""Every real file is taken in, or refused for a reason that a person can act on."""

from decimal import Decimal

import pytest

from comptroller.errors import BadFileError

COUNTED = {"time": "2025-03-01+hours:hour", "model": "const:claude-3-5-sonnet"}
READ = [
    # file, rows, sum of effective cost, column map
    ("focus/focus_1.0_aws_2024-09-01_22.csv", 625, None, {}),
    ("focus/focus_1.0_microsoft_part1.csv", 25, None, {}),
    ("focus/focus_1.2_synthetic_sample.csv", 4, None, {}),
    ("focus/spec_examples/saas_examples/simple_agreements/simple_saas_agreements_a1.csv", 1, "10000", {}),
    ("focus/spec_examples/saas_examples/simple_agreements/simple_saas_agreements_a2.csv", 1, "50000", {}),
    ("focus/spec_examples/saas_examples/simple_agreements/simple_saas_agreements_a3.csv", 1, "1000", {}),
    ("focus/spec_examples/saas_examples/spend_agreements/saas_spend_agreements_a1.csv", 4, None, {}),
    ("focus/spec_examples/saas_examples/spend_agreements/saas_spend_agreements_a2.csv", 13, None, {}),
    ("focus/spec_examples/saas_examples/virtual_currency_pricing_model_a1.csv", 1, "0", {}),
    ("focus/spec_examples/saas_examples/virtual_currency_pricing_model_a2.csv", 3, None, {}),
    (
        "focus/spec_examples/commitment_discount_scenarios/commitment_discount_usage_scenario_4.csv",
        *(2, "1.5", {"currency": "const:USD"}),
    ),
    ("provider_native/aws_cur_legacy_2023-11.csv.gz", 1281, None, {}),
    ("provider_native/azure_ea_export_2023-09.csv", 27, None, {}),
    ("llm_usage/azure_llm_2023_conv.csv.gz", 19366, "96.791325", {"model": "const:gpt-4o"}),
    (
        "llm_usage/mooncake_conversation.csv.gz",
        *(12031, None, {"model": "const:gpt-4o", "time": "2025-03-01+milliseconds:timestamp_ms"}),
    ),
    ("llm_usage/servegen_language_mlarge_hourly_even_clients.csv.gz", 27216, None, COUNTED),
    ("llm_usage/servegen_language_msmall_hourly.csv.gz", 14448, None, COUNTED),
    ("llm_usage/servegen_reason_deepseekr1_hourly.csv.gz", 1752, None, COUNTED),
    ("llm_usage/litellm_spend_log_sample.json", 1, "0.000225", {}),
    ("daily_real/daily_long.csv.gz", 11479, None, {}),
    (
        "labelled_monitoring/consumer-purchase-rate/purchase-01.csv.gz",
        1248,
        None,
        {"time": "TimeStamp", "cost": "Value"},
    ),
]
REFUSED = [
    ("focus/azure_open_data/PricingUnits.csv", "is no bill: its columns are 'UnitOfMeasure'"),
    ("focus/azure_open_data/Regions.csv", "is no bill: its columns are 'OriginalValue'"),
    ("focus/azure_open_data/Services.csv", "is no bill: its columns are 'ConsumedService'"),
    ("focus/validator_samples/all_pass_0.5.csv", "line 2, BillingPeriodEnd .* ends before it starts"),
    ("focus/validator_samples/billedCostTest.csv", "it lacks ChargePeriodStart and BillingCurrency"),
    ("focus/validator_samples/currency_codes.csv", "is no bill"),
    ("focus/validator_samples/listUnitPriceTest.csv", "it lacks ChargePeriodStart and BilledCost and BillingCurrency"),
    ("focus/validator_samples/multiple_failure_examples.csv", "it lacks ChargePeriodStart and BilledCost"),
    ("focus/validator_samples/sample.parquet", "it lacks ChargePeriodStart and BilledCost"),
    ("llm_usage/azure_llm_2023_conv.csv.gz", "it lacks model: .*model=const:MODEL"),
    ("llm_usage/mooncake_conversation.csv.gz", "it lacks time and model"),
    ("llm_usage/servegen_reason_deepseekr1_hourly.csv.gz", r"it lacks time and model: .*2025-01-06\+hours:COLUMN"),
    ("llm_usage/otel_genai_span_examples.json", "it lacks time"),
    ("llm_usage/litellm_model_prices.json.gz", "has 4553 columns"),
]


@pytest.mark.parametrize(("name", "rows", "effective", "column_map"), READ)
def test_a_real_bill_is_taken_in(real_data, opened, name, rows, effective, column_map):  # noqa: PLR0917
    bill = opened(real_data / name, column_map=column_map)
    totals = [total for part in bill.parts for total in bill.totals(part)]
    assert sum(part.row_count for part in bill.parts) == sum(total.row_count for total in totals) == rows
    assert bill.bad_count == bill.repeated_count == 0
    if effective is not None:
        assert Decimal(sum(total.effective_quanta for total in totals)).scaleb(-9) == Decimal(effective)


@pytest.mark.parametrize(("name", "why"), REFUSED)
def test_a_real_file_that_is_no_bill_says_why(real_data, opened, name, why):
    with pytest.raises(BadFileError, match=why):
        opened(real_data / name)


def test_real_tags_and_places_survive(real_data, read):
    rows = read(real_data / "focus/focus_1.0_aws_2024-09-01_22.csv")
    assert rows[0]["billed_cost"] == "0.00000080000"
    assert rows[0]["tags"] is None
    assert rows[1]["tags"] == '{"application":"BlueAssetEdge","business_unit":"MadisonData","environment":"prod"}'
