"""The one translator of failures of mandatory writes, and the commit guard of sessions.

``mandatory`` opens the only way to a mandatory write. Whatever goes wrong inside leaves as ``GovernanceError``
with its cause chained, and from then on neither the session nor its connection commits until the whole
transaction is rolled back.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, event
from sqlalchemy.orm import Session, SessionTransaction, scoped_session

from comptroller import metrics
from comptroller.errors.governance import GovernanceError
from comptroller.transaction import KEY, attach, begin_immediate, is_autocommit, refusal, state_of

_SQL_LIMIT: Final = 300


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

    The caller's pending rows are flushed first; an error of theirs passes unchanged.

    Raises:
        GovernanceError: If anything inside fails, or the session cannot keep the promise (autocommit, two
            connections without two-phase commit, a transaction that is already broken, use by two tasks at once).
    """
    if isinstance(session, scoped_session):
        session = session()
    state: _SessionState = session.info.setdefault(KEY, _SessionState())
    if not state.busy and state.broken is None:
        session.flush()  # the caller's rows first, so that their errors stay theirs and ours see their rows
    was_busy, state.busy = state.busy, True
    try:
        yield _safe_connection(session, state, mapper, is_busy=was_busy)
    except BaseException as error:
        entity = entity_id if isinstance(entity_id, str) or entity_id is None else repr(entity_id)
        broken = _translated(error, domain, operation, entity)
        _break(session, state, broken)
        metrics.governance_invariant_violations_total.labels(domain=domain, operation=operation).inc()
        if broken is error or not isinstance(error, Exception):
            raise
        raise broken from error
    finally:
        state.busy = was_busy


def note(conn: Connection, count: Callable[[], None]) -> None:
    """Remember what to count when, and only when, the connection has really committed."""
    state_of(conn).facts.append(count)


def _safe_connection(session: Session, state: _SessionState, mapper: type[Any], *, is_busy: bool) -> Connection:
    if is_busy:
        raise RuntimeError("the session is in the middle of another mandatory write; give each task its own session")
    if state.broken is not None:
        raise refusal(state.broken)
    conn = session.connection(bind_arguments={"mapper": mapper})
    own = attach(conn)
    if own.broken is not None:
        raise refusal(own.broken)
    if is_autocommit(conn):
        raise RuntimeError("the connection is in AUTOCOMMIT: use a transactional isolation level")
    if _spans_connections(session):
        raise RuntimeError("the session has two connections: use one, or Session(twophase=True)")
    begin_immediate(conn)
    return conn


def _spans_connections(session: Session) -> bool:
    root = session.get_transaction()
    # The dictionary holds each connection twice, by itself and by its engine.
    return root is not None and len(root._connections) > 2 and not session.twophase  # noqa: SLF001, PLR2004 — no public way


def _translated(error: BaseException, domain: str, operation: str, entity_id: str | None) -> GovernanceError:
    if isinstance(error, GovernanceError):
        return error
    text = str(getattr(error, "orig", None) or error) or type(error).__name__
    first = " ".join(text.split())
    message = first if len(first) <= _SQL_LIMIT else first[:_SQL_LIMIT] + "…"
    return GovernanceError(message, domain, operation, entity_id)


def _break(session: Session, state: _SessionState, broken: GovernanceError) -> None:
    state.broken = broken
    root = session.get_transaction()
    if root is None:
        # Nothing is begun: whatever the session begins next must not be committed either.
        session.begin()
        return
    for conn in [key for key in root._connections if isinstance(key, Connection)]:  # noqa: SLF001 — no public way
        if not conn.invalidated and not conn.closed:
            attach(conn).broken = broken


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
