"""What a connection must keep while mandatory rows are in its transaction.

Listeners on an engine refuse to commit a broken transaction, count facts after a real commit, and mend what
SQLite's drivers do to transactions: a SAVEPOINT without BEGIN, a failed COMMIT left open, a read that upgrades.
``attach`` may meet an engine at any time, also when one of its connections is in the middle of a transaction.
"""

from collections.abc import Callable
from typing import Any, Final
from weakref import WeakSet, ref

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import ExceptionContext

from comptroller.errors.governance import GovernanceError
from comptroller.statements import Kind, ends_transaction, kind_of

KEY: Final = "comptroller"
OWN: Final = "comptroller_own"
OUTSIDE: Final = "comptroller_outside_transaction"
_LIVE_STATUSES: Final = (1, 2)  # libpq's ACTIVE and INTRANS
_guarded: WeakSet[Engine] = WeakSet()

Fact = Callable[[], None]


class ConnectionState:
    """What is pending on one driver connection: facts to count, or the error that forbids to commit."""

    __slots__ = ("broken", "committing", "facts", "keeps_savepoints", "marks", "owner")

    def __init__(self) -> None:
        self.broken: GovernanceError | None = None
        self.facts: list[Fact] = []
        self.committing: list[Fact] = []
        self.marks: list[tuple[str, int]] = []
        self.keeps_savepoints = False
        self.owner: ref[Connection] | None = None

    def clear(self) -> None:
        """Forget everything: the transaction was rolled back as a whole."""
        self.broken = None
        self.facts.clear()
        self.committing.clear()
        self.marks.clear()
        self.keeps_savepoints = False

    def settle(self) -> None:
        """Count what is known to be committed."""
        committed, self.committing = self.committing, []
        for count in committed:
            count()

    def is_anothers(self, conn: Connection | None) -> bool:
        """Tell whether another connection object has a transaction on this driver connection."""
        owner = None if self.owner is None else self.owner()
        return owner is not None and owner is not conn and owner.in_transaction()

    def roll_back_to(self, name: str) -> None:
        """Forget the facts since a savepoint; one that was never seen takes all."""
        index = self._index(name)
        del self.facts[self.marks[index][1] if index >= 0 else 0 :]
        del self.marks[index + 1 :]

    def release(self, name: str) -> None:
        """Forget a savepoint and those inside it, not the facts."""
        index = self._index(name)
        if index >= 0:
            del self.marks[index:]

    def _index(self, name: str) -> int:
        return next((at for at in reversed(range(len(self.marks))) if self.marks[at][0] == name), -1)


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
    state = state_of(conn)
    if engine not in _guarded:
        guard_engine(engine)
        # This savepoint may be the driver's outermost: its RELEASE would commit. An open savepoint is harmless.
        state.keeps_savepoints = conn.dialect.name == "sqlite" and conn.in_nested_transaction()
    if state.owner is None or not state.is_anothers(conn):
        state.owner = ref(conn)
    return state


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
    event.listen(engine, "begin_twophase", lambda conn, _xid: _on_begin(conn))
    event.listen(engine, "commit", _on_commit)
    event.listen(engine, "prepare_twophase", lambda conn, _xid: _refuse_if_broken(conn))
    event.listen(engine, "commit_twophase", _on_commit_twophase)
    event.listen(engine, "rollback", _on_rollback)
    event.listen(engine, "rollback_twophase", lambda conn, _xid, _prepared: _on_rollback(conn))
    event.listen(engine, "handle_error", _on_error)
    event.listen(engine, "before_cursor_execute", _before_execute, retval=True)
    event.listen(engine.pool, "checkin", _on_checkin)


def begin_immediate(conn: Connection) -> None:
    """On SQLite, hold the write lock from here on, unless a transaction is already open."""
    if conn.dialect.name == "sqlite" and not driver_in_transaction(conn):
        conn.exec_driver_sql("BEGIN IMMEDIATE")


def is_autocommit(conn: Connection) -> bool:
    """Tell whether each statement of this connection commits by itself."""
    driver_says = getattr(conn.connection.driver_connection, "autocommit", False) is True
    if conn.dialect.name != "sqlite":
        return driver_says
    level = conn.get_execution_options().get("isolation_level")
    return driver_says or (level or getattr(conn.dialect, "_on_connect_isolation_level", None)) == "AUTOCOMMIT"


def _on_begin(conn: Connection) -> None:
    state = state_of(conn)
    if state.is_anothers(conn):
        if state.facts or state.broken is not None:
            raise GovernanceError(
                "this connection carries another session's mandatory write: give each session its own (StaticPool and "
                "SingletonThreadPool share one)",
                operation="begin",
            )
        return
    state.settle()
    state.clear()
    state.owner = ref(conn)
    if conn.dialect.name == "sqlite" and driver_in_transaction(conn):
        # A COMMIT that failed earlier left its rows behind; the next commit would make them durable.
        conn.engine.dialect.do_rollback(conn.connection)


def _on_commit(conn: Connection) -> None:
    try:
        _refuse_if_broken(conn)
    except GovernanceError:
        # The transaction becomes inactive by this refusal, and an inactive one is no longer rolled back by itself.
        conn.engine.dialect.do_rollback(conn.connection)
        raise
    state = state_of(conn)
    state.committing, state.facts = state.facts, []


def _on_commit_twophase(conn: Connection, xid: object, is_prepared: bool) -> None:  # noqa: FBT001 — the event's signature
    try:
        _refuse_if_broken(conn, may_be_lost=not is_prepared)
    except GovernanceError:
        conn.engine.dialect.do_rollback_twophase(conn, xid, is_prepared)
        raise
    state = state_of(conn)
    state.committing, state.facts = state.facts, []


def _refuse_if_broken(conn: Connection, *, may_be_lost: bool = True) -> None:
    state = state_of(conn)
    if state.broken is None and state.facts and may_be_lost and _is_lost(conn):
        state.broken = _lost("commit")
    if state.broken is not None:
        raise refusal(state.broken)


def _lost(operation: str) -> GovernanceError:
    return GovernanceError(
        "the database already ended the transaction that held a mandatory write; roll back and begin again",
        operation=operation,
    )


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
    return info is not None and info.transaction_status not in _LIVE_STATUSES


def _on_rollback(conn: Connection) -> None:
    if conn.invalidated:  # asking it for anything would reconnect; a new connection begins without a state
        return
    state = state_of(conn)
    if not state.is_anothers(conn):
        state.settle()  # a COMMIT by text came before; a commit that failed has left nothing here
        state.clear()


def _on_error(context: ExceptionContext) -> None:
    conn = context.connection
    if conn is not None and not conn.invalidated and not conn.closed:
        state: ConnectionState | None = conn.info.get(KEY)
        if state is not None:
            state.committing.clear()


def _before_execute(conn: Connection, _cursor: Any, statement: str, *rest: Any) -> tuple[str, Any]:
    parameters, context, _executemany = rest
    info = conn.info
    kind, name = kind_of(statement)
    state: ConnectionState | None = info.get(KEY)
    if state is not None:
        _follow(conn, state, statement, kind, name)
    if conn.dialect.name == "sqlite":
        if kind is Kind.RELEASE and state is not None and state.keeps_savepoints:
            return "SELECT 1", ()
        if kind is Kind.UNBEGUN or (context is not None and context.execution_options.get(OUTSIDE, False)):
            return statement, parameters
        if not driver_in_transaction(conn):
            _begin_sqlite(conn, kind, is_own=OWN in info)
    return statement, parameters


def _follow(conn: Connection, state: ConnectionState, statement: str, kind: Kind, name: str) -> None:
    """Keep the state true while statements end, mark or take back parts of the transaction."""
    if state.committing:
        state.settle()
    if state.broken is not None:
        if ends_transaction(statement):
            raise refusal(state.broken)
    elif state.facts and conn.dialect.name == "sqlite" and not driver_in_transaction(conn):
        # A full disk, among others, makes SQLite end the transaction by itself; what follows would commit alone.
        state.broken = _lost("execute")
        raise refusal(state.broken)
    if kind is Kind.COMMIT:
        state.committing, state.facts = state.facts, []
    elif kind is Kind.ROLLBACK:
        state.facts.clear()
    elif kind is Kind.SAVEPOINT:
        state.marks.append((name, len(state.facts)))
    elif kind is Kind.ROLLBACK_TO:
        state.roll_back_to(name)
    elif kind is Kind.RELEASE:
        state.release(name)


def _begin_sqlite(conn: Connection, kind: Kind, *, is_own: bool) -> None:
    """Begin by ourselves where the driver would not, or too late."""
    if is_own:
        conn.exec_driver_sql("BEGIN" if kind is Kind.READ else "BEGIN IMMEDIATE")
    elif kind is Kind.SAVEPOINT:
        conn.exec_driver_sql("BEGIN IMMEDIATE")


def _on_checkin(dbapi_connection: Any, record: Any) -> None:
    state: ConnectionState | None = record.info.get(KEY)
    if state is not None:
        if state.is_anothers(None):
            return
        state.settle()
        state.clear()
    if dbapi_connection is None:
        return
    driver = getattr(dbapi_connection, "driver_connection", None) or dbapi_connection
    if getattr(driver, "in_transaction", False):
        dbapi_connection.rollback()
