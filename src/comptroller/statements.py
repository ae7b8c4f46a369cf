"""What a statement does to the transaction it is in, told by its first words."""

import re
from enum import Enum, auto
from functools import lru_cache
from typing import Final

_ENDS: Final = re.compile(r"(?:\A|;)\s*(?:COMMIT|END|PREPARE\s+TRANSACTION)\b", re.IGNORECASE)
_COMMENT: Final = re.compile(r"--[^\n]*|/\*(?:(?!/\*|\*/).)*\*/", re.DOTALL)
_FIRST_WORDS: Final = re.compile(r"\s*(\w+)(?:\s+(?:(?:WORK|TRANSACTION)\b\s*)?)?(TO\b|PREPARED\b)?", re.IGNORECASE)
_SAVEPOINT_NAME: Final = re.compile(r'"?(\w+)"?\s*;?\s*\Z')
_HEAD: Final = 200  # enough of a statement to know what it is


class Kind(Enum):
    """What a statement does to the transaction it is in."""

    OTHER = auto()
    READ = auto()
    UNBEGUN = auto()
    COMMIT = auto()
    ROLLBACK = auto()
    SAVEPOINT = auto()
    RELEASE = auto()
    ROLLBACK_TO = auto()


_KINDS: Final = {
    **dict.fromkeys(("SELECT", "EXPLAIN"), Kind.READ),
    **dict.fromkeys(("PRAGMA", "BEGIN", "VACUUM", "ATTACH", "DETACH"), Kind.UNBEGUN),
    **dict.fromkeys(("COMMIT", "END"), Kind.COMMIT),
    **dict.fromkeys(("ROLLBACK", "ABORT"), Kind.ROLLBACK),
    "SAVEPOINT": Kind.SAVEPOINT,
    "RELEASE": Kind.RELEASE,
}


def kind_of(statement: str) -> tuple[Kind, str]:
    """Return what a statement does, and the savepoint that it names (in lower case), if any."""
    return _kind_of_head(statement if len(statement) <= _HEAD else statement[:_HEAD])


@lru_cache(maxsize=1024)
def _kind_of_head(head: str) -> tuple[Kind, str]:
    words = _FIRST_WORDS.match(_COMMENT.sub(" ", head))
    kind = Kind.OTHER if words is None else _KINDS.get(words[1].upper(), Kind.OTHER)
    if words is None or kind in {Kind.OTHER, Kind.READ, Kind.UNBEGUN}:
        return kind, ""
    if words[2]:
        # COMMIT PREPARED and ROLLBACK PREPARED settle another transaction than the present one.
        kind = Kind.ROLLBACK_TO if words[2].upper() == "TO" else Kind.OTHER
    name = _SAVEPOINT_NAME.search(words.string, words.end())
    return kind, "" if name is None else name[1].lower()


def ends_transaction(statement: str) -> bool:
    """Tell whether a statement, or one of several in its text, would commit; in doubt it would."""
    return bool(_ENDS.search(statement) or _ENDS.search(_uncommented(statement)))


def _uncommented(statement: str) -> str:
    before = ""
    while before != statement:  # comments nest on PostgreSQL
        before, statement = statement, _COMMENT.sub(" ", statement)
    return statement
