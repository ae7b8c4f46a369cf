"""C13 and C14: connections that cannot keep the promise."""

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import Session

from comptroller.errors import GovernanceError
from contract_calls import (
    NOTHING,
    OPENED,
    counts,
    open_incident,
)
from corners import ONLY_SQLITE
from sessions import Governed, SessionKind, async_url, bare_engine, governed_session


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
