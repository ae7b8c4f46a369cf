"""C15 to C18, and driver connections that are shared."""

import asyncio

import psycopg
import pytest
from sqlalchemy import StaticPool, create_engine, select
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Session

from comptroller.errors import GovernanceError
from comptroller.models.killswitch import Incident
from comptroller.spine.drivers.cross_domain import (
    create_incident_from_cost_anomaly,
    create_incident_from_cost_anomaly_sync,
)
from contract_calls import (
    ANOMALY,
    NOTHING,
    OPENED,
    counts,
    fail,
    open_incident,
)
from corners import BUSINESS, BUSINESS_ROWS, ONLY_POSTGRES, ONLY_SQLITE, native
from sessions import Governed, SessionKind, async_url, governed_session


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
