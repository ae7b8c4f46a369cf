"""Dimensions of a spend: names and values, checked, in one order."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from comptroller.checks import required_id, shown
from comptroller.errors import InvalidInputError

ABSENT: Final = "(none)"
RUN: Final = "run"  # a run's own id is a dimension that nobody states
COUNT_MAX: Final = 32  # a spend is described by a handful; more is a payload in the wrong place
_NAME: Final = re.compile(r"[a-z][a-z0-9_.-]{0,63}\Z")

Pairs = tuple[tuple[str, str], ...]


def name(value: object) -> str:
    """Return a dimension's name.

    Raises:
        InvalidInputError: If it is no lower-case word.
    """
    if not isinstance(value, str) or not _NAME.match(value):
        raise InvalidInputError(f"dimension {shown(value)} must be a lower-case word such as team or cost_center")
    return value


def names(what: str, values: object) -> tuple[str, ...]:
    """Return dimension names without repeats, in the order given.

    Raises:
        InvalidInputError: If it is one text, not a list of names.
    """
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise InvalidInputError(f"{what} must be a list of dimensions such as ['user'], not {shown(values)}")
    return tuple(dict.fromkeys(name(value) for value in values))


def pairs(what: str, values: object) -> Pairs:
    """Return names with their values, sorted by name.

    Raises:
        InvalidInputError: If it is no mapping of text to text, or too large.
    """
    if not isinstance(values, Mapping):
        raise InvalidInputError(f"{what} must be a mapping such as {{'team': 'research'}}, not {shown(values)}")
    if len(values) > COUNT_MAX:
        raise InvalidInputError(f"{what} has {len(values)} dimensions, at most {COUNT_MAX} are kept")
    return tuple(sorted((name(key), required_id(f"{what} {key}", value)) for key, value in values.items()))
