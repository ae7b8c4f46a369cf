"""Members of closed sets from what people type."""

from enum import StrEnum
from typing import TypeVar

from comptroller.errors import InvalidInputError

E = TypeVar("E", bound=StrEnum)


def member(kind: type[E], name: str, word: str) -> E:
    """Return the member of a closed set that a word names, in any case of letters.

    Raises:
        InvalidInputError: If it names none; the message lists them.
    """
    for known in kind:
        if known.value.lower() == str(word).lower():
            return known
    raise InvalidInputError(f"{name} {word!r} is unknown: use one of {', '.join(kind)}")
