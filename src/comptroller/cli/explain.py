"""``comptroller explain``: which limits apply to a subject, where they stand, and what became of a past hold."""

from typing import Annotated

from cyclopts import Parameter
from rich.table import Table

from comptroller.cli import output
from comptroller.cli.dimensions import pairs_of
from comptroller.cli.options import DEFAULT, Common
from comptroller.types.limits import Standing
from comptroller.types.sight import Explanation, Forecast, HoldExplanation


def explain(
    *who: str,
    hold: str | None = None,
    forecast: Annotated[bool, Parameter(negative=())] = False,
    common: Common = DEFAULT,
) -> int:
    """Show every limit that applies to a subject: its window, spent, held, left, and why; or a past decision.

    Example: comptroller explain team=research user=ana

    Args:
        who: Dimensions of the spend, such as team=research.
        hold: The id of a past hold, instead of a subject.
        forecast: Also when each balance will run out at its present pace.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        if hold is not None:
            return _past(ct.explain_hold(hold), common)
        dimensions = pairs_of("explain", who)
        told = ct.explain(**dimensions)
        paces = ct.forecast(**dimensions) if forecast else []
    if common.is_json:
        output.print_json({"explanation": told, "forecast": paces} if forecast else told)
        return 0
    _show(told, paces)
    return 0


def _show(told: Explanation, paces: list[Forecast]) -> None:
    console = output.console()
    if told.killed is not None:
        console.print(f"killed: {told.killed}", style="bold red")
    if told.is_ungoverned:
        what = "refused" if told.requires_limit else "admitted as ungoverned"
        console.print(f"no limit applies: such a spend is {what}", style="yellow")
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="bold")
    for head in ("Limit", "Ceiling", "Spent", "Held", "Left", "Resets (UTC)", "Runs out (UTC)", "Why"):
        if head != "Runs out (UTC)" or paces:
            table.add_column(head, overflow="fold")
    ends = {one.standing.balance_id: one for one in paces}
    for one in told.standings:
        table.add_row(*_row(one), *([_runs_out(ends.get(one.balance_id))] if paces else []), one.why)
    if told.standings:
        console.print(table)


def _row(one: Standing) -> list[str]:
    resets = "never" if one.window_end is None else f"{one.window_end:%Y-%m-%d %H:%M}"
    mode = "" if one.limit.mode.value == "block" else f" ({one.limit.mode.value})"
    return [one.limit.name + mode, str(one.ceiling), str(one.spent), str(one.held), str(one.left), resets]


def _runs_out(one: Forecast | None) -> str:
    if one is None or one.runs_out_at is None:
        return "not before its end"
    bounds = [f"{at:%m-%d %H:%M}" if at else "its end" for at in (one.earliest_at, one.latest_at)]
    return f"{one.runs_out_at:%Y-%m-%d %H:%M} ({bounds[0]} … {bounds[1]})"


def _past(told: HoldExplanation, common: Common) -> int:
    if common.is_json:
        output.print_json(told)
        return 0
    console = output.console()
    who = " ".join(f"{name}={value}" for name, value in sorted(told.dimensions.items())) or "no dimensions"
    console.print(f"{told.hold_id}  {who}")
    console.print("against " + (", ".join(told.limits) or "no limit"))
    for step in told.steps:
        estimated = " (estimated)" if step.is_estimated else ""
        priced = "" if step.price_version is None else f", priced by {step.price_version}"
        amount = "" if step.amount is None else f"{step.amount}, "
        counts = f"{step.requests} requests, {step.tokens} tokens"
        console.print(f"{step.at:%Y-%m-%d %H:%M:%S}  {step.kind.value:<8} {amount}{counts}{estimated}{priced}")
    if told.settled_ratio is not None:
        console.print(f"charged {told.settled_ratio:.0%} of what was held")
    return 0
