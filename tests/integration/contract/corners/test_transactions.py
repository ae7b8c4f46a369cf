"""C1 to C7: what becomes of a transaction."""

from contextlib import suppress

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, InvalidRequestError, OperationalError
from sqlalchemy.orm import Session

from comptroller.errors import GovernanceError
from comptroller.spine.drivers.cross_domain import (
    create_incident_from_cost_anomaly_sync,
)
from contract_calls import (
    ANOMALY,
    NOTHING,
    OPENED,
    add_limit,
    counts,
    fail,
    open_incident,
)
from corners import BUSINESS, BUSINESS_ROWS, ONLY_POSTGRES, ONLY_SQLITE, notice
from sessions import Governed, SessionKind


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
