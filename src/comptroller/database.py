"""Engines with their guards on, and the schema's migrations.

An engine made here begins SQLite's transactions itself (a read defers, anything else takes the write lock at
once), keeps foreign keys and the write-ahead log on, and refuses to commit what governance broke.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import URL, Connection, Engine, event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.ext.asyncio import create_async_engine as sa_create_async_engine

from comptroller.errors import InvalidInputError, SchemaBehindError, StorageError
from comptroller.transaction import OUTSIDE, OWN, guard_engine

BUSY_TIMEOUT_SECONDS: Final = 30
_ASYNC_DRIVERS: Final = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg"}
_SYNC_DRIVERS: Final = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}
_MIGRATIONS: Final = Path(__file__).parent / "migrations"
# In a connection's info: its role is bound to the tenant that a transaction names (row-level security).
IS_BOUND: Final = "comptroller_bound"
_ASKS_IF_BOUND: Final = "SELECT row_security_active(to_regclass('incidents')::oid)"
_BINDS: Final = "SELECT set_config('comptroller.tenant', %(tenant)s, true)"
_TABLE_EXISTS: Final = {
    "postgresql": "SELECT 1 FROM pg_class WHERE oid = to_regclass(%(name)s) AND relkind IN ('r', 'p', 'f', 'v', 'm')",
    "sqlite": "SELECT 1 FROM pragma_table_list WHERE name = :name COLLATE NOCASE",
}


def database_url(text: str, *, is_async: bool = False) -> URL:
    """Return the URL with the driver that comptroller uses; a bare path names an SQLite file.

    Raises:
        InvalidInputError: If it names neither SQLite nor PostgreSQL.
    """
    if "://" not in text:
        text = f"sqlite:///{text}"
    try:
        url = make_url(text)
    except sa.exc.ArgumentError as error:
        raise InvalidInputError("the database URL is not understood: write sqlite:///FILE or postgresql://…") from error
    drivers = _ASYNC_DRIVERS if is_async else _SYNC_DRIVERS
    backend = "postgresql" if url.drivername == "postgres" else url.get_backend_name()
    if backend not in drivers:
        raise InvalidInputError(f"database {url.drivername!r} is not supported: use sqlite or postgresql+psycopg")
    return url.set(drivername=drivers[backend])


def is_uri(url: URL) -> bool:
    """Tell whether a URL names its SQLite file by a URI of SQLite's own (``sqlite:///file:PATH?mode=ro&uri=true``)."""
    return url.database is not None and url.database.startswith("file:")


def create_engine(url: str | URL, **options: Any) -> Engine:
    """Return a guarded engine; ``options`` are SQLAlchemy's."""
    target = database_url(url) if isinstance(url, str) else url
    engine = sa.create_engine(target, **(_defaults(target) | options))
    _prepare(engine)
    return engine


def create_async_engine(url: str | URL, **options: Any) -> AsyncEngine:
    """Return a guarded engine for asyncio; ``options`` are SQLAlchemy's."""
    target = database_url(url, is_async=True) if isinstance(url, str) else url
    engine = sa_create_async_engine(target, **(_defaults(target) | options))
    _prepare(engine.sync_engine)
    return engine


def _defaults(url: URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": BUSY_TIMEOUT_SECONDS}}
    return {"pool_pre_ping": True}


def _prepare(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
    else:
        event.listen(engine, "connect", _find_out_if_bound)
        event.listen(engine, "connect", _prepare_nothing_behind_a_pooler)
    guard_engine(engine)


def _configure_sqlite(dbapi_connection: Any, record: Any) -> None:
    record.info[OWN] = True
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    for pragma in ("foreign_keys=ON", "journal_mode=WAL", "synchronous=FULL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _prepare_nothing_behind_a_pooler(dbapi_connection: Any, record: Any) -> None:  # noqa: ARG001 — the event's signature
    """Name no prepared statements where the backend is another than the one that greeted us.

    A pooler in transaction mode gives each transaction whichever backend is free; what was prepared on one is not
    there on the next.
    """
    driver = getattr(dbapi_connection, "driver_connection", None) or dbapi_connection
    cursor = dbapi_connection.cursor()
    cursor.execute("SELECT pg_backend_pid()")
    is_pooled = cursor.fetchone()[0] != driver.info.backend_pid
    cursor.close()
    dbapi_connection.rollback()
    if is_pooled:
        driver.prepare_threshold = None


def _find_out_if_bound(dbapi_connection: Any, record: Any) -> None:
    cursor = dbapi_connection.cursor()
    cursor.execute(_ASKS_IF_BOUND)
    record.info[IS_BOUND] = bool(cursor.fetchone()[0])
    cursor.close()
    dbapi_connection.rollback()


def bind_tenant(conn: Connection, tenant: str) -> None:
    """Say for which tenant the transaction is, where the connection's role is bound by row-level security."""
    if conn.info.get(IS_BOUND):
        conn.exec_driver_sql(_BINDS, {"tenant": tenant})


@contextmanager
def reported(url: URL) -> Iterator[None]:
    """Turn what the driver raises while a database is opened into one line that names it and the mend.

    Raises:
        StorageError: If the database cannot be reached, read or written.
    """
    try:
        yield
    except sa.exc.DBAPIError as error:
        is_file = url.get_backend_name() == "sqlite"
        where = url.database if is_file else url.render_as_string(hide_password=True)
        mend = "check its path and your rights, or name another" if is_file else "check that it runs and the URL"
        why = " ".join(str(error.orig).split())
        raise StorageError(f"database {where} cannot be used: {why}; {mend}") from error


def table_is_there(conn: Connection, table_name: str) -> bool:
    """Tell whether a table or view of that name can be read, without a lock and without risk to the transaction.

    The name is looked up as it is written, on PostgreSQL along the search path. Real errors surface.

    Raises:
        InvalidInputError: If the name is no plain identifier.
    """
    if not isinstance(table_name, str) or not table_name.isascii() or not table_name.isidentifier():
        raise InvalidInputError(f"table name {table_name!r} is no identifier: use letters, digits and underscores")
    is_postgres = conn.dialect.name == "postgresql"
    parameters = {"name": f'"{table_name}"' if is_postgres else table_name}
    statement = _TABLE_EXISTS[conn.dialect.name]
    return conn.exec_driver_sql(statement, parameters, execution_options={OUTSIDE: True}).first() is not None


def upgrade(url: str | URL, revision: str = "head") -> None:
    """Bring the schema to a revision, the newest by default; safe to repeat."""
    engine = create_engine(url)
    try:
        with reported(engine.url), engine.connect() as conn:
            upgrade_connection(conn, revision)
    finally:
        engine.dispose()


def upgrade_connection(conn: Connection, revision: str = "head") -> None:
    """Bring the schema to a revision over a connection; Alembic's environment begins and ends its transaction."""
    from alembic import command  # noqa: PLC0415 — heavy, needed by few verbs

    config = _alembic_config()
    config.attributes["connection"] = conn
    command.upgrade(config, revision)


def current_revision(conn: Connection) -> str | None:
    """Return the schema's revision, or None where comptroller's tables were never made."""
    if not table_is_there(conn, "comptroller_version"):
        return None
    row = conn.exec_driver_sql("SELECT version_num FROM comptroller_version").first()
    return None if row is None else str(row[0])


def revision_of(url: str | URL) -> str | None:
    """Return a database's schema revision, or None where comptroller's tables were never made."""
    engine = create_engine(url)
    try:
        is_file = engine.dialect.name == "sqlite" and not is_uri(engine.url)
        if is_file and not Path(str(engine.url.database)).exists():
            return None  # looking must not make the file
        with reported(engine.url), engine.connect() as conn:
            return current_revision(conn)
    finally:
        engine.dispose()


def has_tables(conn: Connection) -> bool:
    """Tell whether comptroller's tables are there, whatever made them."""
    return table_is_there(conn, "incidents") or current_revision(conn) is not None


def head_revision() -> str:
    """Return the revision that this version of the program needs."""
    newest = max(path.stem for path in (_MIGRATIONS / "versions").glob("[0-9]*.py"))
    return newest.split("_", 1)[0]


def require_head(conn: Connection) -> None:
    """Check that the schema is the one that this version needs.

    Raises:
        SchemaBehindError: If it is older, newer or absent.
    """
    found, needed = current_revision(conn), head_revision()
    if found != needed:
        where = conn.engine.url.render_as_string(hide_password=True)
        raise SchemaBehindError(
            f"schema of {where} is {found or 'absent'}, this version needs {needed}: run comptroller db upgrade"
        )


def _alembic_config() -> Any:
    from alembic.config import Config  # noqa: PLC0415 — heavy, needed by few verbs

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config
