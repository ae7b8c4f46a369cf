"""What sessions do to those who only flush in them: each corner by its number, on our engines and the caller's."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from prometheus_client import REGISTRY
from sqlalchemy import Engine, StaticPool, create_engine, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, InvalidRequestError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import Session

from comptroller import database
from comptroller.errors import GovernanceError
from comptroller.models.killswitch import Incident
from comptroller.models.outbox import OutboxNotice
from comptroller.models.policy_control_plane import TenantPolicy
from comptroller.spine.drivers.cross_domain import (
    create_incident_from_cost_anomaly,
    create_incident_from_cost_anomaly_sync,
)
from contract_calls import (
    ANOMALY,
    NOTHING,
    NOW,
    OPENED,
    RECORDED,
    add_limit,
    counts,
    fail,
    filled,
    open_incident,
    record_breach,
)
from sessions import Governed, SessionKind, async_url, bare_engine, governed_session

TWO_KINDS = [SessionKind.SQLALCHEMY, SessionKind.SQLMODEL_ASYNC]
ONLY_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ONLY_POSTGRES = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
BUSINESS = filled(TenantPolicy.__table__, tenant_id="acme")
BUSINESS_ROWS = "SELECT count(*) FROM tenant_policies"


@pytest.fixture(params=TWO_KINDS)
def session_kind(request: pytest.FixtureRequest) -> SessionKind:
    return SessionKind(request.param)


@pytest.fixture(params=["ours", "the-callers"])
def engine(request: pytest.FixtureRequest, session_kind: SessionKind, database_url: str) -> Engine | AsyncEngine:
    if request.param == "the-callers":
        return bare_engine(database_url, is_async=session_kind.is_async)
    maker = database.create_async_engine if session_kind.is_async else database.create_engine
    return maker(database_url)


@pytest.fixture
def governed(session_kind: SessionKind, engine: Engine | AsyncEngine, database_url: str) -> Iterator[Governed]:
    with governed_session(session_kind, engine, database_url) as session:
        yield session


def notice(**changes: object) -> OutboxNotice:
    row = {"tenant_id": "acme", "id": "mine", "kind": "mine", "subject_id": "x", "severity": "LOW", "payload": {}}
    return OutboxNotice(**{**row, "created_at": NOW, **changes})


def native(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def test_c01_savepoint_before_the_first_write_does_not_outlive_the_rollback(governed: Governed):
    for _ in ("unknown engine", "known engine"):
        governed.scalar("SELECT 1")
        with governed.savepoint():
            governed.execute(BUSINESS)
            open_incident(governed)
        governed.rollback()
        governed.close()
        assert counts(governed) == NOTHING
        assert governed.committed(BUSINESS_ROWS) == [(0,)]


def test_c01_savepoint_before_the_first_write_is_kept_by_the_commit(governed: Governed):
    with governed.savepoint():
        open_incident(governed)
    with suppress(ZeroDivisionError), governed.savepoint():
        open_incident(governed, anomaly_id="anomaly-2")
        raise ZeroDivisionError
    governed.commit()
    assert counts(governed) == OPENED


@ONLY_SQLITE
def test_c02_commit_that_failed_is_not_committed_by_the_next_user(governed: Governed):
    open_incident(governed)
    governed.execute("PRAGMA foreign_keys = ON")
    governed.execute("PRAGMA defer_foreign_keys = ON")
    governed.execute("UPDATE incident_events SET incident_id = 'nowhere'")
    if governed.scalar("PRAGMA foreign_keys") == 0:  # cannot be switched on inside a transaction
        governed.rollback()
        governed.execute("PRAGMA foreign_keys = ON")
        open_incident(governed)
        governed.execute("PRAGMA defer_foreign_keys = ON")
        governed.execute("UPDATE incident_events SET incident_id = 'nowhere'")
    with pytest.raises(IntegrityError):
        governed.commit()
    governed.close()
    other = governed.another()
    other.execute(BUSINESS)
    other.commit()
    assert governed.committed(BUSINESS_ROWS) == [(1,)]
    assert counts(governed) == NOTHING


@ONLY_SQLITE
def test_c03_transaction_that_sqlite_ended_by_itself_is_not_committed_in_half(governed: Governed):
    governed.execute(BUSINESS)
    governed.commit()
    open_incident(governed)
    with pytest.raises(IntegrityError):
        governed.execute("INSERT OR ROLLBACK INTO tenant_policies SELECT * FROM tenant_policies")
    with pytest.raises(GovernanceError, match="already ended the transaction"):
        governed.execute("UPDATE tenant_policies SET version = 7")
    with pytest.raises((GovernanceError, InvalidRequestError)):
        governed.commit()
    governed.rollback()
    assert counts(governed) == NOTHING
    assert governed.committed("SELECT version FROM tenant_policies") == [(1,)]


def open_many_incidents(governed: Governed) -> None:
    for number in range(10_000):
        open_incident(governed, anomaly_id=f"anomaly-{number}", description="x" * 10_000)


@ONLY_SQLITE
def test_c03_full_database_is_told_and_nothing_of_it_stays(governed: Governed):
    pages = governed.scalar("PRAGMA page_count")
    governed.execute(f"PRAGMA max_page_count = {pages}")
    governed.execute(BUSINESS)
    with pytest.raises(GovernanceError, match="full"):
        open_many_incidents(governed)
    with pytest.raises(GovernanceError, match="commit refused"):
        governed.commit()
    governed.rollback()
    assert counts(governed) == NOTHING
    assert governed.committed(BUSINESS_ROWS) == [(0,)]


@ONLY_SQLITE
def test_c03_commit_right_after_sqlite_ended_the_transaction_is_refused(governed: Governed):
    governed.execute(BUSINESS)
    governed.commit()
    open_incident(governed)
    with pytest.raises(IntegrityError):
        governed.execute("INSERT OR ROLLBACK INTO tenant_policies SELECT * FROM tenant_policies")
    with pytest.raises(GovernanceError, match="already ended the transaction"):
        governed.commit_connection()


@ONLY_POSTGRES
def test_c04_commit_of_an_aborted_transaction_is_not_silent(governed: Governed):
    for call in (open_incident, open_incident, lambda g: open_incident(g, severity="LOW")):
        call(governed)
        with pytest.raises(DBAPIError):
            governed.execute("SELECT 1 / 0")
        with pytest.raises(GovernanceError, match="already ended the transaction"):
            governed.commit()
        governed.rollback()
        open_incident(governed)
        governed.commit()
    assert counts(governed) == OPENED


def test_c05_callers_bad_pending_row_is_the_callers_error(governed: Governed):
    governed.add(notice(subject_id=None))
    with pytest.raises(IntegrityError, match="subject_id"):
        open_incident(governed)
    with pytest.raises((GovernanceError, InvalidRequestError)):
        governed.commit()


def test_c05_our_statements_flush_nothing_more(governed: Governed):
    add_limit(governed)

    def body(session: Session) -> bool:
        with session.no_autoflush:
            create_incident_from_cost_anomaly_sync(session, **ANOMALY)
            row = notice()
            session.add(row)
            session.execute(text("SELECT 1"))
            return row in session.new

    if governed.kind is SessionKind.SQLALCHEMY:
        assert governed.run(body)
    governed.rollback()


def test_c06_conflict_keeps_the_callers_rows(governed: Governed):
    open_incident(governed)
    governed.commit()
    governed.execute(BUSINESS)
    open_incident(governed)
    open_incident(governed, severity="LOW")
    governed.commit()
    assert governed.committed(BUSINESS_ROWS) == [(1,)]
    assert counts(governed) == {**OPENED, "incident_events": 2}


@ONLY_POSTGRES
def test_c06_conflict_under_repeatable_read_is_told(governed: Governed):
    governed.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    governed.scalar("SELECT count(*) FROM incidents")
    other = governed.another()
    open_incident(other)
    other.commit()
    with pytest.raises(GovernanceError) as caught:
        open_incident(governed)
    assert isinstance(caught.value.__cause__, OperationalError)
    assert isinstance(caught.value.__cause__.orig, psycopg.errors.SerializationFailure)
    governed.rollback()
    open_incident(governed)
    governed.commit()
    assert counts(governed) == OPENED


def test_c07_neither_the_session_nor_its_connection_commits_what_was_swallowed(governed: Governed):
    governed.execute(BUSINESS)
    with suppress(GovernanceError), governed.savepoint():
        fail(governed)
    with pytest.raises(GovernanceError, match="commit refused"):
        governed.commit()
    governed.rollback()
    governed.execute(BUSINESS)
    with suppress(GovernanceError), governed.savepoint():
        fail(governed)
    with pytest.raises(GovernanceError, match="commit refused"):
        governed.commit_connection()
    governed.rollback()
    assert governed.committed(BUSINESS_ROWS) == [(0,)]


def test_c08_breach_is_kept_when_the_refusal_is_raised_after_its_commit(governed: Governed):
    add_limit(governed)

    def call_a_model() -> None:
        record_breach(governed)
        governed.commit()
        raise PermissionError("over the limit")

    with pytest.raises(PermissionError):
        call_a_model()
    assert counts(governed) == RECORDED


@ONLY_POSTGRES
def test_c09_writes_of_one_limit_do_not_wait_for_each_other(governed: Governed):
    add_limit(governed)
    record_breach(governed)
    other = governed.another()
    other.execute("SET lock_timeout = '20ms'")
    record_breach(other)
    open_incident(other, anomaly_id="anomaly-2")
    other.commit()
    governed.commit()
    assert counts(governed)["limit_breaches"] == 2


def test_c10_id_of_a_row_that_was_taken_back_is_not_counted(governed: Governed):
    sample = ("governance_incidents_created_total", {"domain": "Analytics", "source_type": "cost_anomaly"})
    before = REGISTRY.get_sample_value(*sample) or 0.0
    with suppress(ZeroDivisionError), governed.savepoint():
        open_incident(governed)
        raise ZeroDivisionError
    governed.commit()
    open_incident(governed)
    governed.execute("ROLLBACK")
    governed.commit()
    assert (REGISTRY.get_sample_value(*sample) or 0.0) == before
    assert counts(governed) == NOTHING


def test_c11_two_who_report_one_anomaly_at_once_get_one_incident(governed: Governed):
    first = open_incident(governed)
    second = create_engine(
        governed.url, **({} if governed.dialect == "postgresql" else {"connect_args": {"timeout": 20}})
    )

    def report() -> str:
        with Session(second) as session:
            answer = create_incident_from_cost_anomaly_sync(session, **{**ANOMALY, "severity": "LOW"})
            session.commit()
        return answer

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(report)
        governed.commit()
        assert waiting.result() == first
    second.dispose()
    assert counts(governed) == {**OPENED, "incident_events": 2}


@ONLY_POSTGRES
def test_c11_serializable_is_served(governed: Governed):
    governed.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
    open_incident(governed)
    governed.commit()
    assert counts(governed) == OPENED


@ONLY_SQLITE
def test_c12_read_that_cannot_become_a_write_is_told_at_once(governed: Governed):
    governed.execute("PRAGMA journal_mode = WAL")
    governed.execute("BEGIN")
    governed.scalar("SELECT count(*) FROM incidents")
    other = governed.another()
    open_incident(other, anomaly_id="anomaly-2")
    other.commit()
    with pytest.raises(GovernanceError, match="locked"):
        open_incident(governed)
    governed.rollback()
    open_incident(governed)
    governed.commit()
    assert counts(governed)["incidents"] == 2


@ONLY_SQLITE
def test_c12_write_lock_is_held_from_the_call_on(governed: Governed):
    open_incident(governed)
    other = governed.another()
    other.execute("PRAGMA busy_timeout = 1")
    with pytest.raises(OperationalError, match="locked"):
        other.execute("UPDATE tenant_policies SET version = 2")


def assert_autocommit_refused(governed: Governed) -> None:
    with pytest.raises(GovernanceError, match="the connection is in AUTOCOMMIT"):
        open_incident(governed)
    with pytest.raises(GovernanceError):
        governed.commit()
    governed.rollback()
    assert counts(governed) == NOTHING


def test_c13_autocommit_engine_is_refused(session_kind: SessionKind, database_url: str):
    maker = create_async_engine if session_kind.is_async else create_engine
    url = async_url(database_url) if session_kind.is_async else database_url
    with governed_session(session_kind, maker(url, isolation_level="AUTOCOMMIT"), database_url) as governed:
        assert_autocommit_refused(governed)


def test_c13_autocommit_option_of_an_engine_is_refused(governed: Governed):
    governed.session = type(governed.session)(governed.engine.execution_options(isolation_level="AUTOCOMMIT"))
    assert_autocommit_refused(governed)


def test_c13_autocommit_option_of_a_connection_is_refused(governed: Governed):
    governed.run(lambda session: session.connection(execution_options={"isolation_level": "AUTOCOMMIT"}))
    assert_autocommit_refused(governed)


@ONLY_SQLITE
def test_c13_driver_in_autocommit_is_refused(governed: Governed):
    def switch(session: Session) -> bool:
        driver = session.connection().connection.driver_connection
        if not hasattr(driver, "autocommit"):  # Python 3.12 has it
            return False
        driver.autocommit = True  # type: ignore[union-attr]
        return True

    if governed.run(switch):
        assert_autocommit_refused(governed)
        governed.run(lambda session: setattr(session.connection().connection.driver_connection, "autocommit", -1))


@ONLY_SQLITE
def test_c13_engine_that_begins_by_itself_is_no_autocommit(session_kind: SessionKind, database_url: str):
    from sqlalchemy import event

    engine = bare_engine(database_url, is_async=session_kind.is_async)
    sync_engine = engine.sync_engine if isinstance(engine, AsyncEngine) else engine
    event.listen(sync_engine, "connect", lambda driver, _record: setattr(driver, "isolation_level", None))
    event.listen(sync_engine, "begin", lambda conn: conn.exec_driver_sql("BEGIN"))
    with governed_session(session_kind, engine, database_url) as governed:
        open_incident(governed)
        governed.rollback()
        assert counts(governed) == NOTHING
        open_incident(governed)
        governed.commit()
        assert counts(governed) == OPENED


@pytest.fixture
def second_engine(session_kind: SessionKind, sqlite_template: Path, tmp_path: Path) -> Iterator[Engine]:
    """Give the sync engine of another database; its file has no governed tables."""
    url = f"sqlite:///{tmp_path / 'second.db'}"
    engine = bare_engine(url, is_async=session_kind.is_async)
    sync_engine = engine.sync_engine if isinstance(engine, AsyncEngine) else engine
    yield sync_engine
    with asyncio.Runner() as runner:
        if isinstance(engine, AsyncEngine):
            runner.run(engine.dispose())
        else:
            engine.dispose()


def test_c14_two_connections_in_one_session_are_refused(governed: Governed, second_engine: Engine):
    governed.run(lambda session: session.connection(bind_arguments={"bind": second_engine}))
    with pytest.raises(GovernanceError, match="two connections: use one, or Session"):
        open_incident(governed)
    governed.rollback()
    assert counts(governed) == NOTHING


def test_c14_second_connection_after_the_call_is_refused_at_commit(governed: Governed, second_engine: Engine):
    open_incident(governed)
    governed.run(lambda session: session.connection(bind_arguments={"bind": second_engine}))
    with pytest.raises(GovernanceError, match="second connection after a mandatory write"):
        governed.commit()
    governed.rollback()
    assert counts(governed) == NOTHING


def test_c14_savepoint_does_not_look_like_a_second_connection(governed: Governed):
    with governed.savepoint(), governed.savepoint():
        open_incident(governed)
    governed.commit()
    assert counts(governed) == OPENED


@pytest.mark.parametrize("session_kind", [SessionKind.SQLALCHEMY_ASYNC, SessionKind.SQLMODEL_ASYNC], indirect=True)
def test_c15_two_tasks_in_one_session_never_lose_a_record_silently(governed: Governed):
    async def both() -> list[object]:
        calls = [
            create_incident_from_cost_anomaly(governed.session, **{**ANOMALY, "anomaly_id": name}) for name in "abc"
        ]
        return await asyncio.gather(*calls, return_exceptions=True)

    answers = governed.result(both())
    failed = [answer for answer in answers if isinstance(answer, BaseException)]
    assert all(isinstance(answer, GovernanceError) for answer in failed)
    if failed:
        with pytest.raises((GovernanceError, InvalidRequestError)):
            governed.commit()
        governed.rollback()
        assert counts(governed) == NOTHING
    else:
        governed.commit()
        assert counts(governed)["incidents"] == 3


@pytest.mark.parametrize("session_kind", [SessionKind.SQLALCHEMY_ASYNC, SessionKind.SQLMODEL_ASYNC], indirect=True)
@ONLY_POSTGRES
def test_c15_cancelled_call_cannot_be_committed(governed: Governed, database_url: str):
    governed.execute(BUSINESS)

    async def cancelled() -> None:
        task = asyncio.create_task(create_incident_from_cost_anomaly(governed.session, **ANOMALY))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises((asyncio.CancelledError, GovernanceError)):
            await task

    with psycopg.connect(native(database_url)) as stranger:
        stranger.execute("LOCK TABLE incidents IN ACCESS EXCLUSIVE MODE")
        governed.result(cancelled())
    with pytest.raises((GovernanceError, InvalidRequestError)):
        governed.commit()
    governed.rollback()
    assert governed.committed(BUSINESS_ROWS) == [(0,)]


@ONLY_POSTGRES
def test_c16_killed_backend_is_loud_and_leaves_nothing(governed: Governed, database_url: str):
    governed.execute(BUSINESS)
    pid = governed.scalar("SELECT pg_backend_pid()")
    with psycopg.connect(native(database_url)) as stranger:
        stranger.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
    with pytest.raises(GovernanceError):
        open_incident(governed)
    with pytest.raises(GovernanceError, match="commit refused"):
        governed.commit()
    governed.rollback()
    assert governed.committed(BUSINESS_ROWS) == [(0,)]


@ONLY_POSTGRES
def test_c17_lock_timeout_is_the_callers_and_stays_so(governed: Governed, database_url: str):
    governed.execute("SET LOCAL lock_timeout = '20ms'")
    with psycopg.connect(native(database_url)) as stranger:
        stranger.execute("LOCK TABLE incidents IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(GovernanceError, match="lock timeout"), governed.savepoint():
            open_incident(governed)
    assert governed.scalar("SHOW lock_timeout") == "20ms"
    with pytest.raises(GovernanceError, match="commit refused"):
        governed.commit()


def test_c18_what_the_session_has_loaded_is_neither_expired_nor_stale(governed: Governed):
    incident_id = open_incident(governed, anomaly_id="anomaly-1")
    governed.commit()

    def body(session: Session) -> None:
        loaded = session.scalars(select(Incident)).one()
        create_incident_from_cost_anomaly_sync(session, **{**ANOMALY, "severity": "LOW"})
        assert loaded.__dict__["severity"] == "HIGH"
        session.refresh(loaded)
        assert (loaded.id, loaded.severity) == (incident_id, "HIGH")

    governed.run(body)


@ONLY_SQLITE
@pytest.mark.parametrize("session_kind", [SessionKind.SQLALCHEMY, SessionKind.SQLALCHEMY_ASYNC], indirect=True)
def test_two_sessions_on_one_driver_connection_do_not_lose_a_record_silently(
    session_kind: SessionKind, database_url: str
):
    maker = create_async_engine if session_kind.is_async else create_engine
    url = async_url(database_url) if session_kind.is_async else database_url
    engine = maker(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
    with governed_session(session_kind, engine, database_url) as governed:
        open_incident(governed)
        other = governed.another()
        with pytest.raises(GovernanceError, match="carries another session's mandatory write"):
            other.execute("SELECT 1")
        other.close()
        with pytest.raises(GovernanceError, match="already ended the transaction"):
            governed.commit()
        governed.rollback()
        assert counts(governed) == NOTHING
        open_incident(governed)
        governed.commit()
        assert counts(governed) == OPENED
    with governed_session(session_kind, maker(url, poolclass=StaticPool), database_url) as governed:
        open_incident(governed, anomaly_id="attached")
        governed.rollback()
        governed.another().execute("SELECT 1")
        with pytest.raises(GovernanceError, match="in another session's transaction"):
            open_incident(governed, anomaly_id="anomaly-2")


@pytest.mark.parametrize("session_kind", [SessionKind.SQLALCHEMY, SessionKind.SQLMODEL], indirect=True)
def test_engine_of_options_made_beforehand_is_guarded_too(session_kind: SessionKind, database_url: str):
    engine = create_engine(database_url)
    with governed_session(
        session_kind, engine.execution_options(isolation_level="SERIALIZABLE"), database_url
    ) as governed:
        governed.execute(BUSINESS)
        with pytest.raises(GovernanceError):
            fail(governed)
        with pytest.raises(GovernanceError, match="commit refused"):
            governed.commit_connection()
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    engine.dispose()


def test_unsupported_driver_is_told(governed: Governed, monkeypatch: pytest.MonkeyPatch):
    dialect = governed.on_connection(lambda connection: connection.dialect)
    monkeypatch.setattr(dialect, "driver", "another")
    with pytest.raises(GovernanceError, match="driver another is not supported"):
        open_incident(governed)
