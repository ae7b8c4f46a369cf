"""``comptroller keys``: create, list, revoke API keys, by whoever holds the database."""

from datetime import timedelta
from typing import Annotated

from cyclopts import App, Parameter
from rich.table import Table

from comptroller import database
from comptroller.api.service import sqlite_file
from comptroller.cli import output
from comptroller.cli.options import DEFAULT, Common
from comptroller.enums import Role
from comptroller.peppers import load_peppers
from comptroller.spine.orchestrator import access
from comptroller.types.access import Principal

app = App(name="keys", help="Create, list, revoke API keys.", help_format="plaintext")


@app.command
def create(
    name: str,
    *,
    role: Role = Role.AGENT,
    days: Annotated[int | None, Parameter(help="How long it lasts; without end unless given.")] = None,
    common: Common = DEFAULT,
) -> int:
    """Create a key and print its secret, which is shown once.

    Example: comptroller keys create gateway --role agent

    Args:
        name: What it is for.
        role: viewer, operator, admin or agent.
        days: How long it lasts.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        peppers = load_peppers(sqlite_file(database.database_url(ct.engine.url.render_as_string(hide_password=False))))
        access.prepare_tenant.run(ct.engine, ct.caller)
        giver = Principal(ct.caller.tenant, ct.caller.actor, Role.ADMIN)
        end = None if days is None else ct.caller.now() + timedelta(days=days)
        made = access.create_key.run(ct.engine, ct.caller, giver, peppers, name=name, role=role, expires_at=end)
    if common.is_json:
        output.print_json(made)
    else:
        output.console().print(made.secret, soft_wrap=True)
    return 0


@app.command(name="list")
def list_(*, common: Common = DEFAULT) -> int:
    """List keys, the newest first.

    Example: comptroller keys list

    Args:
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        found = access.list_keys.run(ct.engine, ct.caller)
    if common.is_json:
        output.print_json(found)
        return 0
    table = Table(box=None, padding=(0, 1), show_edge=False, header_style="bold")
    for column in ("Key", "Prefix", "Name", "Role", "Ends", "Last used"):
        table.add_column(column)
    for one in found:
        end = one.revoked_at or one.expires_at
        ends = "-" if end is None else f"{'revoked ' if one.revoked_at else ''}{output.day(end)}"
        used = "-" if one.last_used_at is None else output.day(one.last_used_at)
        table.add_row(one.id, one.prefix, one.name, one.role.value, ends, used)
    output.console().print(table if found else "No keys: comptroller keys create NAME")
    return 0


@app.command
def revoke(key_id: str, *, common: Common = DEFAULT) -> int:
    """Revoke a key; servers stop heeding it within a second.

    Example: comptroller keys revoke 0192…

    Args:
        key_id: Which one.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        revoked = access.revoke_key.run(ct.engine, ct.caller, key_id)
    if common.is_json:
        output.print_json(revoked)
    else:
        output.console().print(f"{revoked.id} is revoked")
    return 0
