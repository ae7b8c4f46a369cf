from datetime import date

import pytest

from comptroller.enums import BillFormat
from comptroller.errors import BadFileError

CUR = {
    "bill/PayerAccountId": "payer",
    "bill/BillingPeriodStartDate": "2025-04-01T00:00:00.000Z",
    "bill/BillingPeriodEndDate": "2025-05-01T00:00:00.000Z",
    "lineItem/UsageAccountId": "member",
    "lineItem/LineItemType": "Usage",
    "lineItem/UsageStartDate": "2025-04-02T03:00:00Z",
    "lineItem/UsageEndDate": "2025-04-02T04:00:00Z",
    "lineItem/ProductCode": "AmazonEC2",
    "lineItem/CurrencyCode": "USD",
    "lineItem/UnblendedCost": "1.5",
    "product/ProductName": "Elastic Compute Cloud",
    "reservation/EffectiveCost": "0.75",
    "reservation/UnusedAmortizedUpfrontFeeForBillingPeriod": "0.1",
    "reservation/UnusedRecurringFee": "0.25",
    "savingsPlan/SavingsPlanEffectiveCost": "0.5",
    "savingsPlan/TotalCommitmentToDate": "3",
    "savingsPlan/UsedCommitment": "2.75",
    "resourceTags/user:team": "growth",
    "resourceTags/aws:createdBy": "",
}
SNAKE = {
    "bill_payer_account_id": "payer",
    "bill_billing_period_start_date": "2025-04-01",
    "line_item_usage_account_id": "member",
    "line_item_line_item_type": "DiscountedUsage",
    "line_item_usage_start_date": "2025-04-02 03:00:00",
    "line_item_product_code": "AmazonEC2",
    "line_item_currency_code": "USD",
    "line_item_unblended_cost": "0",
    "reservation_effective_cost": "0.75",
    "resource_tags": '{"user_team": "growth"}',
}
AZURE = {
    "SubscriptionId": "sub",
    "Date": "4/2/2025",
    "MeterCategory": "Storage",
    "MeterId": "m",
    "CostInBillingCurrency": "5.64902E-05",
    "BillingCurrencyCode": "CAD",
    "BillingAccountId": "123",
    "BillingPeriodStartDate": "4/1/2025",
    "BillingPeriodEndDate": "4/30/2025",
    "ChargeType": "Usage",
    "ResourceLocation": "CentralUS",
    "Tags": '"team": "growth","env": "prod"',
}


def table(*rows):
    columns = list(rows[0])
    quoted = (",".join('"' + row[name].replace('"', '""') + '"' for name in columns) for row in rows)
    return "\n".join([",".join(columns), *quoted]) + "\n"


def test_a_legacy_aws_row_is_read(write, read):
    (row,) = read(write("cur.csv", table(CUR)))
    assert (row["provider"], row["billing_account"], row["account"]) == ("AWS", "payer", "member")
    assert (row["service"], row["team"], row["tags"]) == ("Elastic Compute Cloud", "growth", '{"team":"growth"}')
    assert (row["charge_start"], row["charge_end"]) == ("2025-04-02 03:00:00.000000", "2025-04-02 04:00:00.000000")


@pytest.mark.parametrize(
    ("kind", "category", "effective"),
    [
        ("Usage", "Usage", "1.5"),
        ("DiscountedUsage", "Usage", "0.75"),
        ("SavingsPlanCoveredUsage", "Usage", "0.5"),
        ("RIFee", "Purchase", "0.35"),
        ("SavingsPlanRecurringFee", "Purchase", "0.25"),
        ("SavingsPlanUpfrontFee", "Purchase", "0"),
        ("SavingsPlanNegation", "Adjustment", "0"),
        ("Tax", "Tax", "1.5"),
        ("Credit", "Credit", "1.5"),
        ("Refund", "Credit", "1.5"),
        ("EdpDiscount", "Adjustment", "1.5"),
    ],
)
def test_aws_line_items_have_their_amortised_cost(write, read, kind, category, effective):
    (row,) = read(write("cur.csv", table({**CUR, "lineItem/LineItemType": kind})))
    assert (row["charge_category"], row["effective_cost"], row["billed_cost"]) == (category, effective, "1.5")


def test_an_aws_line_item_of_an_unknown_kind_is_bad(write, read):
    with pytest.raises(BadFileError, match="line 2, lineItem/LineItemType 'Surprise'"):
        read(write("cur.csv", table({**CUR, "lineItem/LineItemType": "Surprise"})))


def test_names_with_underscores_are_the_same_report(write, read, opened):
    path = write("cur.csv", table(SNAKE))
    (row,) = read(path)
    assert opened(path).format is BillFormat.AWS_CUR
    assert (row["service"], row["effective_cost"], row["billed_cost"]) == ("AmazonEC2", "0.75", "0")
    assert row["tags"] == '{"user_team":"growth"}'


def test_an_azure_row_is_read(write, read, opened):
    path = write("azure.csv", table(AZURE, {**AZURE, "ChargeType": "UnusedReservation", "Tags": ""}))
    row, unused = read(path)
    (part,) = opened(path).parts
    assert (part.period_start, part.period_end) == (date(2025, 4, 1), date(2025, 5, 1))
    assert (row["provider"], row["account"], row["service"], row["region"]) == (
        "Microsoft",
        "sub",
        "Storage",
        "CentralUS",
    )
    assert (row["currency"], row["billed_cost"], row["billed_quanta"]) == ("CAD", "0.0000564902", 56_490)
    assert (row["tags"], row["team"]) == ('{"env":"prod","team":"growth"}', "growth")
    assert (unused["charge_category"], unused["tags"]) == ("Usage", None)


@pytest.mark.parametrize(
    ("header", "value", "period"),
    [
        ("day", "0", ("2025-01-06 00:00", "2025-01-07 00:00")),
        ("day", "2025-02-03", ("2025-02-03 00:00", "2025-02-04 00:00")),
        ("day", "4000", ("2035-12-20 00:00", "2035-12-21 00:00")),
        ("hour", "25", ("2025-01-07 01:00", "2025-01-07 02:00")),
        ("hour", "2025-02-03T04:00:00Z", ("2025-02-03 04:00", "2025-02-03 05:00")),
        ("date", "2025-02-03", ("2025-02-03 00:00", "2025-02-04 00:00")),
    ],
)
def test_the_long_form_counts_from_its_monday_or_names_the_time(write, read, header, value, period):
    (row,) = read(write("long.csv", f"series_id,{header},cost\nshop,{value},12.5\n"))
    assert (row["charge_start"], row["charge_end"]) == tuple(f"{moment}:00.000000" for moment in period)
    assert (row["service"], row["currency"], row["billing_account"]) == ("shop", "USD", "(none)")
    assert row["effective_quanta"] == 12_500_000_000


def test_a_day_given_twice_in_the_long_form_is_refused(write, read):
    text = "series_id,day,cost\na,0,1\nb,0,1\na,1,1\na,2025-01-06,1\n"
    with pytest.raises(BadFileError, match="line 5: series 'a' has 2025-01-06 00:00:00 twice, first on line 2: give"):
        read(write("long.csv", text))


def test_a_day_given_twice_in_two_files_is_refused(write, read):
    one = write("1.csv", "series_id,day,cost\na,0,1\n")
    two = write("2.csv", "series_id,day,cost\nb,0,1\na,0,2\n")
    with pytest.raises(BadFileError, match=r"2\.csv: line 3: series 'a' .* first on line 2 of .*1\.csv"):
        read(one, two)


def test_any_table_is_read_by_a_column_map(write, read):
    path = write("any.csv", "Day;Amount;What;Who;Note\n2025-04-01;12.50;db;x;hello\n")
    column_map = {"time": "day", "cost": "Amount", "service": "What", "account": "Who", "description": "Note"}
    (row,) = read(path, column_map={**column_map, "currency": "const:EUR", "label": "Anything"})
    assert (row["service"], row["account"], row["currency"], row["billed_cost"]) == ("db", "x", "EUR", "12.50")
    assert row["description"] == "hello"


def test_a_comma_in_a_number_is_refused_where_it_may_be_a_decimal_comma(write, read):
    column_map = {"time": "Day", "cost": "Amount"}
    (row,) = read(write("us.csv", 'Day,Amount\n2025-04-01,"1,234.50"\n'), column_map=column_map)
    assert row["billed_cost"] == "1234.5"
    with pytest.raises(BadFileError, match="line 2, Amount '1,234': no exact decimal"):
        read(write("eu.csv", "Day;Amount\n2025-04-01;1,234\n"), column_map=column_map)


def test_a_column_map_goes_over_what_a_format_found(write, read, focus):
    path = write("bill.csv", focus({"Other": "9", "Dept": "growth"}))
    (row,) = read(path, column_map={"effective": "Other", "team": "Dept"})
    assert (row["billed_cost"], row["effective_cost"], row["team"]) == ("1.5", "9", "growth")


def test_a_mapped_column_that_is_absent_is_named(write, read):
    with pytest.raises(BadFileError, match="has no column 'Missing', which --map names; its columns are Day, Amount"):
        read(write("any.csv", "Day,Amount\n2025-04-01,1\n"), column_map={"time": "Missing", "cost": "Amount"})


def test_a_table_that_is_no_bill_says_what_it_has_and_what_to_say(write, read):
    with pytest.raises(BadFileError, match="is no bill: its columns are 'a', 'b'; name time and cost with --map"):
        read(write("any.csv", "a,b\n1,2\n"))


def test_only_the_wanted_format_is_tried(write, opened, focus):
    path = write("bill.csv", focus({}))
    assert opened(path, format=BillFormat.FOCUS).format is BillFormat.FOCUS
    with pytest.raises(BadFileError, match="is no azure bill"):
        opened(path, format=BillFormat.AZURE)
