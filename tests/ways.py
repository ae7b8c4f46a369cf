"""Every way we know to swallow a GovernanceError and commit all the same."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import DDL, text
from sqlalchemy.orm import Session

from comptroller.errors import GovernanceError
from comptroller.models.policy_control_plane import TenantPolicy
from comptroller.spine.drivers.cross_domain import create_incident_from_cost_anomaly_sync
from contract_calls import ANOMALY, filled
from sessions import Governed

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
