from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from comptroller.errors import InvalidInputError
from comptroller.ingest.values import atto_quanta, atto_text, decimal_text, instant, moment, quanta, whole
from comptroller.money import LOW_VALUE_CURRENCIES, bill_quanta, spend_quanta

plain_decimals = st.builds(
    lambda unscaled, places: format(Decimal(unscaled).scaleb(-places), "f"),
    st.integers(min_value=-(10**26), max_value=10**26),
    st.integers(min_value=0, max_value=18),
)
ties = st.builds(
    lambda whole, tail: format(Decimal(whole).scaleb(-9), "f") + tail,
    st.integers(min_value=-(10**12), max_value=10**12).filter(lambda number: number % 10 != 0),
    st.sampled_from(["5", "50", "500000", "51", "49999", "500000001"]),
)


def evaluated(duck, sql, texts):
    return [row[0] for row in duck.execute(f"select {sql} from (select unnest(?::varchar[]) as x)", [texts]).fetchall()]


def expected_quanta(text, currency):
    try:
        return bill_quanta(Decimal(text), currency)
    except InvalidInputError:
        return None


@given(texts=st.lists(plain_decimals | ties, min_size=1, max_size=200))
@example(texts=["0.0000000005", "0.0000000015", "-0.0000000005", "-0.0000000025", "9223372036.854775807"])
@pytest.mark.parametrize("currency", ["USD", "KRW"])
def test_quanta_are_those_of_the_money_module(duck, texts, currency):
    found = evaluated(duck, quanta("x", f"'{currency}'"), texts)
    assert found == [expected_quanta(text, currency) for text in texts]


@given(texts=st.lists(plain_decimals, min_size=1, max_size=200))
def test_plain_decimals_stay_as_they_are_written(duck, texts):
    kept = [text if len(text.lstrip("-").split(".")[0]) <= 20 else None for text in texts]
    assert evaluated(duck, decimal_text("x"), texts) == kept


@given(
    pairs=st.lists(
        st.tuples(st.integers(min_value=-(10**12), max_value=10**12), st.integers(min_value=-30, max_value=6)),
        min_size=1,
        max_size=100,
    )
)
def test_exponents_are_written_out_exactly_or_refused(duck, pairs):
    texts = [f"{mantissa}E{exponent}" for mantissa, exponent in pairs]
    for text, found in zip(texts, evaluated(duck, decimal_text("x"), texts), strict=True):
        value = Decimal(text)
        if found is None:
            assert -Decimal(text).as_tuple().exponent > 18
        else:
            assert "E" not in found.upper()
            assert Decimal(found) == value


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("$10,000.00 ", "10000"),
        (" 7.10 ", "7.1"),
        ("+5", "5"),
        (".5", "0.5"),
        ("-1,234.50", "-1234.5"),
        ("1.5e-7", "0.00000015"),
        ("2E+3", "2000"),
        ("0.00000080000", "0.00000080000"),
        ("-0.0", "-0.0"),
        ("1e-18", "0.000000000000000001"),
    ],
)
def test_dressed_decimals_are_read(duck, text, exact):
    assert evaluated(duck, decimal_text("x"), [text]) == [exact]


@pytest.mark.parametrize(
    "text",
    [
        *("NaN", "Inf", "-inf", "1e999", "1e-19", "0.1234567890123456789", "123456789012345678901", "1_000", "0x10"),
        *("1,00", "12,34.5", "", "-", ".", "1.2.3", "٣", "--1", "1 2", "1e", "(5)"),
    ],
)
def test_what_is_no_exact_decimal_is_null(duck, text):
    assert evaluated(duck, decimal_text("x"), [text]) == [None]


def test_noise_of_binary_floats_is_cut_where_the_source_has_only_floats(duck):
    texts = ["0.00022500000000000002", "7.500000000000001e-06"]
    assert evaluated(duck, decimal_text("x", is_float=True), texts) == ["0.000225", "0.0000075"]
    assert evaluated(duck, decimal_text("x"), texts) == [None, None]


@given(
    attos=st.lists(st.integers(min_value=0, max_value=10**28), min_size=1, max_size=100),
    currency=st.sampled_from(["USD", "EUR", *sorted(LOW_VALUE_CURRENCIES)[:3]]),
)
def test_priced_amounts_are_exact_and_round_up(duck, attos, currency):
    sql = f"select {atto_text('a')}, {atto_quanta('a', 'c')} from (select unnest(?::hugeint[]) as a, ? as c)"
    rows = duck.execute(sql, [attos, currency]).fetchall()
    for amount, (text, found) in zip(attos, rows, strict=True):
        value = Decimal(amount).scaleb(-18)
        assert Decimal(text) == value
        try:
            assert found == spend_quanta(value, currency)
        except InvalidInputError:
            assert found is None


@given(
    moments=st.lists(
        st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2099, 1, 1)),  # noqa: DTZ001
        min_size=1,
        max_size=50,
    ),
    hours=st.integers(min_value=-12, max_value=14),
)
def test_instants_are_read_as_utc(duck, moments, hours):
    zone = timezone(timedelta(hours=hours))
    texts = [stamp.replace(tzinfo=zone).isoformat() for stamp in moments]
    expected = [stamp.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None) for stamp in moments]
    assert evaluated(duck, instant("x"), texts) == expected


@pytest.mark.parametrize(
    ("text", "stamp"),
    [
        ("2024-10-01T00:00:00Z", "2024-10-01T00:00:00"),
        ("2024-10-01 00:00:00", "2024-10-01T00:00:00"),
        ("2024-10-01", "2024-10-01T00:00:00"),
        ("2023-11-01T00:00:00.000Z", "2023-11-01T00:00:00"),
        ("2023-11-16 18:15:46.6805900", "2023-11-16T18:15:46.680590"),
        ("4/1/25", "2025-04-01T00:00:00"),
        ("9/2/2023", "2023-09-02T00:00:00"),
        ("12/31/2024 23:59", "2024-12-31T23:59:00"),
        ("12/31/2024 11:59:01 PM", "2024-12-31T23:59:01"),
        ("2024-10-01T02:00:00+02:00", "2024-10-01T00:00:00"),
    ],
)
def test_every_way_of_writing_a_time_is_read(duck, text, stamp):
    assert evaluated(duck, instant("x"), [text]) == [datetime.fromisoformat(stamp)]


@pytest.mark.parametrize("text", ["13/13/25", "yesterday", "2024-13-01", "20240101", "45000", "1/2", ""])
def test_what_is_no_time_is_null(duck, text):
    assert evaluated(duck, instant("x"), [text]) == [None]


@pytest.mark.parametrize(
    "text", ["1736157600", "1736157600.0", "1736157600000", "1736157600000000", "1736157600000000000"]
)
def test_unix_time_is_read_in_every_unit(duck, text):
    assert evaluated(duck, instant(moment("x")), [text]) == [datetime(2025, 1, 6, 10)]  # noqa: DTZ001


@pytest.mark.parametrize(
    ("text", "count"),
    [("0", 0), ("1053.0", 1053), ("450191.4", 450192), ("-1", None), ("1e3", None), ("x", None), ("9" * 16, None)],
)
def test_token_counts_round_up_and_are_never_negative(duck, text, count):
    assert evaluated(duck, whole("x"), [text]) == [count]
