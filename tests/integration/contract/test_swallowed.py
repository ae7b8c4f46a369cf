"""Every way we know to swallow a GovernanceError and commit all the same; docs/contracts/residuals.md names the rest.

Each way is tried twice: with a call that succeeds, where its row must be committed (so the way is a real one), and
with a call that fails, where nothing may be.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import pytest
from sqlalchemy import DDL, Connection, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from comptroller.errors import GovernanceError
from comptroller.models.policy_control_plane import TenantPolicy
from comptroller.spine.drivers.cross_domain import create_incident_from_cost_anomaly_sync
from contract_calls import ANOMALY, fail, filled, open_incident
from sessions import Governed, SessionKind

COMMITTED = "SELECT count(*) FROM tenant_policies"
Act = Callable[[Session], None]


@dataclass(frozen=True)
class Way:
    attempt: Callable[[Session, Act], object]
    only: str = ""

    def fits(self, governed: Governed) -> bool:
        if self.only == "two-phase":
            prepared = "SELECT setting FROM pg_settings WHERE name = 'max_prepared_transactions'"
            return governed.dialect == "postgresql" and governed.committed(prepared) != [("0",)]
        return self.only in {"", governed.dialect} or (self.only == "sync" and not governed.is_async)


WAYS: dict[str, Way] = {}


def way(only: str = "") -> Callable[[Callable[[Session, Act], object]], Callable[[Session, Act], object]]:
    def register(attempt: Callable[[Session, Act], object]) -> Callable[[Session, Act], object]:
        WAYS[attempt.__name__] = Way(attempt, only)
        return attempt

    return register


def run(session: Session, statement: str, **values: object) -> None:
    Session.execute(session, text(statement), values)


def business(session: Session) -> None:
    Session.execute(session, filled(TenantPolicy.__table__, tenant_id="acme"))


def succeeding(session: Session) -> None:
    business(session)
    create_incident_from_cost_anomaly_sync(session, **ANOMALY)


def swallowing(session: Session) -> None:
    business(session)
    failing(session)


def failing(session: Session) -> None:
    error: GovernanceError | None = None
    try:
        create_incident_from_cost_anomaly_sync(session, **{**ANOMALY, "severity": "DREADFUL"})
    except GovernanceError as swallowed:
        error = swallowed
    assert error is not None


@way()
def commit(session: Session, act: Act) -> None:
    act(session)
    session.commit()


@way()
def commit_again_after_the_refusal(session: Session, act: Act) -> None:
    act(session)
    with suppress(GovernanceError):
        session.commit()
    session.commit()


@way()
def commit_in_a_finally_block(session: Session, act: Act) -> None:
    try:
        act(session)
    finally:
        session.commit()


@way()
def flush_and_commit(session: Session, act: Act) -> None:
    act(session)
    session.flush()
    session.commit()


@way()
def more_work_and_commit(session: Session, act: Act) -> None:
    act(session)
    run(session, "UPDATE tenant_policies SET version = 2")
    session.commit()


@way()
def forget_the_objects_and_commit(session: Session, act: Act) -> None:
    act(session)
    session.expire_all()
    session.expunge_all()
    session.commit()


@way()
def without_autoflush(session: Session, act: Act) -> None:
    with session.no_autoflush:
        act(session)
    session.commit()


@way()
def begin_block(session: Session, act: Act) -> None:
    with session.begin():
        act(session)


@way()
def commit_the_sessions_transaction(session: Session, act: Act) -> None:
    act(session)
    transaction = session.get_transaction()
    assert transaction is not None
    transaction.commit()


@way()
def connection_commit(session: Session, act: Act) -> None:
    act(session)
    session.connection().commit()


@way()
def connections_transaction_commit(session: Session, act: Act) -> None:
    act(session)
    transaction = session.connection().get_transaction()
    assert transaction is not None
    transaction.commit()


@way()
def call_again_and_commit(session: Session, act: Act) -> None:
    act(session)
    with suppress(GovernanceError):
        create_incident_from_cost_anomaly_sync(session, **{**ANOMALY, "anomaly_id": "anomaly-2"})
    session.commit()


@way()
def savepoint_block(session: Session, act: Act) -> None:
    with session.begin_nested():
        act(session)
    session.commit()


@way()
def savepoint_released_by_hand(session: Session, act: Act) -> None:
    business_is_outside = session.begin_nested()
    act(session)
    business_is_outside.commit()
    session.connection().commit()


@way()
def savepoint_rolled_back_afterwards(session: Session, act: Act) -> None:
    act(session)
    session.begin_nested().rollback()
    session.commit()


@way()
def connection_savepoint_rolled_back_afterwards(session: Session, act: Act) -> None:
    act(session)
    session.connection().begin_nested().rollback()
    session.connection().commit()


@way()
def savepoint_in_a_savepoint(session: Session, act: Act) -> None:
    with session.begin_nested(), session.begin_nested():
        act(session)
    session.commit()


@way()
def savepoint_by_text(session: Session, act: Act) -> None:
    run(session, "SAVEPOINT mine")
    act(session)
    run(session, "RELEASE SAVEPOINT mine")
    session.connection().commit()


@way()
def commit_by_text(session: Session, act: Act) -> None:
    act(session)
    run(session, "COMMIT")


@way()
def commit_by_text_in_lower_case(session: Session, act: Act) -> None:
    act(session)
    run(session, "  commit;  ")


@way()
def end_by_text(session: Session, act: Act) -> None:
    act(session)
    run(session, "END TRANSACTION")


@way()
def commit_behind_a_comment(session: Session, act: Act) -> None:
    act(session)
    run(session, "/* why */ -- and how\n COMMIT")


@way("postgresql")
def commit_behind_a_nested_comment(session: Session, act: Act) -> None:
    act(session)
    run(session, "/* a /* b */ c */ COMMIT")


@way("postgresql")
def commit_behind_another_statement(session: Session, act: Act) -> None:
    act(session)
    run(session, "SELECT 1; COMMIT")


@way("postgresql")
def commit_and_chain(session: Session, act: Act) -> None:
    act(session)
    run(session, "COMMIT AND CHAIN")


@way()
def commit_by_driver_statement(session: Session, act: Act) -> None:
    act(session)
    session.connection().exec_driver_sql("COMMIT")


@way()
def commit_by_ddl(session: Session, act: Act) -> None:
    act(session)
    session.connection().execute(DDL("COMMIT"))


@way()
def session_info_cleared(session: Session, act: Act) -> None:
    act(session)
    session.info.clear()
    session.commit()


@way()
def connection_info_cleared(session: Session, act: Act) -> None:
    act(session)
    session.connection().info.clear()
    session.commit()


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


def test_ways_are_at_least_thirty():
    assert len(WAYS) >= 30


@pytest.mark.parametrize("session_kind", [SessionKind.SQLALCHEMY, SessionKind.SQLMODEL_ASYNC], indirect=True)
@pytest.mark.parametrize("name", WAYS)
def test_swallowed_error_is_not_committed_this_way(governed: Governed, name: str):
    if not WAYS[name].fits(governed):
        pytest.skip(f"only for {WAYS[name].only}")
    with suppress(GovernanceError, SQLAlchemyError):
        governed.run(lambda session: WAYS[name].attempt(session, swallowing))
    governed.close()
    assert governed.committed(COMMITTED) == [(0,)]
    other = governed.another()
    other.run(lambda session: WAYS[name].attempt(session, succeeding))
    other.close()
    assert governed.committed(COMMITTED) == [(1,)]


def test_refusal_names_the_first_error_and_the_mend(governed: Governed):
    with pytest.raises(GovernanceError) as caught:
        fail(governed)
    with pytest.raises(GovernanceError, match="commit refused, roll back the whole transaction: severity") as refused:
        governed.commit()
    assert refused.value.__cause__ is caught.value
    assert (refused.value.operation, refused.value.entity_id) == ("create_incident_from_cost_anomaly", "anomaly-1")


def test_after_the_rollback_the_session_works_again(governed: Governed):
    for commit_refused in (governed.commit, governed.commit_connection, lambda: governed.execute("COMMIT")):
        with pytest.raises(GovernanceError):
            fail(governed)
        with pytest.raises(GovernanceError, match="commit refused"):
            commit_refused()
        governed.rollback()
    open_incident(governed)
    governed.commit()
    assert governed.committed("SELECT count(*) FROM incidents") == [(1,)]


def test_close_and_the_next_user_of_the_connection_commits_nothing_of_it(governed: Governed):
    governed.run(swallowing)
    governed.close()
    other = governed.another()
    other.execute("SELECT 1")
    other.commit()
    assert governed.committed(COMMITTED) == [(0,)]


def test_error_in_a_broken_transaction_is_the_second_calls_own(governed: Governed):
    with pytest.raises(GovernanceError) as first:
        fail(governed)
    with pytest.raises(GovernanceError, match="already broken, roll back the whole of it: severity") as second:
        open_incident(governed, anomaly_id="anomaly-2")
    assert second.value.entity_id == "anomaly-2"
    assert second.value.__cause__ is not None
    assert second.value.__cause__.__cause__ is first.value


def test_refused_connection_leaves_nothing_for_the_sessions_commit(governed: Governed):
    governed.run(swallowing)
    for commit_refused in (governed.commit_connection, governed.commit, governed.commit):
        with pytest.raises((GovernanceError, SQLAlchemyError)):
            commit_refused()
    governed.close()
    assert governed.committed(COMMITTED) == [(0,)]


def test_connection_cannot_become_autocommit_to_evade(governed: Governed):
    governed.run(swallowing)

    def evade(connection: Connection) -> None:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("SELECT 1")

    with pytest.raises(SQLAlchemyError):
        governed.on_connection(evade)
    with pytest.raises(GovernanceError):
        governed.commit()
    governed.close()
    assert governed.committed(COMMITTED) == [(0,)]


def test_residual_commit_by_the_driver_itself_is_not_seen(governed: Governed):
    # docs/contracts/residuals.md: whoever takes the driver's connection in hand has left SQLAlchemy.
    governed.run(swallowing)

    def behind(connection: Connection) -> None:
        connection.connection.commit()

    governed.on_connection(behind)
    governed.close()
    assert governed.committed(COMMITTED) == [(1,)]
