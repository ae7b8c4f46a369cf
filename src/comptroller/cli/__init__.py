"""The command line: translates, calls one operation, translates back."""

import sys
from collections.abc import Sequence


def main(tokens: Sequence[str] | None = None) -> None:
    """Run the command; exit status 0, 1 (found what the caller asked to fail on) or 2 (could not do it)."""
    from comptroller.cli.app import run  # noqa: PLC0415 — importing the package must not load the command line

    sys.exit(run(sys.argv[1:] if tokens is None else list(tokens)))
