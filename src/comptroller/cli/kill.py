"""``comptroller kill`` and ``comptroller lift``: shut a scope, open it again."""

from typing import Annotated

from cyclopts import Parameter

from comptroller.cli import output
from comptroller.cli.dimensions import pairs_of, seconds_of
from comptroller.cli.options import DEFAULT, Common
from comptroller.errors import InvalidInputError
from comptroller.types.runs import Kill


def kill(
    *,
    where: Annotated[list[str] | None, Parameter(negative=())] = None,
    why: str,
    for_: Annotated[str | None, Parameter(name="--for")] = None,
    everything: bool = False,
    incident: str | None = None,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    common: Common = DEFAULT,
) -> int:
    """Shut a scope: nothing in it is admitted from now on, and its runs stop at their next checkpoint.

    Prints the runs and the money per hour that it stops, and the line that undoes it.

    Example: comptroller kill --where agent=crawler --why "it loops" --for 30m

    Args:
        where: Dimension and value, such as agent=crawler; more than one must all match.
        why: What the person who finds it must know.
        for_: After this long it ends by itself, such as 30m; else it stays until it is lifted.
        everything: Shut the whole tenant, where no --where is given.
        incident: The incident on whose timeline it is written.
        dry_run: Only print what it would stop.
        common: Where, for whom, how.
    """
    scope = _scope(where, everything=everything)
    with common.opened() as ct:
        if dry_run:
            made = ct.preview_kill(where=scope)
        else:
            made = ct.kill(where=scope, why=why, seconds=seconds_of("--for", for_), incident_id=incident)
    if common.is_json:
        output.print_json(made)
        return 0
    _show(made, "would stop" if dry_run else "stops")
    return 0


def lift(
    *,
    where: Annotated[list[str] | None, Parameter(negative=())] = None,
    why: str = "",
    everything: bool = False,
    incident: str | None = None,
    common: Common = DEFAULT,
) -> int:
    """Open a scope again that was shut by kill.

    Example: comptroller lift --where agent=crawler --why "mended"

    Args:
        where: The scope exactly as it was shut.
        why: What changed.
        everything: The whole tenant was shut.
        incident: The incident on whose timeline it is written.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        lifted = ct.lift(where=_scope(where, everything=everything or where is None), why=why, incident_id=incident)
    if common.is_json:
        output.print_json(lifted)
    else:
        for one in lifted:
            output.console().print(f"lifted: {_named(one)}, shut by {one.created_by}: {one.why}")
    return 0


def _scope(where: list[str] | None, *, everything: bool) -> dict[str, str]:
    if not where and not everything:
        raise InvalidInputError("say which scope: --where agent=crawler, or --everything for the whole tenant")
    return pairs_of("--where", where or [])


def _show(made: Kill, verb: str) -> None:
    console = output.console()
    money = ", ".join(str(each) for each in made.money_per_hour) or "no money"
    console.print(f"{verb} {_named(made)}: {len(made.runs)} runs, {money} in the last hour")
    for run in made.runs:
        dimensions = " ".join(f"{name}={value}" for name, value in sorted(run.dimensions.items()))
        console.print(f"  {run.id}  {dimensions}", soft_wrap=True)
    if made.expires_at is not None:
        console.print(f"it ends by itself at {made.expires_at:%Y-%m-%d %H:%M:%S} UTC")
    console.print(f"undo: {made.undo}", soft_wrap=True)


def _named(one: Kill) -> str:
    return " ".join(f"{name}={value}" for name, value in sorted(one.where.items())) or "the whole tenant"
