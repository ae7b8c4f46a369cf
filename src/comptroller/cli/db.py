"""``comptroller db``: upgrade, current."""

from cyclopts import App

from comptroller import database, settings
from comptroller.cli import output
from comptroller.cli.options import DEFAULT, Common

_HELP = "Make or check the database's schema.\n\nExample: comptroller db current"
app = App(name="db", help=_HELP, help_format="plaintext")


@app.command
def upgrade(*, common: Common = DEFAULT) -> int:
    """Bring the schema to what this version needs; safe to repeat.

    Example: comptroller db upgrade --database postgresql+psycopg://app@localhost/comptroller

    Args:
        common: Where.
    """
    database.upgrade(common.database or settings.database())
    return current(common=common)


@app.command
def protect(*, role: str, common: Common = DEFAULT) -> int:
    """Bind the role that servers connect as to one tenant a transaction (row-level security on PostgreSQL).

    Example: comptroller db protect --role comptroller_server --database postgresql+psycopg://owner@localhost/comptroller

    Args:
        role: The role, which has to be there; not the tables' owner, who is never bound.
        common: Where, as the tables' owner; after every upgrade.
    """
    from comptroller.isolation import protect as bind  # noqa: PLC0415 — loads the whole schema

    count = bind(common.database or settings.database(), role)
    if common.is_json:
        output.print_json({"role": role, "tables": count})
    else:
        output.console().print(f"{role} is bound on {count} tables")
    return 0


@app.command
def current(*, common: Common = DEFAULT) -> int:
    """Say which schema the database has; exit status 1 if it is not the one that this version needs.

    Example: comptroller db current

    Args:
        common: Where.
    """
    found, needed = database.revision_of(common.database or settings.database()), database.head_revision()
    if common.is_json:
        output.print_json({"schema": found, "needed": needed})
    else:
        mend = "" if found == needed else ": run comptroller db upgrade"
        output.console().print(f"schema {found or 'absent'}, this version needs {needed}{mend}")
    return 0 if found == needed else 1
