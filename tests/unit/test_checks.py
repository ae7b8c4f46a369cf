import json
import math
from decimal import Decimal
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comptroller import checks
from comptroller.enums import Severity
from comptroller.errors import InvalidInputError

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(TEXTS.filter(str.strip))
def test_id_is_kept_as_it_is(text: str):
    assert checks.required_id("id", text) == text


def test_longest_id_is_taken_and_a_longer_one_refused():
    assert len(checks.required_id("id", "x" * 255)) == 255
    with pytest.raises(InvalidInputError, match="id is longer than 255 characters"):
        checks.required_id("id", "x" * 256)


@pytest.mark.parametrize("value", ["", " ", "\t\n", "\N{NO-BREAK SPACE}"])
def test_empty_id_is_refused(value: str):
    with pytest.raises(InvalidInputError, match="anomaly_id must not be empty"):
        checks.required_id("anomaly_id", value)


@pytest.mark.parametrize("value", [None, 7, b"x", ["x"]])
def test_id_that_is_no_text_is_refused(value: object):
    with pytest.raises(InvalidInputError, match="id must be text, not"):
        checks.required_id("id", value)


@pytest.mark.parametrize(("value", "why"), [("a\x00b", "NUL"), ("a\ud800", "not valid Unicode")])
def test_text_that_no_database_keeps_is_refused(value: str, why: str):
    for check in (checks.required_id, checks.optional_text):
        with pytest.raises(InvalidInputError, match=why):
            check("text", value)


def test_member_of_an_enum_becomes_plain_text():
    assert type(checks.required_id("severity", Severity.HIGH)) is str


def test_optional_values_may_be_absent():
    assert checks.optional_id("id", None) is None
    assert checks.optional_text("text", None) is None
    assert checks.optional_text("text", "") == ""
    with pytest.raises(InvalidInputError):
        checks.optional_id("id", "")


def test_longest_text_is_taken_and_a_longer_one_refused():
    assert checks.optional_text("text", "x" * 10_000)
    with pytest.raises(InvalidInputError, match="longer than 10000"):
        checks.optional_text("text", "x" * 10_001)


@given(st.integers(min_value=0, max_value=2**63 - 1))
def test_cents_are_kept(value: int):
    assert checks.cents("cents", value) == value


@pytest.mark.parametrize("value", [1.0, True, Decimal(1), "1", None, math.nan, -1, 2**63])
def test_bad_cents_are_refused(value: object):
    with pytest.raises(InvalidInputError, match="current_value_cents must be"):
        checks.cents("current_value_cents", value)


def test_member_of_an_int_enum_becomes_a_plain_int():
    assert type(checks.cents("cents", IntEnum("Cents", {"one": 1})(1))) is int


@given(st.decimals(min_value=0, max_value=10**50, allow_nan=False))
def test_exact_amount_is_kept_digit_for_digit(value: Decimal):
    if value.as_tuple().exponent >= -60:  # type: ignore[operator]  # finite
        assert format(checks.exact_amount("amount", value), "f") == format(value, "f").removeprefix("-")


@pytest.mark.parametrize("value", [Decimal("-0"), Decimal("-0.00"), Decimal("-0E+5")])
def test_minus_zero_is_zero(value: Decimal):
    assert not checks.exact_amount("amount", value).is_signed()


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (1.5, "not float"),
        (True, "not bool"),
        ("1", "not str"),
        (None, "not NoneType"),
        (Decimal("NaN"), "must be finite"),
        (Decimal("sNaN"), "must be finite"),
        (Decimal("Infinity"), "must be finite"),
        (Decimal("-0.01"), "must not be negative"),
        (Decimal("1E+60"), "more than 60 digits"),
        (Decimal("1E-61"), "more than 60 digits"),
        (Decimal("1E+999999"), "more than 60 digits"),
    ],
)
def test_bad_amounts_are_refused(value: object, why: str):
    with pytest.raises(InvalidInputError, match=why):
        checks.exact_amount("limit_value", value)


@given(st.dictionaries(TEXTS, JSON_VALUES, max_size=5))
def test_details_are_read_back_as_they_were_given(value: dict[str, Any]):
    text = checks.json_details("details", value)
    assert text is not None
    assert json.loads(text) == value
    assert checks.json_details("details", json.loads(text)) == text


@given(st.dictionaries(TEXTS, JSON_VALUES, max_size=5))
def test_details_do_not_depend_on_the_order_of_keys(value: dict[str, Any]):
    turned = dict(reversed(value.items()))
    assert checks.json_details("details", turned) == checks.json_details("details", value)


@given(st.integers(min_value=16 * 1024 - 40, max_value=16 * 1024 + 40), st.sampled_from(["x", "é", "\N{MONEY BAG}"]))
def test_details_are_bounded_in_bytes(size: int, character: str):
    value = {"t": character * ((size - len('{"t":""}')) // len(character.encode()))}
    if len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()) <= 16 * 1024:
        assert checks.json_details("details", value)
    else:
        with pytest.raises(InvalidInputError, match="at most 16384 are kept"):
            checks.json_details("details", value)


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"x": value}
    return value


@pytest.mark.parametrize(
    "value",
    [
        [],
        "text",
        7,
        {"x": math.nan},
        {"x": [math.inf]},
        {"x": Decimal(1)},
        {"x": b"bytes"},
        {"x": {1, 2}},
        {1: "x"},
        {"x": {None: 1}},
        {"x": [{2: 1}]},
        {"x": "\x00"},
        {"\x00": 1},
        {"x": "\ud800"},
        nested(65),
        nested(5_000),
    ],
    ids=lambda value: checks.shown(value)[:30],
)
def test_what_json_cannot_hold_is_refused(value: object):
    with pytest.raises(InvalidInputError, match="details"):
        checks.json_details("details", value)


def test_details_that_contain_themselves_are_refused():
    value: dict[str, Any] = {}
    value["x"] = value
    with pytest.raises(InvalidInputError):
        checks.json_details("details", value)


def test_escaped_backslash_before_u0000_is_no_nul():
    assert checks.json_details("details", {"x": "\\u0000"}) == '{"x":"\\\\u0000"}'


def test_absent_details_stay_absent():
    assert checks.json_details("details", None) is None
    assert checks.json_details("details", {}) == "{}"


def test_long_values_are_cut_when_shown():
    assert len(checks.shown("x" * 1_000)) == 61
    assert checks.shown("short") == "'short'"


def test_value_that_cannot_show_itself_is_shown_all_the_same():
    class Shy:
        def __repr__(self) -> str:
            raise ZeroDivisionError

    assert "Shy" in checks.shown(Shy())
    assert checks.shown(nested(100_000))
