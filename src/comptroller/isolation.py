"""Row-level security on PostgreSQL: a second wall between tenants, for the role that a server connects as.

The tables' owner is not bound by it, so that an application which embeds the library as owner is not hindered. For
the bound role every transaction says for which tenant it is; one that says nothing sees nothing.
"""

import re
from typing import Final

from sqlalchemy import URL, Connection

from comptroller.database import IS_BOUND, create_engine
from comptroller.errors import InvalidInputError
from comptroller.models.mapping import GLOBAL_TABLES
from comptroller.models.schema import metadata

SETTING: Final = "comptroller.tenant"
_ROLE: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")
# An absent setting is NULL, one that a transaction has set and left is an empty text.
_IS_OWN: Final = f"tenant_id = NULLIF(current_setting('{SETTING}', true), '')"


def protect(url: str | URL, role: str) -> int:
    """Bind a role to the tenant that each of its transactions names; returns how many tables are bound.

    Run it as the tables' owner, after every upgrade of the schema; safe to repeat. The role gets what a server
    needs and nothing more (no TRUNCATE, which would ignore the policies).

    Raises:
        InvalidInputError: If the database is no PostgreSQL, or the role is not there, or no plain name.
    """
    if not _ROLE.fullmatch(role):
        raise InvalidInputError(f"role {role!r} is no plain name: use lower-case letters, digits and underscores")
    engine = create_engine(url)
    try:
        if engine.dialect.name != "postgresql":
            raise InvalidInputError("only PostgreSQL has row-level security")
        with engine.begin() as conn:
            return _protect(conn, role)
    finally:
        engine.dispose()


def is_bound(conn: Connection) -> bool:
    """Tell whether the connection's role is bound to a tenant."""
    return bool(conn.info.get(IS_BOUND))


def tenant_tables() -> list[str]:
    """Return the tables whose rows belong to a tenant."""
    return sorted(set(metadata.tables) - set(GLOBAL_TABLES))


def _protect(conn: Connection, role: str) -> int:
    if conn.exec_driver_sql("SELECT 1 FROM pg_roles WHERE rolname = %(role)s", {"role": role}).first() is None:
        raise InvalidInputError(f"role {role!r} is not there: CREATE ROLE {role} LOGIN PASSWORD '…'")
    schema = conn.exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    conn.exec_driver_sql(f"GRANT USAGE ON SCHEMA {schema} TO {role}")
    conn.exec_driver_sql(f"GRANT SELECT ON comptroller_version TO {role}")
    for table in sorted(metadata.tables):
        conn.exec_driver_sql(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {role}")
    for table in tenant_tables():
        _bind(conn, table, role)
    return len(tenant_tables())


def _bind(conn: Connection, table: str, role: str) -> None:
    conn.exec_driver_sql(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    for policy in ("comptroller_tenant", "comptroller_others"):
        conn.exec_driver_sql(f"DROP POLICY IF EXISTS {policy} ON {table}")
    conn.exec_driver_sql(
        f"CREATE POLICY comptroller_tenant ON {table} TO {role} USING ({_IS_OWN}) WITH CHECK ({_IS_OWN})"
    )
    # A role that is neither owner nor bound keeps what it was granted: the wall is the server's.
    is_other = f"NOT pg_has_role(current_user, '{role}', 'MEMBER')"
    conn.exec_driver_sql(f"CREATE POLICY comptroller_others ON {table} USING ({is_other}) WITH CHECK ({is_other})")
