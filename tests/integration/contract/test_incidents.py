import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from comptroller.enums import SuppressedReason
from comptroller.errors import GovernanceError
from comptroller.models.killswitch import Incident, IncidentEvent
from comptroller.models.outbox import OutboxNotice
from contract_calls import ANOMALY, NOTHING, OPENED, add_anomaly, counts, open_incident
from sessions import Governed

EVENTS = "SELECT kind, content_hash FROM incident_events ORDER BY id"


def test_incident_first_event_and_notice_are_one_transaction(governed: Governed):
    open_incident(governed)
    assert counts(governed) == NOTHING
    governed.commit()
    assert counts(governed) == OPENED


def test_rollback_takes_incident_event_and_notice_back(governed: Governed):
    open_incident(governed)
    governed.rollback()
    governed.commit()
    assert counts(governed) == NOTHING


def test_incident_holds_what_was_said(governed: Governed):
    said = {"entity_type": "user", "entity_id": "ann", "description": "Ünusual: ∞ 💸"}
    incident_id = open_incident(governed, **said)
    governed.commit()

    def read(session: Session) -> Incident:
        return session.scalars(select(Incident)).one()

    row = governed.run(read)
    assert {name: getattr(row, name) for name in (*ANOMALY, *said)} == {**ANOMALY, **said}
    assert (row.id, row.status, row.suppressed_reason, row.currency) == (incident_id, "open", None, "USD")
    assert (row.source_type, row.title) == ("cost_anomaly", "user spike on user ann")
    assert abs(row.opened_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_event_and_notice_tell_all_of_it(governed: Governed):
    incident_id = open_incident(governed, entity_type="user", entity_id="ann")
    governed.commit()

    def read(session: Session) -> tuple[IncidentEvent, OutboxNotice]:
        return session.scalars(select(IncidentEvent)).one(), session.scalars(select(OutboxNotice)).one()

    event, notice = governed.run(read)
    assert (event.incident_id, event.kind, event.actor) == (incident_id, "opened", "system")
    assert (notice.subject_id, notice.kind, notice.severity) == (incident_id, "incident.opened", "HIGH")
    assert notice.dispatched_at is None
    assert event.detail == notice.payload
    assert event.detail["current_value_cents"] == 15_000
    assert (event.detail["entity_type"], event.detail["entity_id"]) == ("user", "ann")


def test_largest_cents_are_kept(governed: Governed):
    open_incident(governed, current_value_cents=2**63 - 1, expected_value_cents=0)
    governed.commit()
    assert governed.committed("SELECT current_value_cents, expected_value_cents FROM incidents") == [(2**63 - 1, 0)]


def test_suppressed_anomalies_open_their_incidents_without_a_notice(governed: Governed):
    for reason in SuppressedReason:
        add_anomaly(governed, anomaly_id=reason.name, reason=reason.value)
        open_incident(governed, anomaly_id=reason.name)
        governed.commit()
    rows = governed.committed("SELECT status, suppressed_reason FROM incidents ORDER BY id")
    assert rows == [("suppressed", "planned"), ("suppressed", "muted"), ("suppressed", "below_threshold")]
    assert counts(governed) == {**NOTHING, "incidents": 3, "incident_events": 3}


def test_suppression_of_another_tenants_anomaly_does_not_count(governed: Governed):
    add_anomaly(governed, tenant_id="other", currency="EUR", reason="muted")
    open_incident(governed)
    governed.commit()
    assert governed.committed("SELECT status, currency FROM incidents") == [("open", "USD")]


def test_anomalys_currency_is_the_incidents(governed: Governed):
    add_anomaly(governed, currency="EUR")
    open_incident(governed)
    governed.commit()
    assert governed.committed("SELECT currency, status FROM incidents") == [("EUR", "open")]


def test_anomaly_flushed_by_the_same_transaction_is_seen(governed: Governed):
    add_anomaly(governed, currency="SEK")
    governed.execute("UPDATE anomalies SET suppressed_reason = 'planned'")
    open_incident(governed)
    governed.commit()
    assert governed.committed("SELECT currency, status FROM incidents") == [("SEK", "suppressed")]


def test_repeat_with_the_same_content_changes_nothing(governed: Governed):
    first = open_incident(governed)
    governed.commit()
    assert open_incident(governed) == first
    governed.commit()
    assert counts(governed) == OPENED


def test_repeat_in_the_same_transaction_changes_nothing(governed: Governed):
    assert open_incident(governed) == open_incident(governed)
    governed.commit()
    assert counts(governed) == OPENED


def test_repeat_with_another_case_of_severity_is_the_same_content(governed: Governed):
    assert open_incident(governed, severity="high") == open_incident(governed, severity="High")
    governed.commit()
    assert counts(governed) == OPENED


def test_repeat_with_other_content_adds_one_event_per_distinct_content(governed: Governed):
    first = open_incident(governed)
    governed.commit()
    for cents in (16_000, 17_000, 16_000, 15_000):
        assert open_incident(governed, current_value_cents=cents) == first
        governed.commit()
    assert [kind for kind, _ in governed.committed(EVENTS)] == ["opened", "repeated", "repeated"]
    assert counts(governed) == {**OPENED, "incident_events": 3}
    assert governed.committed("SELECT current_value_cents FROM incidents") == [(15_000,)]


def test_repeat_tells_its_own_content(governed: Governed):
    open_incident(governed)
    open_incident(governed, severity="CRITICAL")
    governed.commit()
    details = [row[0] for row in governed.committed("SELECT detail FROM incident_events ORDER BY id")]
    told = [json.loads(detail) if isinstance(detail, str) else detail for detail in details]
    assert [detail["severity"] for detail in told] == ["HIGH", "CRITICAL"]


def test_repeat_of_a_merged_anomaly_answers_with_the_surviving_incident(governed: Governed):
    survivor = open_incident(governed, anomaly_id="survivor")
    merged = open_incident(governed)
    merge = "UPDATE incidents SET merged_into = :into, status = 'merged' WHERE id = :id"
    governed.execute(merge, {"into": survivor, "id": merged})
    governed.commit()
    assert open_incident(governed) == survivor


def test_chain_of_merges_is_followed_to_its_end(governed: Governed):
    ids = [open_incident(governed, anomaly_id=f"anomaly-{number}") for number in (1, 2, 3)]
    merge = "UPDATE incidents SET merged_into = :into, status = 'merged' WHERE id = :id"
    governed.execute(merge, {"into": ids[1], "id": ids[0]})
    governed.execute(merge, {"into": ids[2], "id": ids[1]})
    governed.commit()
    assert open_incident(governed) == ids[2]


def test_same_anomaly_id_of_two_tenants_opens_two_incidents(governed: Governed):
    assert open_incident(governed, tenant_id="acme") != open_incident(governed, tenant_id="umbrella")
    governed.commit()
    assert governed.committed("SELECT tenant_id FROM incidents ORDER BY 1") == [("acme",), ("umbrella",)]


def test_severity_is_taken_in_any_case_of_letters(governed: Governed):
    for word in ("critical", "High", "MEDIUM", "lOw"):
        open_incident(governed, anomaly_id=word, severity=word)
    governed.commit()
    assert governed.committed("SELECT severity FROM incidents ORDER BY id") == [
        ("CRITICAL",),
        ("HIGH",),
        ("MEDIUM",),
        ("LOW",),
    ]


def test_twins_report_the_same_operation_and_the_anomaly(governed: Governed):
    with pytest.raises(GovernanceError) as caught:
        open_incident(governed, severity="urgent")
    error = caught.value
    assert (error.domain, error.operation) == ("Analytics", "create_incident_from_cost_anomaly")
    assert error.entity_id == "anomaly-1"
    assert isinstance(error.__cause__, ValueError)
    assert str(error) == f"[Analytics] create_incident_from_cost_anomaly: {error.message} (entity_id=anomaly-1)"


def test_nothing_bad_is_accepted(governed: Governed):
    bad = [
        {"severity": "urgent"},
        {"severity": None},
        {"anomaly_type": "user spike"},
        {"anomaly_id": ""},
        {"tenant_id": " "},
        {"current_value_cents": -1},
        {"current_value_cents": 1.0},
        {"expected_value_cents": float("nan")},
        {"expected_value_cents": True},
        {"entity_id": ""},
        {"description": 7},
    ]
    for change in bad:
        with pytest.raises(GovernanceError):
            open_incident(governed, **change)
        governed.rollback()
    governed.commit()
    assert counts(governed) == NOTHING


def test_injected_text_is_only_text(governed: Governed):
    evil = "x'); DROP TABLE incidents; --%(id)s :id {} \\"
    open_incident(governed, anomaly_id=evil, entity_id=evil, description=evil)
    governed.commit()
    assert governed.committed("SELECT anomaly_id, entity_id, description FROM incidents") == [(evil, evil, evil)]
