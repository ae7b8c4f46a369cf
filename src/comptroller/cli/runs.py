"""``comptroller runs``: list, show, halt."""

from cyclopts import App
from rich.table import Table

from comptroller.cli import output
from comptroller.cli.options import DEFAULT, Common
from comptroller.enums import RunState
from comptroller.types.runs import Run

_HELP = "List, show, halt runs.\n\nExample: comptroller runs list --state running"
app = App(name="runs", help=_HELP, help_format="plaintext")


@app.command(name="list")
def list_(
    *, state: RunState | None = None, limit: int = 100, before: str | None = None, common: Common = DEFAULT
) -> int:
    """List runs, the newest first.

    Example: comptroller runs list --state running

    Args:
        state: Only those in this state.
        limit: At most so many, up to 1,000.
        before: The id of the last one seen, for the next page.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        found = ct.runs.list(state=state, count=limit, before=before)
    if common.is_json:
        output.print_json(found)
        return 0
    if not found:
        output.console().print("No runs. One begins with: with ct.run(agent=…) as run", style="dim")
        return 0
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="bold")
    for head in ("Run", "State", "Started (UTC)", "Who", "Why"):
        table.add_column(head, overflow="fold")
    for one in found:
        table.add_row(one.id, one.state.value, f"{one.started_at:%Y-%m-%d %H:%M:%S}", _who(one), one.end_reason or "")
    output.console().print(table)
    return 0


@app.command
def show(run_id: str, *, common: Common = DEFAULT) -> int:
    """Show one run.

    Example: comptroller runs show 0192…

    Args:
        run_id: Which one.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        return _told(ct.runs.get(run_id), common)


@app.command
def halt(run_id: str, *, why: str = "", common: Common = DEFAULT) -> int:
    """Stop a run at its next checkpoint or reserve.

    Example: comptroller runs halt 0192… --why "it loops"

    Args:
        run_id: Which one.
        why: What its owner must know.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        return _told(ct.runs.halt(run_id, why=why), common)


def _told(one: Run, common: Common) -> int:
    if common.is_json:
        output.print_json(one)
        return 0
    reason = f": {one.end_reason}" if one.end_reason else ""
    console = output.console()
    console.print(f"{one.id} is {one.state.value}{reason}")
    ended = "" if one.ended_at is None else f", ended {one.ended_at:%Y-%m-%d %H:%M:%S}"
    console.print(f"{_who(one)}; started {one.started_at:%Y-%m-%d %H:%M:%S}{ended} UTC", style="dim")
    return 0


def _who(one: Run) -> str:
    return " ".join(f"{name}={value}" for name, value in sorted(one.dimensions.items())) or "no dimensions"
