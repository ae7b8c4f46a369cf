"""From what is typed to values, with errors that name what was typed."""

from decimal import Decimal, InvalidOperation
from typing import Any

from comptroller.errors import InvalidInputError


def decimal_of(_type: Any, tokens: Any) -> Decimal:
    """Return the decimal that was typed."""
    text = tokens[0].value
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"{text!r} is no number") from error
    if not value.is_finite():
        raise ValueError(f"{text!r} is no finite number")
    return value


def mapping_of(text: str | None) -> dict[str, str] | None:
    """Return a column map from ``time=Day,cost=Amount``.

    Raises:
        InvalidInputError: If it is not of that form.
    """
    if text is None:
        return None
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(name and sign and value for name, sign, value in pairs):
        raise InvalidInputError(f"--map {text!r} is not understood: write time=Day,cost=Amount")
    return {name.strip(): value.strip() for name, _, value in pairs}
