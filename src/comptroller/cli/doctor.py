"""``comptroller doctor``: what keeps limits from meaning what they say."""

from comptroller.cli import output
from comptroller.cli.options import DEFAULT, Common


def doctor(*, common: Common = DEFAULT) -> int:
    """Look for what keeps limits from being kept: ungoverned spend, clocks, durability, a ledger that does not add up.

    Exit status 1 if something grave is found.

    Example: comptroller doctor

    Args:
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        found = ct.doctor()
    if common.is_json:
        output.print_json(found)
    elif not found:
        output.console().print("nothing is wrong")
    else:
        for one in found:
            style = "bold red" if one.is_grave else "yellow"
            output.console().print(f"{one.name}: {one.told}", style=style, soft_wrap=True)
    return 1 if any(one.is_grave for one in found) else 0
