from datetime import date
from decimal import Decimal

import pytest

from comptroller.errors import InvalidInputError
from comptroller.ingest.catalogue import catalogue, match_model
from comptroller.ingest.pricing import PriceList
from comptroller.types.price_row import PriceRow


@pytest.fixture(scope="module")
def listed():
    return PriceList(catalogue())


@pytest.mark.parametrize(
    ("name", "provider", "expected"),
    [
        ("gpt-4o", None, ("openai", "gpt-4o")),
        ("openai/gpt-4o", None, ("openai", "gpt-4o")),
        ("gpt-4o-2024-08-06", None, ("openai", "gpt-4o")),
        ("GPT-4o", "openai", ("openai", "gpt-4o")),
        ("claude-3-5-sonnet-20241022", "anthropic", ("anthropic", "claude-3-5-sonnet")),
        ("gemini/gemini-1.5-pro", None, ("google", "gemini-1.5-pro")),
        ("azure/gpt-4o", None, ("openai", "gpt-4o")),
    ],
)
def test_names_as_usage_writes_them_find_the_catalogue_s_model(listed, name, provider, expected):
    rows = listed.find(name, provider)
    assert {(row.provider, row.model) for row in rows} == {expected}


@pytest.mark.parametrize("name", ["no-such-model-at-all", "azure/my-own-deployment", "local/gpt-4o", "", "/"])
def test_unknown_names_find_nothing(listed, name):
    assert listed.find(name) == ()


def test_the_catalogue_has_versions_and_no_negative_price(listed):
    assert len(listed.rows) > 1_000
    assert all(row.version.startswith("genai-prices ") for row in listed.rows)
    assert all((row.input_per_million or 0) >= 0 for row in listed.rows)


def test_the_catalogue_agrees_with_its_own_calculator(listed):
    from genai_prices import Usage, calc_price

    for model, tokens in (("gpt-4o", 1_000), ("gemini-1.5-pro", 100_000), ("gemini-1.5-pro", 200_000)):
        theirs = calc_price(Usage(input_tokens=tokens, output_tokens=7), model_ref=model).total_price
        rows = [row for row in listed.find(model) if row.min_input_tokens <= tokens]
        row = max(rows, key=lambda row: (row.valid_from or date.min, row.min_input_tokens))
        assert (tokens * row.input_per_million + 7 * row.output_per_million) / 1_000_000 == theirs


def test_the_provider_decides_between_sellers_of_one_model():
    rows = [PriceRow("a", "m", Decimal(1), Decimal(1)), PriceRow("b", "m", Decimal(2), Decimal(2))]
    assert [row.provider for row in PriceList(rows).find("m", "b")] == ["b"]
    assert [row.provider for row in PriceList(rows).find("b/m")] == ["b"]
    assert [row.provider for row in PriceList(rows).find("m")] == ["a"]


def test_an_override_of_any_provider_is_found_beside_the_seller():
    rows = [
        PriceRow("a", "m", Decimal(1), Decimal(1)),
        PriceRow("b", "m", Decimal(2), Decimal(2)),
        PriceRow("*", "M", Decimal(3), Decimal(3), is_override=True),
        PriceRow("c", "m", Decimal(4), Decimal(4), is_override=True),
    ]
    assert [row.provider for row in PriceList(rows).find("m", "b")] == ["b", "*"]
    assert [row.provider for row in PriceList(rows).find("local/m")] == ["*"]


def test_a_dated_name_finds_an_override_of_the_catalogue_s_model():
    rows = [PriceRow("*", "gpt-4o", Decimal(3), Decimal(3), is_override=True)]
    assert PriceList(rows).find("gpt-4o-2024-08-06") == tuple(rows)


def test_matching_needs_no_known_price():
    assert match_model("gpt-4o-2024-08-06", None) == ("openai", "gpt-4o")
    assert match_model("nothing-like-it", None) is None


@pytest.mark.parametrize("price", [Decimal(-1), Decimal("NaN"), Decimal("Infinity"), Decimal(10_000_000)])
def test_a_price_that_is_none_is_refused(price):
    with pytest.raises(InvalidInputError, match="price"):
        PriceRow("p", "m", price, Decimal(1))
