from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from comptroller.enums import BreachType
from comptroller.errors import GovernanceError, NotFoundError
from comptroller.models.outbox import OutboxNotice
from comptroller.models.policy_control_plane import LimitBreach
from contract_calls import NOTHING, RECORDED, add_limit, counts, open_incident, record_breach
from sessions import Governed


def read_breach(session: Session) -> LimitBreach:
    return session.scalars(select(LimitBreach)).one()


def test_breach_and_notice_are_one_transaction(governed: Governed):
    add_limit(governed)
    record_breach(governed)
    assert counts(governed) == NOTHING
    governed.commit()
    assert counts(governed) == RECORDED


def test_rollback_takes_breach_and_notice_back(governed: Governed):
    add_limit(governed)
    record_breach(governed)
    governed.rollback()
    governed.commit()
    assert counts(governed) == NOTHING


def test_breach_holds_what_was_said(governed: Governed):
    add_limit(governed)
    incident_id = open_incident(governed)
    details = {"window": "2026-11", "parts": [1, 2.5, None, True], "who": "Ünal"}
    breach_id = record_breach(governed, run_id="a run of the caller's", incident_id=incident_id, details=details)
    governed.commit()
    row = governed.run(read_breach)
    assert (row.id, row.tenant_id, row.limit_id, row.breach_type) == (breach_id, "acme", "limit-1", "BREACHED")
    assert (row.run_id, row.incident_id, row.details) == ("a run of the caller's", incident_id, details)
    assert (row.occurrences, row.dedup_key, row.recorded_at) == (1, None, row.last_at)


def test_notice_tells_the_crossing(governed: Governed):
    add_limit(governed)
    breach_id = record_breach(governed, value_at_breach=Decimal("1E+3"))
    governed.commit()

    def read(session: Session) -> OutboxNotice:
        return session.scalars(select(OutboxNotice)).one()

    notice = governed.run(read)
    assert (notice.kind, notice.subject_id, notice.severity) == ("limit.breached", breach_id, "HIGH")
    assert (notice.payload["value_at_breach"], notice.payload["limit_value"]) == ("1000", "100.00")


def test_each_call_writes_a_row(governed: Governed):
    add_limit(governed)
    assert record_breach(governed) != record_breach(governed)
    governed.commit()
    assert counts(governed) == {**RECORDED, "limit_breaches": 2, "outbox": 2}


def test_values_are_kept_digit_for_digit(governed: Governed):
    add_limit(governed)
    values = ["0", "0.00", "150.0000", "1E+3", "0.1234567890123456789012345678901234567890", "9" * 60, "-0.0"]
    for value in values:
        record_breach(governed, value_at_breach=Decimal(value))
    governed.commit()

    def read(session: Session) -> list[Decimal]:
        return list(session.scalars(select(LimitBreach.value_at_breach).order_by(LimitBreach.id)))

    stored = [format(value, "f") for value in governed.run(read)]
    assert stored == ["0", "0.00", "150.0000", "1000", values[4], values[5], "0.0"]


def test_every_breach_type_of_the_contract_is_taken(governed: Governed):
    add_limit(governed)
    for breach_type in BreachType:
        record_breach(governed, breach_type=breach_type.value)
    governed.commit()
    rows = governed.committed("SELECT breach_type FROM limit_breaches ORDER BY id")
    assert rows == [("BREACHED",), ("EXHAUSTED",), ("THROTTLED",), ("VIOLATED",)]


def test_limit_that_does_not_exist_raises(governed: Governed):
    with pytest.raises(GovernanceError, match="limit 'limit-1' does not exist") as caught:
        record_breach(governed)
    assert isinstance(caught.value.__cause__, NotFoundError)


def test_limit_of_another_tenant_does_not_exist(governed: Governed):
    add_limit(governed, tenant_id="other")
    with pytest.raises(GovernanceError, match="limit 'limit-1' does not exist"):
        record_breach(governed)


def test_incident_that_does_not_exist_raises(governed: Governed):
    add_limit(governed)
    with pytest.raises(GovernanceError, match="incident 'nowhere' does not exist"):
        record_breach(governed, incident_id="nowhere")


def test_incident_of_another_tenant_does_not_exist(governed: Governed):
    add_limit(governed)
    foreign = open_incident(governed, tenant_id="other")
    governed.commit()
    with pytest.raises(GovernanceError, match="does not exist"):
        record_breach(governed, incident_id=foreign)


def test_existence_does_not_rest_on_foreign_keys(own_database: None, governed: Governed):
    if governed.dialect == "sqlite":
        governed.execute("PRAGMA foreign_keys=OFF")
        assert governed.scalar("PRAGMA foreign_keys") == 0
    else:
        for name in ("limit_id_limits", "incident_id_incidents"):
            governed.execute(f"ALTER TABLE limit_breaches DROP CONSTRAINT fk_limit_breaches_tenant_id_{name}")
        governed.commit()
    with pytest.raises(GovernanceError, match="limit 'limit-1' does not exist"):
        record_breach(governed)
    governed.rollback()
    add_limit(governed)
    with pytest.raises(GovernanceError, match="incident 'nowhere' does not exist"):
        record_breach(governed, incident_id="nowhere")


def test_builtin_limits_appear_with_their_first_breach(governed: Governed):
    for limit_id in ("builtin:kill-switch", "builtin:pricing", "builtin:pricing"):
        record_breach(governed, limit_id=limit_id, limit_value=Decimal(0))
    governed.commit()
    rows = governed.committed("SELECT tenant_id, id, builtin FROM limits ORDER BY id")
    assert rows == [("acme", "builtin:kill-switch", True), ("acme", "builtin:pricing", True)]
    assert counts(governed)["limit_breaches"] == 3


def test_tenant_need_not_be_registered(governed: Governed):
    assert governed.scalar("SELECT count(*) FROM tenant_policies") == 0
    record_breach(governed, tenant_id="never seen", limit_id="builtin:pricing")
    open_incident(governed, tenant_id="never seen")
    governed.commit()
    assert governed.committed("SELECT tenant_id FROM outbox") == [("never seen",)] * 2


def test_details_of_sixteen_kibibytes_are_kept(governed: Governed):
    add_limit(governed)
    details = {"text": "x" * (16 * 1024 - len('{"text":""}'))}
    record_breach(governed, details=details)
    governed.commit()
    assert governed.run(read_breach).details == details


def test_twins_report_the_same_operation_and_the_limit(governed: Governed):
    with pytest.raises(GovernanceError) as caught:
        record_breach(governed, breach_type="breached")
    error = caught.value
    assert (error.domain, error.operation, error.entity_id) == ("Policies", "record_limit_breach", "limit-1")
    assert isinstance(error.__cause__, ValueError)


def test_nothing_bad_is_accepted(governed: Governed):
    add_limit(governed)
    bad = [
        {"breach_type": "breached"},
        {"breach_type": "EXCEEDED"},
        {"value_at_breach": 1.5},
        {"value_at_breach": True},
        {"value_at_breach": "1"},
        {"value_at_breach": Decimal("NaN")},
        {"value_at_breach": Decimal("sNaN")},
        {"value_at_breach": Decimal("Infinity")},
        {"limit_value": Decimal(-1)},
        {"limit_value": Decimal("1E+999")},
        {"limit_id": ""},
        {"tenant_id": None},
        {"run_id": " "},
        {"incident_id": ""},
        {"details": {"x": float("nan")}},
        {"details": ["a list"]},
        {"details": {"x": "y" * 16 * 1024}},
        {"details": {"x": Decimal(1)}},
        {"details": {1: "a key"}},
    ]
    for change in bad:
        with pytest.raises(GovernanceError):
            record_breach(governed, **change)
        governed.rollback()
    governed.commit()
    assert counts(governed) == NOTHING
