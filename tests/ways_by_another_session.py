"""Ways to commit a swallowed GovernanceError by another session, connection, thread or phase."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from ways import WAYS, Act, business, failing, run, succeeding, way

__all__ = ["WAYS"]


@way()
def other_session_on_the_same_connection(session: Session, act: Act) -> None:
    act(session)
    other = type(session)(bind=session.connection(), join_transaction_mode="control_fully")
    run(other, "SELECT 1")
    other.commit()


@way()
def other_session_on_the_same_connection_works_first(session: Session, act: Act) -> None:
    other = type(session)(bind=session.connection(), join_transaction_mode="rollback_only")
    act(other)
    other.close()
    session.commit()


@contextmanager
def connected(session: Session) -> Iterator[Connection]:
    with session.get_bind().connect() as connection:  # type: ignore[union-attr]  # it is an engine
        yield connection


@way()
def sessions_rollback_inside_a_savepoint_of_the_connection(session: Session, act: Act) -> None:
    with connected(session) as connection, connection.begin() as transaction:
        if act is succeeding:
            act(type(session)(bind=connection))
        else:
            business(type(session)(bind=connection, join_transaction_mode="control_fully"))
            inner = type(session)(bind=connection, join_transaction_mode="create_savepoint")
            failing(inner)
            inner.rollback()
        transaction.commit()


@way()
def connection_that_outlives_the_session(session: Session, act: Act) -> None:
    with connected(session) as connection:
        with type(session)(bind=connection, join_transaction_mode="rollback_only") as inner:
            act(inner)
            inner.commit()
        connection.commit()


@way()
def engine_begin_block(session: Session, act: Act) -> None:
    with session.get_bind().begin() as connection:  # type: ignore[union-attr]  # it is an engine
        inner = type(session)(bind=connection)
        act(inner)
        inner.commit()


@way()
def sessionmaker_begin_block(session: Session, act: Act) -> None:
    with sessionmaker(session.get_bind(), class_=type(session)).begin() as inner:
        act(inner)


@way()
def scoped_session_commit(session: Session, act: Act) -> None:
    scoped = scoped_session(sessionmaker(session.get_bind(), class_=type(session)))
    try:
        act(scoped())
        scoped.commit()
    finally:
        scoped.remove()


@way("sync")
def commit_in_another_thread(session: Session, act: Act) -> None:
    if session.get_bind().dialect.name == "sqlite":
        act(session)
        session.commit()
        return
    with ThreadPoolExecutor(1) as pool:
        pool.submit(act, session).result()
        pool.submit(session.commit).result()


@way("two-phase")
def two_phase_prepare_and_commit(session: Session, act: Act) -> None:
    with type(session)(session.get_bind(), twophase=True) as inner:
        act(inner)
        inner.prepare()
        inner.commit()


@way("two-phase")
def two_phase_commit_of_the_connection(session: Session, act: Act) -> None:
    with connected(session) as connection, connection.begin_twophase() as transaction:
        act(type(session)(bind=connection))
        transaction.prepare()
        transaction.commit()
