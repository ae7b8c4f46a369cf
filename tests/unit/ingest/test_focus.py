import gzip
from datetime import date
from decimal import Decimal

import duckdb
import pytest

from comptroller.enums import BillFormat
from comptroller.errors import BadFileError


def test_a_focus_row_becomes_a_cost_row(write, read, focus):
    """Every column is looked at.

    Long because a cost row is wide, and each of its columns is named here once.
    """
    tags = '{"team": "growth", "env": "prod", "a": null}'
    text = focus(
        {
            "SubAccountId": "sub",
            "RegionId": "eu",
            "ResourceId": "r",
            "SkuId": "s",
            "ChargeDescription": "d",
            "Tags": tags,
        }
        | {"ListCost": "2", "ContractedCost": "1.75", "ConsumedQuantity": "3.0", "ConsumedUnit": "GB"}
    )
    (row,) = read(write("bill.csv", text))
    assert row == {
        "tenant_id": "acme",
        "delivery_id": "d1",
        "row_no": 1,
        "charge_start": "2025-04-01 00:00:00.000000",
        "charge_end": "2025-04-02 00:00:00.000000",
        "day": "2025-04-01",
        "charge_category": "Usage",
        "charge_class": None,
        "provider": "AWS",
        "billing_account": "acct",
        "account": "sub",
        "service": "Storage",
        "region": "eu",
        "resource_id": "r",
        "sku_id": "s",
        "description": "d",
        "model": None,
        "user_id": None,
        "team": "growth",
        "owner": None,
        "key_alias": None,
        "tags": '{"a":"","env":"prod","team":"growth"}',
        "currency": "USD",
        "billed_cost": "1.5",
        "effective_cost": "1.25",
        "list_cost": "2",
        "contracted_cost": "1.75",
        "billed_quanta": 1_500_000_000,
        "effective_quanta": 1_250_000_000,
        "list_quanta": 2_000_000_000,
        "contracted_quanta": 1_750_000_000,
        "consumed_quantity": "3.0",
        "consumed_unit": "GB",
        "input_tokens": None,
        "output_tokens": None,
        "price_version": None,
        "usage_id": None,
    }


@pytest.mark.parametrize("absent", ["", "NULL", "null"])
def test_texts_for_nothing_are_nothing(write, read, focus, absent):
    (row,) = read(
        write("bill.csv", focus({"RegionId": absent, "ServiceName": absent, "ChargeClass": absent, "ListCost": absent}))
    )
    assert (row["region"], row["service"], row["charge_class"], row["list_cost"]) == (None, "(none)", None, None)


def test_one_cost_stands_in_for_the_other(write, read):
    header = "ChargePeriodStart,BillingCurrency,BillingAccountId,"
    (billed,) = read(write("b.csv", header + "BilledCost\n2025-04-01,USD,a,3\n"))
    (effective,) = read(write("e.csv", header + "EffectiveCost\n2025-04-01,USD,a,4\n"))
    assert (billed["effective_cost"], billed["effective_quanta"]) == ("3", 3_000_000_000)
    assert (effective["billed_cost"], effective["billed_quanta"]) == ("4", 4_000_000_000)


def test_a_date_alone_is_a_day(write, read):
    (row,) = read(write("b.csv", "ChargePeriodStart,BillingCurrency,BilledCost\n4/1/25,USD,3\n"))
    assert (row["charge_start"], row["charge_end"]) == ("2025-04-01 00:00:00.000000", "2025-04-02 00:00:00.000000")


def test_credits_refunds_zeros_and_future_periods_are_kept(write, read, focus):
    rows = read(
        write(
            "bill.csv",
            focus(
                {"ChargeCategory": "Credit", "BilledCost": "-5", "EffectiveCost": "-5"},
                {"ChargeCategory": "Tax", "BilledCost": "0", "EffectiveCost": "0"},
                {"ChargeCategory": "Purchase", "ChargePeriodStart": "2027-01-01", "ChargePeriodEnd": "2030-01-01"},
                {"ChargeCategory": "adjustment", "ChargeClass": "correction"},
            ),
        )
    )
    assert [row["charge_category"] for row in rows] == ["Credit", "Tax", "Purchase", "Adjustment"]
    assert rows[0]["billed_quanta"] == -5_000_000_000
    assert rows[3]["charge_class"] == "Correction"


def test_currencies_of_one_delivery_stay_apart(write, opened, focus):
    bill = opened(
        write("bill.csv", focus({}, {"BillingCurrency": "eur"}, {"BillingCurrency": "KRW", "EffectiveCost": "7"}))
    )
    (part,) = bill.parts
    assert part.currencies == ("EUR", "KRW", "USD")
    assert {total.currency: total.effective_quanta for total in bill.totals(part)} == {
        "EUR": 1_250_000_000,
        "KRW": 7_000_000,
        "USD": 1_250_000_000,
    }


def test_parts_are_one_per_source_account_and_period(write, opened, focus):
    period = {"BillingPeriodStart": "2025-03-01", "BillingPeriodEnd": "2025-04-01"}
    bill = opened(
        write("bill.csv", focus({}, {}, {"BillingAccountId": "other"}, period, {"ProviderName": "Microsoft"}))
    )
    assert [(part.source, part.billing_account, part.period_start, part.row_count) for part in bill.parts] == [
        ("aws", "acct", date(2025, 3, 1), 1),
        ("aws", "acct", date(2025, 4, 1), 2),
        ("aws", "other", date(2025, 4, 1), 1),
        ("microsoft", "acct", date(2025, 4, 1), 1),
    ]
    named = opened(*bill.files, source="mine")
    assert {part.source for part in named.parts} == {"mine"}
    assert [part.row_count for part in named.parts] == [1, 3, 1]


def test_the_rounding_difference_is_the_exact_sum_less_the_quanta(write, opened, focus):
    costs = ["0.00000000041370", "0.0000000005", "-0.0000000015", "1"]
    bill = opened(write("bill.csv", focus(*({"EffectiveCost": cost} for cost in costs))))
    (part,) = bill.parts
    (total,) = bill.totals(part)
    exact = sum(map(Decimal, costs))
    assert part.rounding_difference == {"USD": exact - Decimal(total.effective_quanta).scaleb(-9)}


def test_csv_gzip_and_parquet_of_one_bill_give_the_same_rows(write, read, focus, tmp_path):
    text = focus(*({"BilledCost": f"0.{number:011d}", "RegionId": "NULL"} for number in range(1, 40)))
    plain = write("bill.csv", text)
    packed = write("bill.csv.gz", gzip.compress(text.encode()))
    parquet = tmp_path / "bill.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            f'copy (select * replace ("BilledCost"::decimal(20, 11) as "BilledCost", '
            f'"ChargePeriodStart"::timestamp as "ChargePeriodStart", map {{\'k\': \'v\'}} as "Tags") from '
            f"(select *, '' as \"Tags\" from read_csv('{plain}', all_varchar=true))) to '{parquet}' (format parquet)"
        )
    rows = read(plain)
    assert read(packed) == rows
    for row, other in zip(rows, read(parquet), strict=True):
        assert other == {**row, "tags": '{"k":"v"}'}


def test_a_double_in_parquet_is_read_by_its_shortest_text(read, tmp_path):
    path = tmp_path / "bill.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            "copy (select timestamptz '2025-04-01 00:00:00+00' as \"ChargePeriodStart\", 0.1::double + 0.2::double as "
            f"\"BilledCost\", 'USD' as \"BillingCurrency\") to '{path}' (format parquet)"
        )
    (row,) = read(path)
    assert (row["billed_cost"], row["charge_start"]) == ("0.30000000000000004", "2025-04-01 00:00:00.000000")


def test_a_byte_order_mark_and_odd_line_ends_do_not_matter(write, read, focus):
    text = focus({}, {"ServiceName": "two\nlines"}, {})
    rows = read(write("plain.csv", text))
    head, tail = text.split("\n", 1)
    variants = [b"\xef\xbb\xbf" + text.encode(), f"{head}\r\n{tail}".encode(), text.replace("\n", "\r\n").encode()]
    for number, variant in enumerate(variants):
        found = read(write(f"variant{number}.csv", variant))
        assert [row | {"service": row["service"].replace("\r", "")} for row in found] == rows


def test_names_of_other_versions_and_cases_are_known(write, opened):
    text = "chargeperiodstart,AmortizedCost,BillingCurrency,ChargeType,Provider\n2025-04-01,2,USD,Usage,Acme\n"
    bill = opened(write("old.csv", text))
    assert bill.format is BillFormat.FOCUS
    assert bill.parts[0].source == "acme"


def test_a_file_that_lacks_columns_says_which_and_how_to_give_them(write, opened):
    path = write("bill.csv", "ChargePeriodStart,BilledCost\n2025-04-01,1\n")
    with pytest.raises(
        BadFileError, match=r"bill\.csv: is no complete FOCUS bill, it lacks BillingCurrency: .*currency=const:USD"
    ):
        opened(path)
    assert opened(path, column_map={"currency": "const:USD"}).parts[0].currencies == ("USD",)


def test_all_files_of_a_command_are_one_bill(write, opened, focus):
    one, two = write("1.csv", focus({})), write("2.csv", focus({"ServiceName": "Compute"}, {}))
    bill = opened(one, two)
    assert [part.row_count for part in bill.parts] == [3]
    assert bill.content_sha256 == opened(two, one).content_sha256
    assert bill.content_sha256 != opened(one).content_sha256


def test_the_same_bytes_under_two_names_are_read_once(write, opened, focus):
    bill = opened(write("1.csv", focus({})), write("copy.csv", focus({})))
    assert [part.row_count for part in bill.parts] == [1]


def test_coverage_names_each_day_and_service(write, opened, focus):
    bill = opened(
        write("bill.csv", focus({}, {"ServiceName": "Compute"}, {}, {"ChargePeriodStart": "2025-04-01T05:00:00Z"}))
    )
    assert bill.coverage(bill.parts[0]) == [(date(2025, 4, 1), "Compute"), (date(2025, 4, 1), "Storage")]
