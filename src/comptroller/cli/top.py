"""``comptroller top``: who spends what per hour now."""

import time
from typing import Annotated

from cyclopts import Parameter
from rich.table import Table

from comptroller.cli import output
from comptroller.cli.options import DEFAULT, Common
from comptroller.types.sight import TopRow

_EVERY_SECONDS = 2.0


def top(
    *,
    by: str = "team",
    limit: int = 20,
    once: Annotated[bool, Parameter(negative=())] = False,
    common: Common = DEFAULT,
) -> int:
    """Show who spends what per hour now, what is held, what is left, and refusals; until interrupted.

    Example: comptroller top --by agent --once

    Args:
        by: The dimension: team, user, agent and the like.
        limit: At most so many lines.
        once: Print once and end.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        found = ct.top(by=by, count=limit)
        if common.is_json:
            output.print_json(found)
            return 0
        console = output.console()
        if once or not console.is_terminal:
            console.print(_table(by, found))
            return 0
        from rich.live import Live  # noqa: PLC0415 — only a terminal needs it

        with Live(_table(by, found), console=console, auto_refresh=False) as live:
            while True:
                time.sleep(_EVERY_SECONDS)
                live.update(_table(by, ct.top(by=by, count=limit)), refresh=True)


def _table(by: str, found: list[TopRow]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="bold")
    table.add_column(by)
    for head in ("In the last hour", "Held", "Left", "Refusals"):
        table.add_column(head, justify="right")
    for one in found:
        left = "no limit" if one.left is None else output.money(one.left.amount, one.left.unit)
        spent, held = (output.money(each.amount, each.unit) for each in (one.per_hour, one.held))
        table.add_row(one.value, spent, held, left, f"{one.refusals:,}")
    if not found:
        table.add_row("nothing was spent in the last hour", "", "", "", "")
    return table
