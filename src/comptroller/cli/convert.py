"""From what is typed to values, with errors that name what was typed."""

from decimal import Decimal, InvalidOperation
from typing import Any


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
