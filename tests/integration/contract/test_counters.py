from contextlib import suppress

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from comptroller.errors import GovernanceError
from contract_calls import add_limit, fail, open_incident, record_breach
from sessions import Governed

CREATED = ("governance_incidents_created_total", {"domain": "Analytics", "source_type": "cost_anomaly"})
RECORDED = ("governance_limit_breaches_recorded_total", {"breach_type": "BREACHED"})
VIOLATED = (
    "governance_invariant_violations_total",
    {"domain": "Analytics", "operation": "create_incident_from_cost_anomaly"},
)


class Since:
    """What the counters have counted since it was made."""

    def __init__(self) -> None:
        self.before = self._now()

    def _now(self) -> list[float]:
        return [REGISTRY.get_sample_value(*sample) or 0.0 for sample in (CREATED, RECORDED, VIOLATED)]

    def __call__(self) -> list[int]:
        return [int(now - before) for now, before in zip(self._now(), self.before, strict=True)]


@pytest.fixture
def since(governed: Governed) -> Since:
    add_limit(governed)
    return Since()


def test_success_is_counted_after_the_commit_and_not_before(governed: Governed, since: Since):
    open_incident(governed)
    record_breach(governed)
    assert since() == [0, 0, 0]
    governed.commit()
    assert since() == [1, 1, 0]


def test_repeat_is_not_counted_as_created(governed: Governed, since: Since):
    open_incident(governed)
    open_incident(governed)
    open_incident(governed, current_value_cents=7)
    governed.commit()
    assert since() == [1, 0, 0]


def test_rollback_leaves_no_trace(governed: Governed, since: Since):
    open_incident(governed)
    record_breach(governed)
    governed.rollback()
    governed.execute("UPDATE tenant_policies SET version = 1")
    governed.commit()
    assert since() == [0, 0, 0]


def test_close_without_commit_leaves_no_trace(governed: Governed, since: Since):
    open_incident(governed)
    governed.close()
    assert since() == [0, 0, 0]


def test_savepoint_rolled_back_leaves_no_trace_of_what_was_in_it(governed: Governed, since: Since):
    record_breach(governed)
    with suppress(ZeroDivisionError), governed.savepoint():
        open_incident(governed)
        raise ZeroDivisionError
    open_incident(governed, anomaly_id="anomaly-2")
    governed.commit()
    assert since() == [1, 1, 0]


def test_savepoint_released_keeps_what_was_in_it(governed: Governed, since: Since):
    with governed.savepoint():
        open_incident(governed)
    governed.commit()
    assert since() == [1, 0, 0]


@pytest.mark.filterwarnings("ignore:nested transaction already deassociated")
def test_outer_savepoint_takes_the_inner_one_along(governed: Governed, since: Since):
    def body(conn: Connection) -> None:
        outer = conn.begin_nested()
        session = Session(bind=conn, join_transaction_mode="rollback_only")
        create(session, "a")
        conn.begin_nested()
        create(session, "b")
        outer.rollback()
        create(session, "c")

    governed.on_connection(body)
    governed.commit()
    assert since() == [1, 0, 0]


def create(session: Session, anomaly_id: str) -> None:
    from comptroller.spine.drivers.cross_domain import create_incident_from_cost_anomaly_sync
    from contract_calls import ANOMALY

    create_incident_from_cost_anomaly_sync(session, **{**ANOMALY, "anomaly_id": anomaly_id})


def test_savepoint_by_text_is_followed_by_its_name(governed: Governed, since: Since):
    governed.execute("SAVEPOINT a")
    open_incident(governed, anomaly_id="a")
    governed.execute("SAVEPOINT b")
    open_incident(governed, anomaly_id="b")
    governed.execute("ROLLBACK TO SAVEPOINT A")
    open_incident(governed, anomaly_id="c")
    governed.execute("RELEASE a")
    governed.commit()
    assert governed.committed("SELECT anomaly_id FROM incidents") == [("c",)]
    assert since() == [1, 0, 0]


def test_rollback_by_text_leaves_no_trace(governed: Governed, since: Since):
    open_incident(governed)
    governed.execute("ROLLBACK")
    governed.execute("UPDATE tenant_policies SET version = 1")
    governed.commit()
    assert governed.committed("SELECT count(*) FROM incidents") == [(0,)]
    assert since() == [0, 0, 0]


def test_commit_by_text_is_counted(governed: Governed, since: Since):
    open_incident(governed)
    governed.execute("COMMIT")
    governed.close()
    assert governed.committed("SELECT count(*) FROM incidents") == [(1,)]
    assert since() == [1, 0, 0]


def test_connection_commit_is_counted(governed: Governed, since: Since):
    open_incident(governed)
    governed.commit_connection()
    governed.close()
    assert since() == [1, 0, 0]


def test_commit_that_fails_leaves_no_trace(own_database: None, governed: Governed, since: Since):
    if governed.dialect == "postgresql":
        name = "fk_incident_events_tenant_id_incident_id_incidents"
        governed.execute(f"ALTER TABLE incident_events ALTER CONSTRAINT {name} DEFERRABLE INITIALLY DEFERRED")
        governed.commit()
    else:
        governed.execute("PRAGMA defer_foreign_keys = ON")
    open_incident(governed)
    governed.execute("PRAGMA defer_foreign_keys = ON" if governed.dialect == "sqlite" else "SELECT 1")
    governed.execute("DELETE FROM incidents")
    with pytest.raises(DBAPIError):
        governed.commit()
    governed.rollback()
    governed.execute("UPDATE tenant_policies SET version = 1")
    governed.commit()
    assert since() == [0, 0, 0]


def test_refused_commit_leaves_no_trace_of_success(governed: Governed, since: Since):
    open_incident(governed)
    with suppress(GovernanceError):
        fail(governed)
    with pytest.raises(GovernanceError):
        governed.commit()
    governed.rollback()
    assert since() == [0, 0, 1]


def test_violation_is_counted_once_where_it_is_translated(governed: Governed, since: Since):
    with pytest.raises(GovernanceError):
        fail(governed)
    with pytest.raises((GovernanceError, SQLAlchemyError)):
        governed.commit_connection()
    with pytest.raises(GovernanceError):
        governed.commit()
    assert since() == [0, 0, 1]


def test_building_an_exception_counts_nothing(governed: Governed, since: Since):
    GovernanceError("a message", "Analytics", "create_incident_from_cost_anomaly", "anomaly-1")
    assert since() == [0, 0, 0]


def test_two_sessions_count_their_own(governed: Governed, since: Since):
    other = governed.another()
    open_incident(governed, anomaly_id="a")
    governed.commit()
    open_incident(other, anomaly_id="b")
    other.rollback()
    open_incident(other, anomaly_id="c")
    other.commit()
    assert since() == [2, 0, 0]
