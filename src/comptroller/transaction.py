"""What a connection must keep while mandatory rows are in its transaction.

Listeners on an engine refuse to commit a broken transaction, count facts after a real commit, and mend what
SQLite's drivers do to transactions: a SAVEPOINT without BEGIN, a failed COMMIT left open, a read that upgrades.
``attach`` may meet an engine at any time, also when one of its connections is in the middle of a transaction.
"""

import re
from collections.abc import Callable
from typing import Any, Final
from weakref import WeakSet

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import ExceptionContext

from comptroller.errors.governance import GovernanceError

KEY: Final = "comptroller"
OWN: Final = "comptroller_own"
OUTSIDE: Final = "comptroller_outside_transaction"
_ENDS: Final = re.compile(r"\s*(COMMIT|END|PREPARE\s+TRANSACTION)\b", re.IGNORECASE)
_READS: Final = re.compile(r"\s*(SELECT|EXPLAIN)\b", re.IGNORECASE)
_UNBEGUN: Final = re.compile(r"\s*(PRAGMA|BEGIN|VACUUM|ATTACH|DETACH)\b", re.IGNORECASE)
_RELEASE: Final = re.compile(r"\s*RELEASE\s+(?:SAVEPOINT\s+)?\"?(\w+)", re.IGNORECASE)
_PSYCOPG_INERROR: Final = 3
_guarded: WeakSet[Engine] = WeakSet()

Fact = Callable[[], None]


class ConnectionState:
    """What is pending on one driver connection: facts to count, or the error that forbids to commit."""

    __slots__ = ("broken", "committing", "facts", "keeps_savepoints", "marks")

    def __init__(self) -> None:
        self.broken: GovernanceError | None = None
        self.facts: list[Fact] = []
        self.committing: list[Fact] = []
        self.marks: list[int] = []
        self.keeps_savepoints = 0

    def clear(self) -> None:
        """Forget everything: the transaction was rolled back as a whole."""
        self.broken = None
        self.facts.clear()
        self.committing.clear()
        self.marks.clear()
        self.keeps_savepoints = 0

    def settle(self) -> None:
        """Count what is known to be committed."""
        committed, self.committing = self.committing, []
        for count in committed:
            count()


def state_of(conn: Connection) -> ConnectionState:
    """Return the connection's state, making it at first use."""
    state: ConnectionState | None = conn.info.get(KEY)
    if state is None:
        state = conn.info[KEY] = ConnectionState()
    return state


def driver_in_transaction(conn: Connection) -> bool:
    """Tell whether SQLite's driver itself has a transaction open."""
    return bool(conn.connection.driver_connection.in_transaction)  # type: ignore[union-attr]  # every SQLite driver has it


def attach(conn: Connection) -> ConnectionState:
    """Make a connection's engine safe, whoever made it, and return the connection's state."""
    engine = _base_engine(conn.engine)
    if engine not in _guarded:
        guard_engine(engine)
        if conn.dialect.name == "sqlite" and conn.in_nested_transaction():
            # This savepoint may be the driver's outermost: its RELEASE would commit. An open savepoint is harmless.
            state_of(conn).keeps_savepoints = 1
    return state_of(conn)


def _base_engine(engine: Engine) -> Engine:
    while (proxied := getattr(engine, "_proxied", None)) is not None:
        engine = proxied
    return engine


def guard_engine(engine: Engine) -> None:
    """Attach every listener to an engine; doing it twice changes nothing."""
    if engine in _guarded:
        return
    _guarded.add(engine)
    event.listen(engine, "begin", _on_begin)
    event.listen(engine, "commit", _on_commit)
    event.listen(engine, "prepare_twophase", lambda conn, _xid: _refuse_if_broken(conn))
    event.listen(engine, "commit_twophase", lambda conn, _xid, _prepared: _on_commit(conn))
    event.listen(engine, "rollback", _on_rollback)
    event.listen(engine, "rollback_twophase", lambda conn, _xid, _prepared: _on_rollback(conn))
    event.listen(engine, "savepoint", _on_savepoint)
    event.listen(engine, "rollback_savepoint", _on_rollback_savepoint)
    event.listen(engine, "release_savepoint", _on_release_savepoint)
    event.listen(engine, "handle_error", _on_error)
    event.listen(engine, "before_cursor_execute", _before_execute, retval=True)
    event.listen(engine.pool, "checkin", _on_checkin)


def begin_immediate(conn: Connection) -> None:
    """On SQLite, hold the write lock from here on, unless a transaction is already open."""
    if conn.dialect.name == "sqlite" and not driver_in_transaction(conn):
        conn.exec_driver_sql("BEGIN IMMEDIATE")


def is_autocommit(conn: Connection) -> bool:
    """Tell whether each statement of this connection commits by itself."""
    if conn.dialect.name == "sqlite":
        level = conn.get_execution_options().get("isolation_level")
        return "AUTOCOMMIT" in (level, level or getattr(conn.dialect, "_on_connect_isolation_level", None))
    return bool(getattr(conn.connection.driver_connection, "autocommit", False))


def _on_begin(conn: Connection) -> None:
    state: ConnectionState | None = conn.info.get(KEY)
    if state is not None:
        state.settle()
        state.clear()
    if conn.dialect.name == "sqlite" and driver_in_transaction(conn):
        # A COMMIT that failed earlier left its rows behind; the next commit would make them durable.
        conn.engine.dialect.do_rollback(conn.connection)


def _on_commit(conn: Connection) -> None:
    _refuse_if_broken(conn)
    state: ConnectionState | None = conn.info.get(KEY)
    if state is not None:
        state.committing, state.facts = state.facts, []


def _refuse_if_broken(conn: Connection) -> None:
    state: ConnectionState | None = conn.info.get(KEY)
    if state is None:
        return
    if state.broken is None and state.facts and _is_lost(conn):
        state.broken = GovernanceError(
            "the database already ended the transaction that held a mandatory write; roll back and begin again",
            operation="commit",
        )
    if state.broken is not None:
        broken = state.broken
        # The transaction becomes inactive by this refusal, and an inactive one is no longer rolled back by itself.
        conn.engine.dialect.do_rollback(conn.connection)
        raise refusal(broken)


def refusal(broken: GovernanceError) -> GovernanceError:
    """Return the error with which a commit is refused; its cause is what broke the transaction."""
    error = GovernanceError(
        f"commit refused, roll back the whole transaction: {broken.message}",
        broken.domain,
        broken.operation,
        broken.entity_id,
    )
    error.__cause__ = broken
    return error


def _is_lost(conn: Connection) -> bool:
    if conn.dialect.name == "sqlite":
        return not driver_in_transaction(conn)
    info = getattr(conn.connection.driver_connection, "info", None)
    return info is not None and info.transaction_status == _PSYCOPG_INERROR


def _on_rollback(conn: Connection) -> None:
    state: ConnectionState | None = conn.info.get(KEY)
    if state is not None:
        state.clear()


def _on_savepoint(conn: Connection, name: str | None) -> None:  # noqa: ARG001 — the event's signature
    state_of(conn).marks.append(len(state_of(conn).facts))


def _on_rollback_savepoint(conn: Connection, name: str, context: object) -> None:  # noqa: ARG001 — the event's signature
    state = state_of(conn)
    if state.marks:
        del state.facts[state.marks.pop() :]
    else:
        state.facts.clear()


def _on_release_savepoint(conn: Connection, name: str, context: object) -> None:  # noqa: ARG001 — the event's signature
    state = state_of(conn)
    if state.marks:
        state.marks.pop()


def _on_error(context: ExceptionContext) -> None:
    conn = context.connection
    if conn is not None and context.statement is None and not conn.invalidated and not conn.closed:
        state: ConnectionState | None = conn.info.get(KEY)
        if state is not None:
            state.committing.clear()


def _before_execute(conn: Connection, _cursor: Any, statement: str, *rest: Any) -> tuple[str, Any]:
    parameters, context, _executemany = rest
    info = conn.info
    state: ConnectionState | None = info.get(KEY)
    if state is not None and state.broken is not None and _ENDS.match(statement):
        raise refusal(state.broken)
    if conn.dialect.name == "sqlite":
        if state is not None and state.keeps_savepoints and _RELEASE.match(statement):
            return "SELECT 1", ()
        outside = context is not None and context.execution_options.get(OUTSIDE, False)
        if not outside and not _UNBEGUN.match(statement) and not driver_in_transaction(conn):
            _begin_sqlite(conn, statement, is_own=OWN in info)
    return statement, parameters


def _begin_sqlite(conn: Connection, statement: str, *, is_own: bool) -> None:
    """Begin by ourselves where the driver would not, or too late."""
    if is_own:
        conn.exec_driver_sql("BEGIN" if _READS.match(statement) else "BEGIN IMMEDIATE")
    elif statement.lstrip()[:9].upper() == "SAVEPOINT":
        conn.exec_driver_sql("BEGIN IMMEDIATE")


def _on_checkin(dbapi_connection: Any, record: Any) -> None:
    state: ConnectionState | None = record.info.get(KEY)
    if state is not None:
        state.settle()
        state.clear()
    if dbapi_connection is None:
        return
    driver = getattr(dbapi_connection, "driver_connection", None) or dbapi_connection
    if getattr(driver, "in_transaction", False):
        dbapi_connection.rollback()
