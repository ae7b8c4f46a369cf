"""The one translator of failures of mandatory writes, and the commit guard of sessions.

``mandatory`` opens the only way to a mandatory write. Whatever goes wrong inside leaves as ``GovernanceError``
with its cause chained, and from then on neither the session nor its connection commits until the whole
transaction is rolled back.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar, cast

from sqlalchemy import Connection, event
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session
from sqlalchemy.orm import Session, SessionTransaction, scoped_session

from comptroller import metrics
from comptroller.checks import shown
from comptroller.errors.governance import GovernanceError
from comptroller.transaction import KEY, ConnectionState, attach, begin_immediate, is_autocommit, refusal, state_of

_SQL_LIMIT: Final = 300
# What is known of a driver (parameters, autocommit, lost transactions) is tested for these.
_DRIVERS: Final = frozenset({"pysqlite", "aiosqlite", "psycopg", "psycopg_async"})

T = TypeVar("T")


class _SessionState:
    """What one session keeps from its first mandatory write to the end of its transaction."""

    __slots__ = ("broken", "busy")

    def __init__(self) -> None:
        self.broken: GovernanceError | None = None
        self.busy = False


@contextmanager
def mandatory(
    session: Session | scoped_session[Session], *, domain: str, operation: str, entity_id: object, mapper: type[Any]
) -> Iterator[Connection]:
    """Yield the session's own connection for a mandatory write, and turn any failure into GovernanceError.

    The caller's pending rows are flushed first; an error of theirs passes unchanged, and cannot be committed either.

    Raises:
        GovernanceError: If anything inside fails, or the session cannot keep the promise (autocommit, two
            connections without two-phase commit, a transaction that is already broken, use by two tasks at once).
    """
    if isinstance(session, scoped_session):
        session = session()
    entity = entity_id if isinstance(entity_id, str) or entity_id is None else shown(entity_id)
    if not isinstance(session, Session):
        raise _counted(_wrong_session(session, domain, operation, entity))
    state = _state_of_session(session)
    _flush_callers_rows(session, state, domain=domain, operation=operation, entity=entity)
    was_busy, state.busy = state.busy, True
    try:
        conn, own = _safe_connection(session, state, mapper, is_busy=was_busy)
        yield conn
        own.facts.append(_nothing)  # so that its loss is noticed, also where there is nothing to count
    except BaseException as error:
        broken = _translated(error, domain, operation, entity)
        _break(session, state, broken)
        _counted(broken)
        if broken is error or not isinstance(error, Exception):
            raise
        raise broken from error
    finally:
        state.busy = was_busy


async def bridged(session: AsyncSession | async_scoped_session[Any], body: Callable[..., T], *arguments: Any) -> T:
    """Run a sync body over an async session; what is no async session reaches the body's guard and is refused there."""
    if isinstance(session, async_scoped_session):
        session = session()
    if isinstance(session, AsyncSession):
        return await session.run_sync(body, *arguments)
    return body(cast("Any", type(session)), *arguments)


def note(conn: Connection, count: Callable[[], None]) -> None:
    """Remember what to count when, and only when, the connection has really committed."""
    state_of(conn).facts.append(count)


def _nothing() -> None:
    """Count nothing."""


def _counted(error: GovernanceError) -> GovernanceError:
    metrics.governance_invariant_violations_total.labels(domain=error.domain, operation=error.operation).inc()
    return error


def _wrong_session(session: object, domain: str, operation: str, entity_id: str | None) -> GovernanceError:
    error = GovernanceError(
        f"session must be a Session (an AsyncSession for the async function), not {shown(session)}",
        domain,
        operation,
        entity_id,
    )
    error.__cause__ = TypeError(error.message)
    return error


def _state_of_session(session: Session) -> _SessionState:
    state: _SessionState | None = session.info.get(KEY)
    if state is None:
        state = session.info[KEY] = _SessionState()
    return state


def _flush_callers_rows(session: Session, state: _SessionState, **about: Any) -> None:
    # Their errors stay theirs, and ours see their rows. Inside a flush (a session event) the rows are on their way.
    if state.busy or state.broken is not None or session._flushing:  # noqa: SLF001 — no public way
        return
    try:
        session.flush()  # theirs before ours
    except BaseException as error:
        lost = GovernanceError(
            f"not written, because the caller's own rows could not be flushed: {_message(error)}",
            about["domain"],
            about["operation"],
            about["entity"],
        )
        lost.__cause__ = error
        _break(session, state, lost)
        raise


def _safe_connection(
    session: Session, state: _SessionState, mapper: type[Any], *, is_busy: bool
) -> tuple[Connection, ConnectionState]:
    if is_busy:
        raise RuntimeError("the session is in the middle of another mandatory write; give each task its own session")
    if state.broken is not None:
        raise _is_broken(state.broken)
    conn = session.connection(bind_arguments={"mapper": mapper})
    if conn.dialect.driver not in _DRIVERS:
        raise RuntimeError(f"driver {conn.dialect.driver} is not supported: use sqlite, aiosqlite or psycopg")
    own = attach(conn)
    if own.broken is not None:
        raise _is_broken(own.broken)
    if own.is_anothers(conn):
        raise RuntimeError("the connection is in another session's transaction: give each session its own connection")
    if is_autocommit(conn):
        raise RuntimeError("the connection is in AUTOCOMMIT: use a transactional isolation level")
    if _spans_connections(session):
        raise RuntimeError("the session has two connections: use one, or Session(twophase=True)")
    begin_immediate(conn)
    return conn, own


def _is_broken(broken: GovernanceError) -> RuntimeError:
    error = RuntimeError(f"the transaction is already broken, roll back the whole of it: {broken.message}")
    error.__cause__ = broken
    return error


def _spans_connections(session: Session) -> bool:
    root = session.get_transaction()
    # The dictionary holds each connection twice, by itself and by its engine.
    return root is not None and len(root._connections) > 2 and not session.twophase  # noqa: SLF001, PLR2004 — no public way


def _translated(error: BaseException, domain: str, operation: str, entity_id: str | None) -> GovernanceError:
    if isinstance(error, GovernanceError) and error.operation == operation:
        return error
    return GovernanceError(_message(error), domain, operation, entity_id)


def _message(error: BaseException) -> str:
    said = error.message if isinstance(error, GovernanceError) else str(getattr(error, "orig", None) or error)
    first = " ".join(said.split()) or type(error).__name__
    return first if len(first) <= _SQL_LIMIT else first[:_SQL_LIMIT] + "…"


def _break(session: Session, state: _SessionState, broken: GovernanceError) -> None:
    if state.broken is None:
        state.broken = broken
    root = session.get_transaction()
    if root is None:
        _begin_broken(session)
        return
    for conn in [key for key in root._connections if isinstance(key, Connection)]:  # noqa: SLF001 — no public way
        if not conn.invalidated and not conn.closed:
            own = attach(conn)
            own.broken = own.broken or state.broken


def _begin_broken(session: Session) -> None:
    """Begin where nothing is begun, so that what the session does next is in the broken transaction too."""
    try:
        session.begin()
    except InvalidRequestError:
        return  # the session is closed for good and will never commit


@event.listens_for(Session, "after_begin")
def _mark_connection(session: Session, transaction: SessionTransaction, conn: Connection) -> None:  # noqa: ARG001 — the event's signature
    state: _SessionState | None = session.info.get(KEY)
    if state is not None and state.broken is not None:
        attach(conn).broken = state.broken


@event.listens_for(Session, "before_commit")
def _refuse_commit(session: Session) -> None:
    state: _SessionState | None = session.info.get(KEY)
    if state is None:
        return
    if state.broken is not None:
        raise refusal(state.broken)
    if _spans_connections(session):
        error = GovernanceError(
            "the session got a second connection after a mandatory write: use one, or Session(twophase=True)",
            operation="commit",
        )
        _break(session, state, error)
        raise refusal(error)


@event.listens_for(Session, "after_transaction_end")
def _lift(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(KEY, None)
