"""Checks of values at the borders; each refusal names the thing, the value and the mend."""

import json
import reprlib
from decimal import Decimal
from typing import Any, Final

from comptroller.errors import InvalidInputError

ID_MAX: Final = 255  # the width of the id columns
TEXT_MAX: Final = 10_000  # a description is read by people
DETAILS_MAX_BYTES: Final = 16 * 1024  # the contract's details
CENTS_MAX: Final = 2**63 - 1
DIGITS_MAX: Final = 60  # digits before or after the point; PostgreSQL keeps far more, no amount needs them
_SHOWN: Final = 60
_encode: Final = json.JSONEncoder(allow_nan=False, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
_REPR: Final = reprlib.Repr()
_REPR.maxstring = _REPR.maxlong = _REPR.maxother = 2 * _SHOWN


def shown(value: object) -> str:
    """Return a value as an error shows it: its repr, cut in length and depth; a repr that fails is told, not raised."""
    text = _REPR.repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def required_id(name: str, value: object, *, longest: int = ID_MAX) -> str:
    """Return a non-empty text that fits an id column."""
    if not isinstance(value, str):
        raise InvalidInputError(f"{name} must be text, not {type(value).__name__}: {shown(value)}")
    if not value.strip():
        raise InvalidInputError(f"{name} must not be empty")
    if len(value) > longest:
        raise InvalidInputError(f"{name} is longer than {longest} characters: {shown(value)}")
    return _storable(name, value)


def optional_id(name: str, value: object) -> str | None:
    """Return None or a non-empty text that fits an id column."""
    return None if value is None else required_id(name, value)


def optional_text(name: str, value: object) -> str | None:
    """Return None or a text of bounded length; it may be empty."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidInputError(f"{name} must be text, not {type(value).__name__}: {shown(value)}")
    if len(value) > TEXT_MAX:
        raise InvalidInputError(f"{name} is longer than {TEXT_MAX} characters")
    return _storable(name, value)


def _storable(name: str, value: str) -> str:
    if "\x00" in value:
        raise InvalidInputError(f"{name} contains a NUL character: {shown(value)}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidInputError(f"{name} is not valid Unicode text: {shown(value)}") from error
    return str.__str__(value)  # plain text also of a StrEnum, which drivers treat differently


def cents(name: str, value: object) -> int:
    """Return a non-negative count of cents; a float, a bool or a Decimal raises."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidInputError(f"{name} must be an int of cents, not {type(value).__name__}: {shown(value)}")
    if not 0 <= value <= CENTS_MAX:
        raise InvalidInputError(f"{name} must be between 0 and {CENTS_MAX}: {shown(value)}")
    return int(value)


def exact_amount(name: str, value: object) -> Decimal:
    """Return a finite, non-negative Decimal; a float raises."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        raise InvalidInputError(f"{name} must be a Decimal, not {type(value).__name__}: {shown(value)}")
    amount = Decimal(value)
    if not amount.is_finite():
        raise InvalidInputError(f"{name} must be finite: {value}")
    if amount < 0:
        raise InvalidInputError(f"{name} must not be negative: {value}")
    exponent = amount.as_tuple().exponent
    if amount.adjusted() >= DIGITS_MAX or (isinstance(exponent, int) and exponent < -DIGITS_MAX):
        raise InvalidInputError(f"{name} has more than {DIGITS_MAX} digits before or after the point")
    return amount or abs(amount)  # no minus zero


def json_details(name: str, value: object) -> str | None:
    """Return a JSON object of at most 16 KiB as canonical text, or None.

    Raises:
        InvalidInputError: If it is no dict with text keys, holds what JSON cannot (NaN, Decimal, bytes), or is larger.
    """
    if value is None:
        return None
    if not isinstance(value, dict):
        raise InvalidInputError(f"{name} must be a dict, not {type(value).__name__}")
    _check_parts(name, value)
    try:
        text = _encode(value)
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInputError(f"{name} is not finite JSON: {error}") from error
    if size > DETAILS_MAX_BYTES:
        raise InvalidInputError(f"{name} is {size} bytes of JSON, at most {DETAILS_MAX_BYTES} are kept")
    return text


def _check_parts(name: str, value: Any, depth: int = 0) -> None:
    if depth > 64:  # noqa: PLR2004 — deeper JSON is refused by many readers
        raise InvalidInputError(f"{name} is nested deeper than 64 levels")
    if isinstance(value, str) and "\x00" in value:
        raise InvalidInputError(f"{name} contains a NUL character")
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise InvalidInputError(f"{name} has a key that is no text")
        value = (*value.keys(), *value.values())
    elif not isinstance(value, list | tuple):
        return
    for item in value:
        _check_parts(name, item, depth + 1)
