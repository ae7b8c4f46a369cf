"""``comptroller sources``: add, list, remove what is pulled."""

from cyclopts import App
from rich.table import Table

from comptroller.cli import output
from comptroller.cli.channels import say, seconds_of
from comptroller.cli.options import DEFAULT, Common
from comptroller.spine.orchestrator import background

app = App(name="sources", help="Say from where cost files are pulled.", help_format="plaintext")


@app.command
def add(
    name: str,
    url: str,
    *,
    input_format: str | None = None,
    every: str = "1h",
    stale: str = "2d",
    common: Common = DEFAULT,
) -> int:
    """Have a folder or a bucket pulled by the worker.

    Example: comptroller sources add aws s3://bills/exports --every 6h

    Args:
        name: What to call it; a later delivery under this name replaces an earlier one.
        url: A folder, or s3://…, gs://…, abfs://…; credentials come from the worker's environment.
        input_format: How to read the files where recognition fails.
        every: How often it is pulled.
        stale: Without anything new for so long an incident is opened.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        made = background.add_source.run(
            ct.engine, ct.caller, name, url, format=input_format, every_seconds=seconds_of(every),
            stale_seconds=seconds_of(stale),
        )  # fmt: skip
    say(common, {"id": made.id, "name": made.name}, f"{made.name} is pulled every {every} by comptroller worker")
    return 0


@app.command(name="list")
def list_(*, common: Common = DEFAULT) -> int:
    """List sources and when something new came.

    Example: comptroller sources list

    Args:
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        found = background.list_sources.run(ct.engine, ct.caller)
    if common.is_json:
        output.print_json(found)
        return 0
    if not found:
        output.console().print("No sources. comptroller sources add --help", style="dim")
        return 0
    table = Table("Source", "From", "Every", "Last news", box=None, show_edge=False)
    for one in found:
        news = "never" if one.news_at is None else f"{one.news_at:%Y-%m-%d %H:%M}"
        table.add_row(one.name, one.url, f"{one.every_seconds} s", news)
    output.console().print(table)
    return 0


@app.command
def remove(name: str, *, common: Common = DEFAULT) -> int:
    """Pull a source no more; what came from it stays.

    Example: comptroller sources remove aws

    Args:
        name: Which one.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        background.remove_source.run(ct.engine, ct.caller, name)
    say(common, {"removed": name}, f"{name} is removed")
    return 0
