import psycopg
import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from comptroller.errors import InvalidInputError
from contract_calls import is_there, open_incident
from sessions import Governed


def test_table_is_found(governed: Governed):
    assert is_there(governed, "incidents")


def test_absent_table_is_not_found(governed: Governed):
    assert not is_there(governed, "nowhere")


def test_views_and_temporary_tables_are_found(own_database: None, governed: Governed):
    governed.execute("CREATE VIEW seen AS SELECT 1 AS one")
    governed.execute("CREATE TEMPORARY TABLE fleeting (one INTEGER)")
    assert is_there(governed, "seen")
    assert is_there(governed, "fleeting")


def test_index_is_no_table(governed: Governed):
    assert not is_there(governed, "ix_outbox_waiting")


def test_table_made_in_the_same_transaction_is_found(own_database: None, governed: Governed):
    governed.execute("CREATE TABLE fresh (one INTEGER)")
    assert is_there(governed, "fresh")
    governed.rollback()
    assert not is_there(governed, "fresh")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_search_path_is_honoured(own_database: None, governed: Governed):
    governed.execute("CREATE SCHEMA side")
    governed.execute("CREATE TABLE side.aside (one INTEGER)")
    assert not is_there(governed, "aside")
    governed.execute("SET LOCAL search_path TO side")
    assert is_there(governed, "aside")
    assert not is_there(governed, "incidents")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_name_is_looked_up_as_written(own_database: None, governed: Governed):
    governed.execute('CREATE TABLE "Mixed" (one INTEGER)')
    assert is_there(governed, "Mixed")
    assert not is_there(governed, "mixed")


def test_only_identifiers_are_accepted(governed: Governed):
    for name in ("", "a b", "a;b", "public.incidents", 'x"', "x' OR '1'='1", "1st", "tä", None, 7):
        with pytest.raises(InvalidInputError, match="is no identifier"):
            is_there(governed, name)  # type: ignore[arg-type]  # what is refused
    assert is_there(governed, "incidents")


def test_absent_table_does_not_abort_the_transaction(governed: Governed):
    open_incident(governed)
    assert not is_there(governed, "nowhere")
    governed.commit()
    assert governed.committed("SELECT count(*) FROM incidents") == [(1,)]


def test_refused_name_does_not_break_the_transaction(governed: Governed):
    open_incident(governed)
    with pytest.raises(InvalidInputError):
        is_there(governed, "no identifier")
    governed.commit()
    assert governed.committed("SELECT count(*) FROM incidents") == [(1,)]


def test_no_write_lock_is_taken(governed: Governed):
    assert is_there(governed, "incidents")
    other = governed.another()
    open_incident(other)
    other.commit()
    open_incident(governed, anomaly_id="anomaly-2")
    governed.commit()
    assert governed.committed("SELECT count(*) FROM incidents") == [(2,)]


def test_it_answers_while_another_session_writes(governed: Governed):
    other = governed.another()
    open_incident(other)
    assert is_there(governed, "incidents")
    other.rollback()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_it_answers_while_the_table_is_locked(governed: Governed, database_url: str):
    native = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(native) as stranger:
        stranger.execute("LOCK TABLE incidents IN ACCESS EXCLUSIVE MODE")
        governed.execute("SET lock_timeout = '20ms'")
        assert is_there(governed, "incidents")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_real_errors_surface(governed: Governed):
    with pytest.raises(DBAPIError):
        governed.execute("SELECT 1 / 0")
    with pytest.raises(DBAPIError, match="transaction is aborted"):
        is_there(governed, "incidents")
