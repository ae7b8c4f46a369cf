"""SQL expressions that read text exactly: decimals, quanta, instants. Nothing here becomes a float."""

from collections.abc import Collection
from typing import Final

from comptroller.money import LOW_VALUE_CURRENCIES

# At most 20 digits before the point: what fits DECIMAL(38,18), and far more than int64 quanta hold.
_PLAIN: Final = r"-?[0-9]{1,20}(\.[0-9]{1,18})?"
_LOOSE: Final = r"[+-]?([0-9]{1,20}\.?[0-9]{0,40}|\.[0-9]{1,40})([eE][+-]?[0-9]{1,2})?"
_THOUSANDS: Final = r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?"
_US_DATES: Final = [
    f"{day}{clock}"
    for day in ("%m/%d/%y", "%m/%d/%Y")
    for clock in ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
]


def literal(text: str) -> str:
    """Return text as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def is_code(text: str, codes: Collection[str]) -> str:
    """Return SQL that says whether a text is one of many codes of three letters.

    A long IN list becomes a join, and a join loses the order of a file's rows.
    """
    listed = literal(",".join(sorted(codes)))
    return f"(length({text}) = 3 and contains({listed}, {text}) and not contains({text}, ','))"


def _bare(text: str, *, has_thousands: bool) -> str:
    dressed = f"replace(trim({text}), '$', '')"
    if not has_thousands:
        return dressed
    return f"case when regexp_full_match({dressed}, '{_THOUSANDS}') then replace({dressed}, ',', '') else {dressed} end"


def _trimmed(decimal: str) -> str:
    return f"rtrim(rtrim({decimal}::varchar, '0'), '.')"


def _places(text: str) -> str:
    """SQL for the decimal places a number in any notation needs: its fraction's length less its exponent."""
    fraction = rf"length(rtrim(regexp_extract({text}, '\.([0-9]*)', 1), '0'))"
    exponent = rf"coalesce(try_cast(nullif(regexp_extract({text}, '[eE]([+-]?[0-9]+)', 1), '') as integer), 0)"
    return f"({fraction} - {exponent})"


def decimal_text(text: str, *, is_float: bool = False, has_thousands: bool = True) -> str:
    """Return SQL for the exact decimal as plain text: as given where it is plain, NULL where it is no such number.

    Args:
        text: An SQL expression of text.
        is_float: The source only has a binary float: its noise beyond 18 places is cut, not refused.
        has_thousands: A comma parts thousands; where it may part decimals, such a number is refused.
    """
    bare = _bare(text, has_thousands=has_thousands)
    value = f"try_cast({bare} as decimal(38, 18))"
    exact = "true" if is_float else f"{_places(bare)} <= 18"
    loose = f"case when regexp_full_match({bare}, '{_LOOSE}') and {exact} then {_trimmed(value)} end"
    return f"case when regexp_full_match({text}, '{_PLAIN}') then {text} else {loose} end"


def quanta(decimal: str, currency: str) -> str:
    """Return SQL for a plain decimal text in quanta of its currency, half-even; NULL if out of int64's range."""
    ordinary, low = _scaled(decimal, 9), _scaled(decimal, 6)
    return f"case when {is_code(currency, LOW_VALUE_CURRENCIES)} then {low} else {ordinary} end"


def _scaled(decimal: str, places: int) -> str:
    rounded = f"try_cast({decimal} || 'e{places}' as bigint)"  # rounds half away from zero
    point = f"position('.' in {decimal})"
    is_tie = f"{point} > 0 and rtrim(substr({decimal}, {point} + {places + 1}), '0') = '5'"
    return f"case when {is_tie} and {rounded} % 2 <> 0 then {rounded} - sign({rounded}) else {rounded} end"


def instant(text: str) -> str:
    """Return SQL for a UTC timestamp: ISO 8601 with or without zone, or US dates such as 4/1/25."""
    us_date = f"try_strptime(trim({text}), {_US_DATES!r})"
    zoned = f"try_cast({text} as timestamptz) at time zone 'UTC'"
    iso = (
        f"case when length({text}) > 19 and regexp_matches(substr({text}, 17), '[+-]') "
        f"then {zoned} else try_cast({text} as timestamp) end"
    )
    return f"case when contains({text}, '/') then {us_date} else {iso} end"


def whole(text: str) -> str:
    """Return SQL for a count that is not negative, as bigint; a fraction rounds up, what is no count is NULL."""
    decimal = f"try_cast({text} as decimal(38, 18))"
    return rf"case when regexp_full_match({text}, '[0-9]{{1,15}}(\.[0-9]+)?') then ceil({decimal})::bigint end"


def moment(text: str) -> str:
    """Return SQL for a time as text that may also be Unix time in seconds, milli-, micro- or nanoseconds."""
    seconds = f"make_timestamp((try_cast({text} as decimal(38, 9)) * 1000000)::bigint)"
    branches = [f"when regexp_full_match({text}, '[0-9]{{9,10}}(\\.[0-9]+)?') then {seconds}::varchar"]
    for digits, factor in ((13, "* 1000"), (16, ""), (19, "// 1000")):
        stamp = f"make_timestamp(try_cast({text} as bigint) {factor})"
        branches.append(f"when regexp_full_match({text}, '[0-9]{{{digits}}}') then {stamp}::varchar")
    return f"case {' '.join(branches)} else {text} end"


def atto_text(attos: str) -> str:
    """Return SQL for an amount in 10⁻¹⁸, not negative, as plain decimal text without closing zeros."""
    one = "1000000000000000000::hugeint"
    fraction = f"lpad(({attos} % {one})::varchar, 18, '0')"
    return f"rtrim(rtrim(({attos} // {one})::varchar || '.' || {fraction}, '0'), '.')"


def atto_quanta(attos: str, currency: str) -> str:
    """Return SQL for an amount in 10⁻¹⁸, not negative, in quanta of its currency, rounded up as spend is."""
    ordinary = f"({attos} + 999999999::hugeint) // 1000000000::hugeint"
    low = f"({attos} + 999999999999::hugeint) // 1000000000000::hugeint"
    return f"try_cast(case when {is_code(currency, LOW_VALUE_CURRENCIES)} then {low} else {ordinary} end as bigint)"
