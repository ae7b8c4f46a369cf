import json
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comptroller.enums import BillFormat
from comptroller.errors import BadFileError, InvalidInputError
from comptroller.ingest.pricing import PriceList
from comptroller.money import spend_quanta
from comptroller.types.price_row import PriceRow

ONE = PriceRow(
    provider="openai",
    model="gpt-x",
    input_per_million=Decimal("2.5"),
    output_per_million=Decimal(10),
    cache_read_per_million=Decimal("1.25"),
    version="v1",
)
PRICES = PriceList([ONE])


def priced(read, path, *rows, **options):
    return read(path, prices=PriceList(rows or [ONE]), **options)


@pytest.mark.parametrize(
    "header",
    [
        "time,model,input_tokens,output_tokens,user",
        "Timestamp,Model,prompt_tokens,completion_tokens,user_id",
        "TIMESTAMP,model_name,ContextTokens,GeneratedTokens,client",
        "start_time,gen_ai.request.model,gen_ai.usage.input_tokens,gen_ai.usage.output_tokens,enduser.id",
        "createdAt,gen_ai_response_model,usage.prompt_tokens,usage.completion_tokens,end_user",
    ],
)
def test_usage_is_known_by_its_many_names(write, read, header):
    (row,) = priced(read, write("usage.csv", f"{header}\n2025-04-01T10:00:00Z,gpt-x,1000,10,ana\n"))
    assert row["charge_start"] == "2025-04-01 10:00:00.000000"
    assert (row["model"], row["user_id"], row["input_tokens"], row["output_tokens"]) == ("gpt-x", "ana", 1000, 10)
    assert (row["billed_cost"], row["effective_cost"], row["billed_quanta"]) == ("0.0026", "0.0026", 2_600_000)
    assert (row["provider"], row["service"], row["currency"], row["price_version"]) == ("openai", "openai", "USD", "v1")


@given(
    rows=st.lists(
        st.tuples(
            st.integers(min_value=0, max_value=10**9), st.integers(min_value=0, max_value=10**9), st.integers(0, 10**6)
        ),
        min_size=1,
        max_size=30,
    ),
    prices=st.tuples(*[st.decimals(min_value=0, max_value=1000, places=12)] * 3),
)
@settings(max_examples=12)
def test_costs_are_tokens_times_prices_exactly_and_round_up(tmp_path_factory, rows, prices):
    from comptroller.ingest.bill import open_bill

    price = PriceRow("p", "m", *prices, version="v")
    path = tmp_path_factory.mktemp("usage") / "usage.csv"
    lines = [f"2025-04-01,m,{cached + plain},{output},{cached}" for plain, output, cached in rows]
    path.write_text("\n".join(["time,model,input_tokens,output_tokens,cached_tokens", *lines]) + "\n")
    with open_bill([path], prices=PriceList([price]), today=date(2025, 6, 1)) as bill:
        found = [row for batch in bill.rows(bill.parts[0], tenant_id="t", delivery_id="d") for row in batch]
    for (plain, output, cached), row in zip(rows, sorted(found, key=lambda row: row[2]), strict=True):
        exact = (plain * prices[0] + output * prices[1] + cached * prices[2]) / 1_000_000
        assert Decimal(row[23]) == exact
        assert row[27] == spend_quanta(exact, "USD")


def test_an_unknown_model_is_refused_with_the_line_that_mends_it(write, read):
    path = write(
        "usage.csv", "time,model,input_tokens,output_tokens\n2025-04-01,mystery-1,5,5\n2025-04-01,my model,5,5\n"
    )
    with pytest.raises(BadFileError) as refusal:
        priced(read, path)
    assert "'my model' (1 rows), 'mystery-1' (1 rows)" in str(refusal.value)
    assert "comptroller prices set mystery-1 --input PER_MILLION --output PER_MILLION" in str(refusal.value)
    assert "comptroller prices set 'my model' --input" in str(refusal.value)


def test_skipping_bad_rows_does_not_skip_an_unknown_price(write, read):
    path = write("usage.csv", "time,model,input_tokens,output_tokens\n2025-04-01,mystery-1,5,5\n2025-04-01,gpt-x,5,5\n")
    with pytest.raises(BadFileError, match="no price is known"):
        priced(read, path, skip_bad=True)


def test_a_kind_of_token_without_a_price_is_a_bad_row(write, read):
    embedding = PriceRow("p", "embed", Decimal(1), None)
    text = "time,model,input_tokens,output_tokens\n2025-04-01,embed,5,0\n2025-04-01,embed,5,1\n"
    path = write("usage.csv", text)
    with pytest.raises(BadFileError, match="line 3, model 'embed': the model has no price for one kind"):
        priced(read, path, embedding)
    assert [row["billed_cost"] for row in priced(read, path, embedding, skip_bad=True)] == ["0.000005"]


def test_a_row_without_model_or_time_is_bad(write, read):
    path = write(
        "usage.csv", "time,model,input_tokens,output_tokens\n2025-04-01,,5,5\n,gpt-x,5,5\n2025-04-01,gpt-x,5,5\n"
    )
    with pytest.raises(BadFileError, match=r"line 2, model: missing: the row names no model; .*line 3, time: missing"):
        priced(read, path)


def test_more_cached_tokens_than_input_tokens_is_bad(write, read):
    path = write("usage.csv", "time,model,input_tokens,output_tokens,cached_tokens\n2025-04-01,gpt-x,5,5,6\n")
    with pytest.raises(BadFileError, match="line 2, input_tokens '5': less than the cached tokens"):
        priced(read, path)


def test_a_row_with_its_own_cost_needs_no_price(write, read):
    path = write("usage.csv", "time,model,input_tokens,output_tokens,cost\n2025-04-01,mystery,5,5,0.25\n")
    (row,) = priced(read, path)
    assert (row["billed_cost"], row["price_version"], row["provider"]) == ("0.25", None, "(none)")


def test_a_price_holds_from_its_day_on(write, read):
    new = PriceRow("openai", "gpt-x", Decimal(1), Decimal(1), valid_from=date(2025, 4, 2), version="v2")
    text = "time,model,input_tokens,output_tokens\n"
    text += "2025-04-01T23:59:59Z,gpt-x,1000000,0\n2025-04-02T00:00:00Z,gpt-x,1000000,0\n"
    rows = priced(read, write("usage.csv", text), ONE, new)
    assert [(row["billed_cost"], row["price_version"]) for row in rows] == [("2.5", "v1"), ("1", "v2")]


def test_an_override_wins_from_its_day_on(write, read):
    deal = PriceRow("*", "gpt-x", Decimal(2), Decimal(2), valid_from=date(2025, 4, 2), version="deal", is_override=True)
    later = PriceRow("openai", "gpt-x", Decimal(1), Decimal(1), valid_from=date(2025, 4, 3), version="v2")
    text = "time,model,input_tokens,output_tokens\n" + "".join(f"2025-04-0{day},gpt-x,1000000,0\n" for day in (1, 2, 3))
    rows = priced(read, write("usage.csv", text), ONE, later, deal)
    assert [row["price_version"] for row in rows] == ["v1", "deal", "deal"]


def test_long_requests_have_the_long_context_price(write, read):
    long = PriceRow("openai", "gpt-x", Decimal(5), Decimal(20), min_input_tokens=1001, version="long")
    text = "time,model,input_tokens,output_tokens,requests\n"
    text += "2025-04-01T10:00:00Z,gpt-x,1000,0,\n2025-04-01T10:00:00Z,gpt-x,1001,0,\n"
    text += "2025-04-01T10:00:00Z,gpt-x,5000,0,5\n2025-04-01,gpt-x,5000,0,\n"
    rows = priced(read, write("usage.csv", text), ONE, long)
    assert [row["price_version"] for row in rows] == ["v1", "long", "v1", "v1"]


def test_a_price_per_request_counts_the_requests(write, read):
    each = PriceRow("p", "m", Decimal(0), Decimal(0), per_request=Decimal("0.005"), version="v")
    text = "time,model,input_tokens,output_tokens,requests\n2025-04-01,m,1,1,3\n2025-04-01,m,1,1,\n"
    assert [row["billed_cost"] for row in priced(read, write("usage.csv", text), each)] == ["0.015", "0.005"]


def test_prices_in_other_currencies_name_the_row_s_currency(write, read):
    won = PriceRow("p", "m", Decimal(1500), Decimal(1500), currency="KRW", version="v")
    (row,) = priced(read, write("usage.csv", "time,model,input_tokens,output_tokens\n2025-04-01,m,1000,1\n"), won)
    assert (row["currency"], row["billed_cost"], row["billed_quanta"]) == ("KRW", "1.5015", 1_501_500)


@pytest.mark.parametrize(
    ("value", "start"),
    [
        ("2025-01-06+hours:t", "2025-01-06 05:00:00.000000"),
        ("2025-01-06T12:00:00Z+milliseconds:t", "2025-01-06 12:00:00.005000"),
        ("2025-01-06+days:t", "2025-01-11 00:00:00.000000"),
        ("const:2025-02-03", "2025-02-03 00:00:00.000000"),
    ],
)
def test_a_time_may_be_counted_from_a_start(write, read, value, start):
    path = write("usage.csv", "t,input_tokens,output_tokens\n5,1,1\n")
    (row,) = read(path, prices=PRICES, column_map={"time": value, "model": "const:gpt-x"})
    assert row["charge_start"] == start


def test_usage_without_time_or_model_says_how_to_give_them(write, opened):
    path = write("usage.csv", "hour,input_tokens,output_tokens\n5,1,1\n")
    with pytest.raises(
        BadFileError, match=r"it lacks time and model: .*time=2025-01-06\+hours:COLUMN,model=const:MODEL"
    ):
        opened(path)


@pytest.mark.parametrize("column_map", [{"nonsense": "t"}, {"time": "5+parsecs:t"}, {"time": "2025-01-06x+hours:t"}])
def test_a_column_map_that_is_not_understood_is_refused(write, opened, column_map):
    path = write("usage.csv", "t,input_tokens,output_tokens\n5,1,1\n")
    with pytest.raises((InvalidInputError, BadFileError)):
        opened(path, prices=PRICES, column_map={"model": "const:gpt-x", "time": "const:2025-01-01", **column_map})


def test_spans_of_opentelemetry_are_usage_and_others_are_none(write, read):
    call = {"gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-x", "gen_ai.response.id": "r1"}
    call |= {
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 10,
        "gen_ai.usage.cache_read.input_tokens": 40,
    }
    spans = [
        {"name": "chat", "start_time_unix_nano": "1743501600000000000", "attributes": call},
        {
            "name": "execute_tool",
            "start_time_unix_nano": "1743501600000000000",
            "attributes": {"gen_ai.tool.name": "w"},
        },
    ]
    (row,) = read(write("spans.json", json.dumps(spans)), prices=PRICES)
    assert (row["charge_start"], row["usage_id"]) == ("2025-04-01 10:00:00.000000", "r1")
    assert row["billed_cost"] == "0.0003"


def spend_log(**changes):
    entry = {
        "request_id": "req-1",
        "startTime": "2025-04-01 09:20:46.847371",
        "endTime": "2025-04-01 09:20:48.851954",
        "model": "gpt-x",
        "user": "ana",
        "team_id": "t-1",
        "api_key": "hash",
        "spend": 0.00022500000000000002,
        "prompt_tokens": 10,
        "completion_tokens": 20,
        "custom_llm_provider": "openai",
        "request_tags": '["prod", "batch"]',
        "metadata": '{"user_api_key_alias": "ci", "user_api_key_team_alias": "growth"}',
    }
    return entry | changes


@pytest.mark.parametrize("shape", ["array", "lines", "object", "csv"])
def test_a_litellm_spend_log_is_read_in_every_shape(write, read, opened, shape):
    entry = spend_log()
    columns = ",".join(entry)
    cells = ",".join('"' + str(value).replace('"', '""') + '"' for value in entry.values())
    text = {
        "array": json.dumps([entry]),
        "lines": json.dumps(entry) + "\n",
        "object": json.dumps(entry, indent=1),
        "csv": f"{columns}\n{cells}\n",
    }[shape]
    path = write("log.json", text)
    (row,) = read(path)
    assert opened(path).format is BillFormat.LITELLM
    assert (row["billed_cost"], row["effective_quanta"], row["price_version"]) == ("0.000225", 225_000, None)
    assert (row["user_id"], row["team"], row["key_alias"], row["usage_id"]) == ("ana", "growth", "ci", "req-1")
    assert row["charge_end"] == "2025-04-01 09:20:48.851954"
    assert row["tags"] == '{"batch":"true","prod":"true"}'
    assert (row["input_tokens"], row["output_tokens"], row["service"]) == (10, 20, "openai")


def test_a_log_without_spend_is_priced(write, read):
    (row,) = read(write("log.json", json.dumps(spend_log(spend=None))), prices=PRICES)
    assert (row["billed_cost"], row["price_version"]) == ("0.000225", "v1")


def test_an_id_repeated_with_the_same_content_counts_once(write, opened):
    path = write("log.json", "\n".join(json.dumps(spend_log(request_id=name)) for name in ("a", "b", "a")))
    bill = opened(path)
    assert (bill.parts[0].row_count, bill.repeated_count, bill.bad_count) == (2, 1, 0)


def test_an_id_repeated_with_other_content_is_refused(write, opened):
    entries = [spend_log(), spend_log(request_id="b"), spend_log(spend=1)]
    path = write("log.json", "\n".join(map(json.dumps, entries)))
    with pytest.raises(BadFileError, match="line 3, request_id 'req-1': the same id has other content on line 1"):
        opened(path)
