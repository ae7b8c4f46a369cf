"""``comptroller limits``: create, list, explain, update, override, archive, apply, import, replay."""

from typing import Annotated

from cyclopts import App, Parameter
from rich.table import Table

from comptroller.cli import limit_files, output
from comptroller.cli.dimensions import pairs_of, seconds_of
from comptroller.cli.explain import explain
from comptroller.cli.options import DEFAULT, Common
from comptroller.enums import LimitMode, Window
from comptroller.types.limits import Limit

_HELP = "Create, list, explain, update, override, archive limits.\n\nExample: comptroller limits list"
app = App(name="limits", help=_HELP, help_format="plaintext")
Words = Annotated[list[str] | None, Parameter(negative=())]
app.command(explain, name="explain")
app.command(limit_files.apply, name="apply")
app.command(limit_files.replay, name="replay")
app.command(limit_files.import_app)


@app.command
def create(
    name: str,
    *,
    ceiling: str,
    every: Window = Window.LIFETIME,
    timezone: str = "UTC",
    where: Words = None,
    per: Words = None,
    require: Words = None,
    mode: LimitMode = LimitMode.BLOCK,
    warn_at: Words = None,
    opens_incident: bool = False,
    why: str = "",
    common: Common = DEFAULT,
) -> int:
    """Create a limit.

    Example: comptroller limits create research --ceiling "500 USD" --every month --where team=research

    Args:
        name: How people call it.
        ceiling: Amount and unit: USD, any ISO 4217 currency, tokens, requests, runs.
        every: The period it counts over.
        timezone: IANA zone of that period.
        where: Dimension and value that must match; more than one must all match.
        per: Dimensions of which each value has a balance of its own.
        require: Dimensions without which a spend is refused.
        mode: block refuses, warn admits and tells, observe only writes down.
        warn_at: Thresholds such as 80% or "400 USD".
        opens_incident: Open an incident with its first breach of a window.
        why: Kept with the limit's first version.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        made = ct.limits.create(
            name,
            ceiling=ceiling,
            every=every,
            timezone=timezone,
            where=pairs_of("--where", where or []),
            per=per or [],
            require=require or [],
            mode=mode,
            warn_at=warn_at or [],
            opens_incident=opens_incident,
            why=why,
        )
    return _told(made, "created", common)


@app.command(name="list")
def list_(*, archived: bool = False, after: str | None = None, limit: int = 1000, common: Common = DEFAULT) -> int:
    """List limits by name.

    Example: comptroller limits list

    Args:
        archived: Also those that are archived.
        after: The last name seen, for the next page.
        limit: At most so many, up to 1,000.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        found = ct.limits.list(archived=archived, after=after, count=limit)
    if common.is_json:
        output.print_json(found)
        return 0
    if not found:
        output.console().print('No limits. Create one: comptroller limits create NAME --ceiling "5 USD" --every day')
        return 0
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="bold")
    for head in ("Limit", "Ceiling", "Every", "Where", "Per", "Mode"):
        table.add_column(head, overflow="fold")
    for one in found:
        where = " ".join(f"{name}={value}" for name, value in sorted(one.where.items())) or "all"
        every = one.every.value if one.timezone == "UTC" else f"{one.every.value} ({one.timezone})"
        mode = "archived" if one.archived_at else one.mode.value
        table.add_row(one.name, str(one.ceiling), every, where, " ".join(one.per), mode)
    output.console().print(table)
    return 0


@app.command
def update(
    limit: str,
    *,
    ceiling: str | None = None,
    mode: LimitMode | None = None,
    warn_at: Words = None,
    name: str | None = None,
    why: str = "",
    common: Common = DEFAULT,
) -> int:
    """Change a limit; each change is a version.

    Example: comptroller limits update research --ceiling "600 USD" --why "more GPUs"

    Args:
        limit: Its name or id.
        ceiling: The new ceiling, in the same unit.
        mode: The new mode.
        warn_at: The new thresholds.
        name: A new name.
        why: Kept with the version.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        made = ct.limits.update(limit, ceiling=ceiling, mode=mode, warn_at=warn_at, name=name, why=why)
    return _told(made, f"version {made.version}", common)


@app.command
def override(
    limit: str, *, ceiling: str, for_: Annotated[str, Parameter(name="--for")], why: str, common: Common = DEFAULT
) -> int:
    """Change a limit's ceiling for a time.

    Example: comptroller limits override research --ceiling "900 USD" --for 4h --why "launch day"

    Args:
        limit: Its name or id.
        ceiling: The ceiling meanwhile, in the same unit.
        for_: How long, such as 4h.
        why: Who allowed it and for what.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        made = ct.limits.override(limit, ceiling=ceiling, seconds=seconds_of("--for", for_), why=why)
    if common.is_json:
        output.print_json(made)
    else:
        output.console().print(f"{limit}: {made.ceiling} until {made.expires_at:%Y-%m-%d %H:%M:%S} UTC")
    return 0


@app.command
def archive(limit: str, *, why: str = "", common: Common = DEFAULT) -> int:
    """Take a limit out of force; its history stays.

    Example: comptroller limits archive research --why "the project is over"

    Args:
        limit: Its name or id.
        why: Kept with the version.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        return _told(ct.limits.archive(limit, why=why), "archived", common)


def _told(one: Limit, what: str, common: Common) -> int:
    if common.is_json:
        output.print_json(one)
    else:
        output.console().print(f"{one.name}: {what}, {one.ceiling} every {one.every.value}, {one.mode.value}")
    return 0
