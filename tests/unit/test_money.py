from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comptroller.errors import InvalidInputError
from comptroller.money import (
    COUNT_UNITS,
    CURRENCIES,
    LOW_VALUE_CURRENCIES,
    MAX_QUANTA,
    Money,
    as_money,
    bill_quanta,
    canonical_unit,
    from_quanta,
    quantum_exponent,
    spend_quanta,
    to_cents,
)

UNITS = st.sampled_from(["USD", "EUR", "JPY", "KRW", "IDR", "tokens", "requests", "runs"])
QUANTA = st.integers(min_value=-MAX_QUANTA, max_value=MAX_QUANTA)
AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=14, allow_nan=False)


def quantum(unit: str) -> Decimal:
    return Decimal(1).scaleb(quantum_exponent(unit))


@given(QUANTA, UNITS)
def test_quanta_survive_the_way_out_and_back(quanta: int, unit: str):
    amount = from_quanta(quanta, unit)
    assert spend_quanta(amount, unit) == bill_quanta(amount, unit) == quanta


@given(AMOUNTS, UNITS)
def test_spend_is_never_under_counted_and_by_less_than_a_quantum_over(amount: Decimal, unit: str):
    counted = from_quanta(spend_quanta(amount, unit), unit)
    assert amount <= counted < amount + quantum(unit)


@given(AMOUNTS, UNITS)
def test_bills_are_rounded_to_the_nearest_quantum(amount: Decimal, unit: str):
    assert abs(from_quanta(bill_quanta(amount, unit), unit) - amount) * 2 <= quantum(unit)


@given(AMOUNTS, UNITS)
def test_roundings_are_those_of_the_decimal_library(amount: Decimal, unit: str):
    scaled = amount / quantum(unit)
    assert spend_quanta(amount, unit) == int(scaled.to_integral_value(ROUND_CEILING))
    assert bill_quanta(amount, unit) == int(scaled.to_integral_value(ROUND_HALF_EVEN))


@given(st.lists(AMOUNTS, min_size=1, max_size=20), UNITS)
def test_sum_of_rounded_spend_is_not_below_the_rounded_sum(amounts: list[Decimal], unit: str):
    assert sum(spend_quanta(amount, unit) for amount in amounts) >= spend_quanta(sum(amounts, Decimal()), unit)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20), UNITS)
def test_text_of_money_is_read_back_as_the_same_money(amount: Decimal, unit: str):
    money = Money(amount, unit)
    assert Money.parse(str(money)) == money
    assert as_money(str(money)) == as_money(money) == money


@pytest.mark.parametrize(
    ("amount", "unit", "spend", "bill"),
    [
        ("0.0000000005", "USD", 1, 0),
        ("0.0000000015", "USD", 2, 2),
        ("0.0000000025", "USD", 3, 2),
        ("-0.0000000005", "USD", 0, 0),
        ("0.0000005", "KRW", 1, 0),
        ("1.2", "tokens", 2, 1),
        ("2.5", "requests", 3, 2),
        ("1E-14", "USD", 1, 0),
        ("1E+3", "EUR", 10**12, 10**12),
        ("0", "USD", 0, 0),
    ],
)
def test_quanta_of_amount(amount: str, unit: str, spend: int, bill: int):
    assert (spend_quanta(Decimal(amount), unit), bill_quanta(Decimal(amount), unit)) == (spend, bill)


@pytest.mark.parametrize("conversion", [spend_quanta, bill_quanta])
def test_largest_amount_is_kept_and_the_next_refused(conversion):
    largest = from_quanta(MAX_QUANTA, "USD")
    assert conversion(largest, "USD") == MAX_QUANTA
    for beyond in (largest + Decimal("1E-9"), -largest - Decimal("1.1E-9"), Decimal("1E+40"), Decimal("1E+999999")):
        with pytest.raises(InvalidInputError, match="out of range"):
            conversion(beyond, "USD")


@pytest.mark.parametrize("conversion", [spend_quanta, bill_quanta])
@pytest.mark.parametrize("amount", [1.5, True, "1", None, float("nan")])
def test_what_is_no_exact_number_is_refused(conversion, amount):
    with pytest.raises(InvalidInputError, match="give a Decimal, an int or text"):
        conversion(amount, "USD")


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_what_is_not_finite_is_refused(text: str):
    with pytest.raises(InvalidInputError, match="not a finite number"):
        Money(Decimal(text), "USD")


@pytest.mark.parametrize(
    ("quanta", "cents"), [(10**7, 1), (15 * 10**6, 2), (25 * 10**6, 2), (5 * 10**6, 0), (-(10**7), -1), (0, 0)]
)
def test_cents_are_rounded_half_even(quanta: int, cents: int):
    assert to_cents(quanta, "USD") == cents


@given(st.integers(min_value=-(10**11), max_value=10**11), st.sampled_from(["USD", "KRW"]))
def test_whole_cents_are_exact(cents: int, unit: str):
    assert to_cents(bill_quanta(Decimal(cents) / 100, unit), unit) == cents


@pytest.mark.parametrize(("word", "unit"), [("usd", "USD"), ("Eur", "EUR"), ("TOKENS", "tokens"), ("runs", "runs")])
def test_unit_is_taken_in_any_case(word: str, unit: str):
    assert canonical_unit(word) == unit


@pytest.mark.parametrize("unit", ["", "US", "dollars", "XXX", "token", "\N{FULLWIDTH LATIN CAPITAL LETTER U}SD"])
def test_unknown_unit_is_refused(unit: str):
    with pytest.raises(InvalidInputError, match="unknown unit"):
        canonical_unit(unit)


@pytest.mark.parametrize("text", ["", "1", "USD", "1USD", "1,5 USD", "1e3 USD", "1 USD x", "$1", "٣ USD", "1 US D"])
def test_text_that_is_no_amount_is_refused(text: str):
    with pytest.raises(InvalidInputError):
        Money.parse(text)


@pytest.mark.parametrize("value", [1, 1.5, None, Decimal(1)])
def test_amount_without_a_unit_is_refused(value):
    with pytest.raises(InvalidInputError, match="give text like"):
        as_money(value)


def test_low_value_currencies_are_currencies_and_have_the_coarser_quantum():
    assert {"SLL"} >= LOW_VALUE_CURRENCIES - CURRENCIES  # replaced by SLE in 2024
    assert {quantum_exponent(unit) for unit in LOW_VALUE_CURRENCIES & CURRENCIES} == {-6}
    assert {quantum_exponent(unit) for unit in COUNT_UNITS} == {0}
    assert quantum_exponent("USD") == -9
