"""Alembic's environment: one connection given by ``comptroller.database``, one transaction."""

from typing import Any

from alembic import context
from sqlalchemy import Connection

from comptroller.models.mapping import ExactDecimal, UtcDateTime
from comptroller.models.schema import metadata


def render_type(kind: str, item: Any, _autogenerate: object) -> Any:
    """Write our column types into a new migration as what they are, so that it never changes with our code."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, ExactDecimal):
        return "sa.Numeric().with_variant(sa.Text(), 'sqlite')"
    if kind == "type" and type(item).__name__ == "JSON":
        return "sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), 'postgresql')"
    return False


def run(conn: Connection) -> None:
    """Run the migrations over the connection; a lock keeps two upgrades apart."""
    context.configure(
        connection=conn,
        target_metadata=metadata,
        version_table="comptroller_version",
        transactional_ddl=True,
        render_item=render_type,
    )
    with context.begin_transaction():
        if conn.dialect.name == "postgresql":
            conn.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('comptroller.migrations'))")
        context.run_migrations()


run(context.config.attributes["connection"])
