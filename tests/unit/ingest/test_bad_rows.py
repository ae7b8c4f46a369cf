from datetime import date
from decimal import Decimal

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comptroller.errors import BadFileError
from comptroller.ingest.bill import open_bill
from comptroller.ingest.pricing import PriceList
from comptroller.types.price_row import PriceRow

ROW = "2025-04-01,1,USD,a\n"
HEADER = "ChargePeriodStart,BilledCost,BillingCurrency,ServiceName"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"BilledCost": "NaN"}, "line 3, BilledCost 'NaN': no exact decimal"),
        ({"BilledCost": "Inf"}, "line 3, BilledCost 'Inf': no exact decimal"),
        ({"EffectiveCost": "1e999"}, "line 3, EffectiveCost '1e999': no exact decimal"),
        ({"BilledCost": "0.1234567890123456789"}, "no exact decimal of at most 20 digits and 18 places"),
        ({"BilledCost": "99999999999"}, "line 3, BilledCost '99999999999': out of range"),
        ({"BilledCost": "", "EffectiveCost": ""}, "line 3, BilledCost: missing: the row has no cost"),
        ({"ListCost": "x"}, "line 3, ListCost 'x': no exact decimal"),
        ({"ConsumedQuantity": "many"}, "line 3, ConsumedQuantity 'many': no exact decimal"),
        ({"ChargePeriodStart": "13/13/25"}, "line 3, ChargePeriodStart '13/13/25': no date: write it like"),
        ({"ChargePeriodStart": "1899-12-31"}, "line 3, ChargePeriodStart '1899-12-31': not a plausible date"),
        ({"ChargePeriodStart": "2999-01-01"}, "line 3, ChargePeriodStart '2999-01-01': not a plausible date"),
        ({"ChargePeriodStart": ""}, "line 3, ChargePeriodStart: missing"),
        ({"ChargePeriodEnd": "2025-03-31"}, "line 3, ChargePeriodEnd '2025-03-31': ends before it starts"),
        ({"ChargePeriodEnd": "soon"}, "line 3, ChargePeriodEnd 'soon': no date"),
        ({"BillingPeriodStart": "soon"}, "line 3, BillingPeriodStart 'soon': no date"),
        ({"BillingPeriodStart": "2025-04-01", "BillingPeriodEnd": "2025-04-01"}, "the billing period ends before"),
        ({"BillingCurrency": "Tokens"}, "line 3, BillingCurrency 'Tokens': not an ISO 4217 currency"),
        ({"BillingCurrency": ""}, "line 3, BillingCurrency: missing: an amount without currency"),
        ({"ChargeCategory": "Gift"}, "line 3, ChargeCategory 'Gift': not one of FOCUS's charge categories"),
        ({"ChargeClass": "Maybe"}, "line 3, ChargeClass 'Maybe': not one of FOCUS's charge classes"),
        ({"ServiceName": "x" * 513}, "longer than 512 characters"),
        ({"Tags": "{not json"}, "line 3, Tags '{not json': no JSON object of tags"),
        ({"Tags": "[1]"}, "no JSON object of tags"),
        ({"Tags": '{"a": "1", "a": "2"}'}, "no JSON object of tags with each key once"),
    ],
)
def test_a_bad_row_is_named_by_line_column_and_value(write, opened, focus, changes, told):
    path = write("bill.csv", focus({}, changes, {}))
    with pytest.raises(BadFileError) as refusal:
        opened(path)
    assert str(refusal.value).startswith(f"{path}: line 3")
    assert told in str(refusal.value)
    assert str(refusal.value).endswith("(1 bad row: mend them, or take the others in with --skip-bad)")


def test_skipping_keeps_the_good_rows_and_counts_the_others(write, opened, focus):
    bad = {"BilledCost": "x", "EffectiveCost": "1"}
    bill = opened(write("bill.csv", focus({}, bad, {}, *[bad] * 30)), skip_bad=True)
    assert [part.row_count for part in bill.parts] == [2]
    assert (bill.bad_count, len(bill.bad_rows)) == (31, 20)
    assert [row.line for row in bill.bad_rows[:3]] == [3, 5, 6]
    assert (bill.bad_rows[0].column, bill.bad_rows[0].value) == ("BilledCost", "x")


def test_the_first_few_bad_rows_are_named_and_the_rest_counted(write, opened, focus):
    with pytest.raises(BadFileError, match=r"line 2, .*line 3, .*line 4, [^;]*; 7 more \(10 bad rows"):
        opened(write("bill.csv", focus(*[{"BilledCost": "x"}] * 10)))


def test_a_file_of_bad_rows_alone_is_refused_even_when_skipping(write, opened, focus):
    with pytest.raises(BadFileError, match=r"no row that can be taken in: .*line 2"):
        opened(write("bill.csv", focus({"BilledCost": "x"})), skip_bad=True)


def test_rows_of_the_wrong_width_are_named_beside_the_others(write, opened):
    rows = ["2025-04-01,1,USD,a", "2025-04-01,1", "", '2025-04-01,1,USD,"b\nb"', "2025-04-01,x,USD,c", "1,2,3,4,5"]
    bill = opened(write("bill.csv", "\n".join([HEADER, *rows, "2025-04-01,y,USD,d"]) + "\n"), skip_bad=True)
    assert [(row.line, row.column, row.reason.split(":")[0]) for row in bill.bad_rows] == [
        (3, "", "fewer columns than the header has"),
        (7, "BilledCost", "no exact decimal of at most 20 digits and 18 places"),
        (8, "", "more columns than the header has"),
        (9, "BilledCost", "no exact decimal of at most 20 digits and 18 places"),
    ]
    assert bill.parts[0].row_count == 2


cells = st.text(st.sampled_from('ab,"\n é'), max_size=6)


@given(rows=st.lists(st.tuples(st.booleans(), cells, st.booleans()), min_size=1, max_size=25))
@settings(max_examples=10)
def test_the_line_of_a_bad_row_is_where_it_begins(tmp_path_factory, rows):
    lines, bad, at = [HEADER], [], 2
    for is_bad, service, blank_before in rows:
        quoted = '"' + service.replace('"', '""') + '"'
        text = ("\n" if blank_before else "") + f"2025-04-01,{'x' if is_bad else '1'},USD,{quoted}"
        if is_bad:
            bad.append(at + blank_before)
        lines.append(text)
        at += text.count("\n") + 1
    path = tmp_path_factory.mktemp("bad") / "bill.csv"
    path.write_text("\n".join([*lines, "2025-04-01,1,USD,last"]) + "\n", encoding="utf-8", newline="")
    with open_bill([path], today=date(2025, 6, 1), skip_bad=True) as bill:
        assert [row.line for row in bill.bad_rows] == bad[:20]
        assert bill.bad_count == len(bad)


def test_a_broken_quote_cannot_be_skipped_since_what_follows_is_in_doubt(write, opened):
    text = HEADER + '\n2025-04-01,1,USD,a\n2025-04-01,1,USD,"abc\n' + "2025-04-01,1,USD,b\n" * 3
    with pytest.raises(BadFileError, match=r"line 3 .*a quote that is not closed.*what follows is in doubt"):
        opened(write("bill.csv", text), skip_bad=True)


def test_a_bad_row_of_many_files_names_its_file(write, opened, focus):
    one, two = write("1.csv", focus({}, {})), write("2.csv", focus({}, {"BilledCost": "x"}))
    with pytest.raises(BadFileError, match=r"2\.csv: line 3, BilledCost 'x'"):
        opened(one, two)


def test_rows_keep_their_place_in_a_file_of_many_blocks(tmp_path, opened):
    path = tmp_path / "usage.csv"
    lines = (f"2025-04-01T00:00:00Z,m{number % 7},{number},{'' if number % 3 else '0.5'}" for number in range(150_000))
    path.write_text("\n".join(["time,model,input_tokens,cost", *lines]) + "\n")
    prices = PriceList(PriceRow("p", f"m{number}", Decimal(1), Decimal(1)) for number in range(7))
    bill = opened(path, prices=prices)
    numbers = [
        (row[2], row[33])
        for part in bill.parts
        for batch in bill.rows(part, tenant_id="t", delivery_id="d")
        for row in batch
    ]
    assert sorted(numbers) == [(number + 1, number) for number in range(150_000)]


def test_rows_of_a_file_that_is_read_in_parallel_keep_their_place(tmp_path, opened):
    path = tmp_path / "bill.csv"
    with duckdb.connect() as connection:
        connection.execute(
            f"""copy (select '2025-04-01' as "ChargePeriodStart", 'USD' as "BillingCurrency",
            case when i < 250000 then (i * 0.001)::decimal(9, 3)::varchar else 'bad' end as "BilledCost",
            repeat('x', 60) || chr(10) as "ServiceName" from range(1, 250001) as t(i))
            to '{path}' (format csv, header true)"""
        )
    bill = opened(path, skip_bad=True)
    assert [row.line for row in bill.bad_rows] == [2 + 2 * 249_999]
    rows = bill._scratch.connection.execute(
        "select count(*) from cost_lines where row_no <> billed_cost::decimal(9, 3) * 1000"
    )
    assert rows.fetchall() == [(0,)]


def test_too_many_broken_rows_cannot_be_skipped(write, opened):
    text = HEADER + "\n" + ROW * 3_000 + "2025-04-01,1,USD\n" * 12_000
    with pytest.raises(BadFileError, match="what follows is in doubt"):
        opened(write("bill.csv", text), skip_bad=True)


def test_a_file_whose_rows_do_not_fit_its_header_is_refused_at_once(write, opened):
    with pytest.raises(BadFileError, match="2000 of its first 2000 rows do not have the header's 4 columns"):
        opened(write("bill.csv", HEADER + "\n" + "2025-04-01,1,USD\n" * 3_000), skip_bad=True)
