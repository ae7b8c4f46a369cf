from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session, async_sessionmaker
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from comptroller.errors import GovernanceError
from comptroller.models.outbox import OutboxNotice
from comptroller.spine.drivers.cross_domain import (
    create_incident_from_cost_anomaly_sync,
)
from contract_calls import ANOMALY, NOTHING, NOW, OPENED, add_limit, counts, open_incident, record_breach
from sessions import Governed, SessionKind


@pytest.fixture
def stranger(database_url: str) -> Iterator[psycopg.Connection]:
    """Give a connection that stands in the way of others."""
    native = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(native) as connection:
        yield connection


def assert_refused(governed: Governed, cause: type[BaseException], operation: str = "incident") -> GovernanceError:
    """Call, and check that the failure leaves as it must and cannot be committed."""
    call = open_incident if operation == "incident" else record_breach
    with pytest.raises(GovernanceError) as caught:
        call(governed)
    error = caught.value
    assert isinstance(error.__cause__, cause)
    if operation == "incident":
        assert (error.operation, error.entity_id) == ("create_incident_from_cost_anomaly", "anomaly-1")
    else:
        assert (error.operation, error.entity_id) == ("record_limit_breach", "limit-1")
    with pytest.raises(GovernanceError, match="commit refused"):
        governed.commit()
    governed.rollback()
    return error


def test_missing_table_is_told(own_database: None, governed: Governed):
    governed.execute("DROP TABLE outbox")
    governed.commit()
    assert "outbox" in assert_refused(governed, DBAPIError).message
    assert counts_without_outbox(governed) == [(0,)]


def counts_without_outbox(governed: Governed) -> list[object]:
    return governed.committed("SELECT count(*) FROM incidents")


def test_missing_table_of_breaches_is_told(own_database: None, governed: Governed):
    add_limit(governed)
    governed.execute("DROP TABLE limit_breaches")
    governed.commit()
    assert "limit_breaches" in assert_refused(governed, DBAPIError, "breach").message


def test_violated_constraint_is_told(own_database: None, governed: Governed):
    governed.execute("CREATE UNIQUE INDEX one_notice ON outbox (tenant_id)")
    governed.commit()
    open_incident(governed, anomaly_id="the first")
    governed.commit()
    assert_refused(governed, IntegrityError)
    assert counts(governed) == OPENED


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_dead_connection_is_told(governed: Governed, stranger: psycopg.Connection):
    pid = governed.scalar("SELECT pg_backend_pid()")
    stranger.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
    assert_refused(governed, DBAPIError)
    open_incident(governed)
    governed.commit()
    assert counts(governed) == OPENED


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_connection_that_dies_after_the_call_stores_nothing(governed: Governed, stranger: psycopg.Connection):
    open_incident(governed)
    stranger.execute("SELECT pg_terminate_backend(%s, 10000)", [governed.scalar("SELECT pg_backend_pid()")])
    with pytest.raises(DBAPIError):
        governed.commit()
    governed.rollback()
    assert counts(governed) == NOTHING


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("setting", ["lock_timeout", "statement_timeout"])
def test_timeout_is_told_and_the_setting_stays_the_callers(
    governed: Governed, stranger: psycopg.Connection, setting: str
):
    stranger.execute("LOCK TABLE incidents IN ACCESS EXCLUSIVE MODE")
    governed.execute(f"SET {setting} = '20ms'")
    governed.run(Session.commit)
    assert "timeout" in assert_refused(governed, DBAPIError).message
    stranger.rollback()
    open_incident(governed)
    assert governed.scalar(f"SHOW {setting}") == "20ms"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_lock_that_is_not_given_is_told(governed: Governed):
    other = governed.another()
    other.execute("UPDATE tenant_policies SET version = 2")
    governed.execute("PRAGMA busy_timeout = 20")
    assert "locked" in assert_refused(governed, DBAPIError).message
    other.rollback()
    open_incident(governed)
    governed.commit()
    assert counts(governed) == OPENED


def test_read_only_database_is_told(governed: Governed):
    is_postgres = governed.dialect == "postgresql"
    governed.execute("SET TRANSACTION READ ONLY" if is_postgres else "PRAGMA query_only = ON")
    message = assert_refused(governed, DBAPIError).message
    assert "read-only" in message or "readonly" in message
    assert counts(governed) == NOTHING


def test_session_closed_for_good_is_told(governed: Governed):
    options = {"close_resets_only": False}
    governed.session = type(governed.session)(governed.engine, **options)
    governed.result(governed.session.close())
    with pytest.raises(GovernanceError, match="closed") as caught:
        open_incident(governed)
    assert isinstance(caught.value.__cause__, InvalidRequestError)


def test_closed_session_begins_anew(governed: Governed):
    governed.execute("SELECT 1")
    governed.close()
    open_incident(governed)
    governed.commit()
    assert counts(governed) == OPENED


def test_session_that_must_be_begun_by_hand_is_not_begun_for_the_caller(governed: Governed):
    governed.session = type(governed.session)(governed.engine, autobegin=False)
    with pytest.raises(GovernanceError, match="Autobegin is disabled"):
        open_incident(governed)
    with pytest.raises(GovernanceError, match="commit refused"):
        governed.commit()
    governed.rollback()
    governed.result(governed.session.begin()) if not governed.is_async else governed.run(lambda s: s.begin())
    open_incident(governed)
    governed.commit()
    assert counts(governed) == OPENED


def test_session_without_an_engine_is_told(governed: Governed):
    governed.session = type(governed.session)()
    with pytest.raises(GovernanceError, match="bind"):
        open_incident(governed)


@pytest.mark.parametrize("session_kind", [SessionKind.SQLALCHEMY, SessionKind.SQLALCHEMY_ASYNC], indirect=True)
def test_session_of_the_other_kind_is_told(governed: Governed):
    wrong = object.__new__(Session if governed.is_async else AsyncSession)
    plain, governed.session = governed.session, wrong
    with pytest.raises(GovernanceError, match="session must be a Session") as caught:
        open_incident(governed)
    governed.session = plain
    assert isinstance(caught.value.__cause__, TypeError)
    assert caught.value.entity_id == "anomaly-1"


def test_none_for_a_session_is_told(session_kind: SessionKind, governed: Governed):
    governed.session = None
    with pytest.raises(GovernanceError, match="session must be a Session"):
        open_incident(governed)
    governed.session = type("", (), {"close": lambda _self: None})()


def test_scoped_sessions_are_taken(governed: Governed):
    if governed.is_async:
        maker = async_sessionmaker(governed.engine, class_=type(governed.session))
        registry = async_scoped_session(maker, scopefunc=lambda: 1)
    else:
        registry = scoped_session(sessionmaker(governed.engine, class_=type(governed.session)))
    plain, governed.session = governed.session, registry
    open_incident(governed)
    governed.commit()
    governed.result(registry.remove())
    governed.session = plain
    assert counts(governed) == OPENED


def test_error_of_the_callers_own_pending_rows_passes_unchanged(governed: Governed):
    governed.add(OutboxNotice(tenant_id="acme", id="mine", kind="mine", severity="LOW", payload={}, created_at=NOW))
    with pytest.raises(IntegrityError, match="subject_id"):
        open_incident(governed)
    with pytest.raises((GovernanceError, InvalidRequestError)):
        governed.commit()
    governed.rollback()
    open_incident(governed)
    governed.commit()
    assert counts(governed) == OPENED


def test_error_of_the_callers_flush_hook_passes_unchanged_and_cannot_be_committed(governed: Governed):
    from sqlalchemy import event

    def refuse(*_: object) -> None:
        raise ZeroDivisionError

    governed.run(lambda session: event.listen(session, "before_flush", refuse))
    row = OutboxNotice(
        tenant_id="acme", id="mine", kind="mine", subject_id="x", severity="LOW", payload={}, created_at=NOW
    )
    governed.add(row)
    with pytest.raises(ZeroDivisionError):
        open_incident(governed)
    governed.run(lambda session: session.expunge(row))
    with pytest.raises(GovernanceError, match=r"commit refused.*caller's own rows"):
        governed.commit()


def test_callers_pending_rows_are_flushed_first(governed: Governed):
    governed.add(
        OutboxNotice(
            tenant_id="acme", id="mine", kind="mine", subject_id="x", severity="LOW", payload={}, created_at=NOW
        )
    )
    open_incident(governed)
    governed.commit()
    assert counts(governed) == {**OPENED, "outbox": 2}


def test_call_from_a_flush_event_is_in_the_flushs_transaction(governed: Governed):
    from sqlalchemy import event

    def tell(session: Session, *_: object) -> None:
        create_incident_from_cost_anomaly_sync(session, **ANOMALY)

    governed.run(lambda session: event.listen(session, "after_flush", tell))
    governed.add(
        OutboxNotice(
            tenant_id="acme", id="mine", kind="mine", subject_id="x", severity="LOW", payload={}, created_at=NOW
        )
    )
    governed.commit()
    assert counts(governed) == {**OPENED, "outbox": 2}


def test_error_shows_neither_url_nor_password(governed: Governed):
    from sqlalchemy.ext.asyncio import create_async_engine

    from comptroller.database import create_engine

    url = "postgresql+psycopg://user:s3cret@/nowhere?host=/nonexistent"
    engine = create_async_engine(url) if governed.is_async else create_engine(url)
    governed.session = type(governed.session)(engine)
    with pytest.raises(GovernanceError) as caught:
        open_incident(governed)
    assert "s3cret" not in str(caught.value)
    governed.close()
    governed.result(engine.dispose())


def test_id_that_is_no_text_is_shown(governed: Governed):
    with pytest.raises(GovernanceError, match="anomaly_id must be text, not int: 7") as caught:
        open_incident(governed, anomaly_id=7)
    assert caught.value.entity_id == "7"
