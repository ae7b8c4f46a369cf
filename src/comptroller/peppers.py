"""The secrets under which keys are hashed: from the environment, or from a file beside an SQLite database."""

import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from comptroller.errors import InvalidInputError

VARIABLE: Final = "COMPTROLLER_PEPPERS"
_ONE: Final = re.compile(r"(\w{1,16}):([0-9a-fA-F]{64,})")


@dataclass(frozen=True, slots=True)
class Peppers:
    """Secrets by their ids; the first hashes new keys, all of them are tried on what comes in."""

    by_id: tuple[tuple[str, bytes], ...]

    @property
    def current(self) -> tuple[str, bytes]:
        """Return the id and the secret that new keys are hashed with."""
        return self.by_id[0]


def load_peppers(sqlite_file: Path | None) -> Peppers:
    """Return the peppers of a database.

    Args:
        sqlite_file: The database's file; beside it the pepper is made at first use. None on PostgreSQL, where
            processes on several machines share one, so that the environment has to give it.

    Raises:
        InvalidInputError: If the environment gives none where it has to, or none that can be read.
    """
    given = os.environ.get(VARIABLE)
    if given:
        return _parsed(given, VARIABLE)
    if sqlite_file is None:
        raise InvalidInputError(
            f"{VARIABLE} is not set, and without it keys cannot be checked: set {VARIABLE}=1:$(openssl rand -hex 32) "
            "for every process, and keep it"
        )
    file = sqlite_file.with_name(sqlite_file.name + ".pepper")
    if not file.exists():
        _make(file)
    return _parsed(file.read_text(), str(file))


def _make(file: Path) -> None:
    made = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    made.touch(mode=0o600)
    made.write_text(f"1:{secrets.token_hex(32)}\n")
    try:
        os.link(made, file)  # the first process wins, the others read what it wrote
    except FileExistsError:
        pass
    finally:
        made.unlink()


def _parsed(text: str, where: str) -> Peppers:
    parts = [_ONE.fullmatch(part.strip()) for part in text.strip().split(",")]
    found = tuple((part[1], bytes.fromhex(part[2][: len(part[2]) // 2 * 2])) for part in parts if part is not None)
    if not found or None in parts:
        raise InvalidInputError(f"{where} must be ID:HEX[,ID:HEX…] with at least 64 hexadecimal digits each")
    return Peppers(found)
