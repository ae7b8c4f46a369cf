"""``comptroller owners``: list, apply."""

from pathlib import Path

from cyclopts import App
from rich.table import Table

from comptroller.cli import output
from comptroller.cli.options import DEFAULT, Common

_HELP = "Say which team and person owns what.\n\nExample: comptroller owners apply owners.toml"
app = App(name="owners", help=_HELP, help_format="plaintext")


@app.command(name="list")
def list_(*, common: Common = DEFAULT) -> int:
    """List who owns what, in the order in which the rules apply.

    Example: comptroller owners list

    Args:
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        rules = ct.owners.list()
    if common.is_json:
        output.print_json(rules)
        return 0
    table = Table(box=None, padding=(0, 1), show_edge=False, header_style="bold")
    for name in ("What", "Value", "Team", "Owner"):
        table.add_column(name)
    for rule in rules:
        table.add_row(rule.kind.value, rule.value, rule.team, rule.owner or "-")
    output.console().print(table if rules else "No rules: comptroller owners apply FILE")
    return 0


@app.command
def apply(file: Path, *, common: Common = DEFAULT) -> int:
    """Replace the rules by a file's (TOML or CSV); later deliveries heed them.

    Example: comptroller owners apply owners.toml

    Args:
        file: TOML with [[owner]] tables, or CSV with kind,value,team,owner.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        count = ct.owners.apply(file)
    output.console().print(f"{count} rules")
    return 0
