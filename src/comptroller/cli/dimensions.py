"""Dimensions and durations as they are typed."""

import re
from collections.abc import Sequence

from comptroller.errors import InvalidInputError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"([0-9]{1,9})([smhd])\Z")


def pairs_of(option: str, words: Sequence[str]) -> dict[str, str]:
    """Return dimensions from words such as ``team=research``.

    Raises:
        InvalidInputError: If a word is not of that form, or one name has two values.
    """
    found: dict[str, str] = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not (name and sign and value):
            raise InvalidInputError(f"{option} {word!r} is not understood: write {option} team=research")
        if found.setdefault(name, value) != value:
            raise InvalidInputError(f"{option} says {name} twice")
    return found


def seconds_of(option: str, text: str | None) -> int | None:
    """Return the seconds of ``30m``, ``2h``, ``90s`` or ``1d``.

    Raises:
        InvalidInputError: If it is not of that form.
    """
    if text is None:
        return None
    match = _DURATION.match(text)
    if match is None:
        raise InvalidInputError(f"{option} {text!r} is not understood: write {option} 30m (s, m, h or d)")
    return int(match[1]) * _UNITS[match[2]]
