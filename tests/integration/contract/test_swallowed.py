"""Every way we know to swallow a GovernanceError and commit all the same; docs/contracts/residuals.md names the rest.

Each way is tried twice: with a call that succeeds, where its row must be committed (so the way is a real one), and
with a call that fails, where nothing may be.
"""

from contextlib import suppress

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from comptroller.errors import GovernanceError
from contract_calls import fail, open_incident
from sessions import Governed, SessionKind
from ways import COMMITTED, succeeding, swallowing
from ways_by_another_session import WAYS


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
