"""SQL of the ledger; PostgreSQL and SQLite have a file each with the same functions."""

from types import ModuleType

from sqlalchemy import Connection

from comptroller.domains.policies.driver.ledger import postgresql, sqlite


def dialect_of(conn: Connection) -> ModuleType:
    """Return the statements of the connection's database."""
    return postgresql if conn.dialect.name == "postgresql" else sqlite


class AlteredError(Exception):
    """Something changed between decision and writing: the group is decided anew, one by one."""
