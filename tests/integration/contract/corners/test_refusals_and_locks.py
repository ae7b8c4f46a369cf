"""C8 to C12: refusals, locks, isolation."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from comptroller.errors import GovernanceError
from comptroller.spine.drivers.cross_domain import (
    create_incident_from_cost_anomaly_sync,
)
from contract_calls import (
    ANOMALY,
    NOTHING,
    OPENED,
    RECORDED,
    add_limit,
    counts,
    open_incident,
    record_breach,
)
from corners import ONLY_POSTGRES, ONLY_SQLITE
from sessions import Governed


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
