"""``comptroller tenants``: create, list, disable tenants, by whoever holds the database."""

from cyclopts import App
from rich.table import Table

from comptroller.cli import output
from comptroller.cli.options import DEFAULT, Common
from comptroller.spine.orchestrator import access
from comptroller.types.access import Tenant

app = App(name="tenants", help="Create, list, disable tenants.", help_format="plaintext")


@app.command
def create(tenant_id: str, *, name: str = "", common: Common = DEFAULT) -> int:
    """Create a tenant.

    Example: comptroller tenants create acme --name "Acme Ltd"

    Args:
        tenant_id: Its id, as --tenant takes it.
        name: Its name for people.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        return _told([access.create_tenant.run(ct.engine, ct.caller, tenant_id, name=name)], common)


@app.command(name="list")
def list_(*, common: Common = DEFAULT) -> int:
    """List tenants.

    Example: comptroller tenants list

    Args:
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        return _told(access.list_tenants.run(ct.engine, ct.caller), common)


@app.command
def disable(tenant_id: str, *, common: Common = DEFAULT) -> int:
    """Shut a tenant's door: its keys and people come in no more.

    Example: comptroller tenants disable acme

    Args:
        tenant_id: Which one.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        return _told([access.set_tenant_disabled.run(ct.engine, ct.caller, tenant_id, disabled=True)], common)


@app.command
def enable(tenant_id: str, *, common: Common = DEFAULT) -> int:
    """Open a tenant's door again.

    Example: comptroller tenants enable acme

    Args:
        tenant_id: Which one.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        return _told([access.set_tenant_disabled.run(ct.engine, ct.caller, tenant_id, disabled=False)], common)


def _told(found: list[Tenant], common: Common) -> int:
    if common.is_json:
        output.print_json(found)
        return 0
    table = Table(box=None, padding=(0, 1), show_edge=False, header_style="bold")
    for column in ("Tenant", "Name", "Since", "State"):
        table.add_column(column)
    for one in found:
        state = "disabled" if one.disabled_at else "home" if one.is_home else "open"
        table.add_row(one.id, one.name, output.day(one.created_at), state)
    output.console().print(table if found else "No tenants: comptroller tenants create ID")
    return 0
