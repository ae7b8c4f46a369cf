"""``comptroller demo``: a believable month, and agents that keep spending, with the dashboard over it."""

import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Final

from comptroller.cli.options import Common

TENANT: Final = "demo"
PASSWORD_BYTES: Final = 12


def demo(*, port: int = 8080, database: Path | None = None, seed_only: bool = False, spend: bool = False) -> int:
    """Fill a database of its own with a month of bills, limits and runs, serve the dashboard, and keep spending.

    Example: comptroller demo --port 8080

    Args:
        port: The port of the dashboard.
        database: An SQLite file; a temporary one that is gone afterwards unless given.
        seed_only: Fill the database and end.
        spend: Only keep spending over the database given; the demo starts this for itself.
    """
    with tempfile.TemporaryDirectory(prefix="comptroller-demo-") as folder:
        file = (database or Path(folder) / "demo.db").resolve()
        common = Common(database=f"sqlite:///{file}", tenant=TENANT)
        if spend:
            return _spend(common)
        password = _seed(common, Path(folder))
        if seed_only:
            return 0
        return _serve(common, port, password)


def _seed(common: Common, folder: Path) -> str | None:
    from comptroller.cli.demo_data import seed  # noqa: PLC0415 — only this verb needs it

    _say("filling a month …")
    with common.opened() as ct:
        return seed(ct, folder)


def _spend(common: Common) -> int:
    from comptroller.cli.demo_data import keep_spending  # noqa: PLC0415 — only this verb needs it

    with common.opened() as ct:
        keep_spending(ct, timedelta(hours=12))
    return 0


def _serve(common: Common, port: int, password: str | None) -> int:
    from comptroller.api import server  # noqa: PLC0415 — heavy

    prepared = server.prepare(common.database, home=TENANT)
    command = [sys.executable, "-m", "comptroller", "demo", "--spend", "--database", str(common.database)[10:]]
    spender = subprocess.Popen(command)  # noqa: S603 — our own program
    try:
        known = f", password {password}" if password else ""
        _say(f"open http://localhost:{port}/ and log in as admin{known}; end it with Ctrl-C")
        server.serve(prepared, host="127.0.0.1", port=port, processes=1)
    finally:
        spender.terminate()
        spender.wait()
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 — the command's own words
