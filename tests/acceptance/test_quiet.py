"""Nothing prevents an anomaly or its incident: what is planned, muted or small opens suppressed, without a notice."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

import bills
from comptroller import InvalidInputError, NotFoundError
from comptroller.enums import Feedback, IncidentStatus, SuppressedReason
from faces import Face

SERVICES = {"Amazon EC2": bills.spiked(200, (80, 81), 5), "Amazon S3": bills.steady(50)}
WriteBill = Callable[..., Path]


@pytest.fixture
def spiked(bill: WriteBill) -> Path:
    return bill("bill.csv", bills.rows(SERVICES))


def require_suppressed(face: Face, report, reason: SuppressedReason):
    (found,) = report.detection.found
    assert found.anomaly.suppressed_reason is reason
    incident = face.do("incidents.get", found.incident_id)
    assert (incident.status, incident.suppressed_reason) == (IncidentStatus.SUPPRESSED, reason)
    assert [event.kind for event in incident.timeline] == ["opened"]
    assert face.rows("SELECT * FROM outbox") == []
    return incident


def test_a_planned_window_suppresses(face: Face, spiked: Path):
    face.do("anomalies.plan", start=bills.day_after(79), end=bills.day_after(83), reason="load test")
    require_suppressed(face, face.scan(spiked), SuppressedReason.PLANNED)


def test_a_planned_window_of_another_service_does_not(lite: Face, spiked: Path):
    scope = {"dimension": "service", "value": "Amazon S3"}
    lite.do("anomalies.plan", start=bills.day_after(79), end=bills.day_after(83), reason="load test", **scope)
    (found,) = lite.scan(spiked).detection.found
    assert found.anomaly.suppressed_reason is None


def test_a_muted_series_suppresses_until_it_is_told_again(face: Face, bill: WriteBill, spiked: Path):
    face.do("anomalies.mute", "service", "Amazon EC2", reason="known noise")
    require_suppressed(face, face.scan(spiked), SuppressedReason.MUTED)
    face.do("anomalies.unmute", "service", "Amazon EC2")
    with pytest.raises(NotFoundError):
        face.do("anomalies.unmute", "service", "Amazon EC2")
    later = {"Amazon EC2": bills.spiked(200, (80, 81, 95, 96), 5), "Amazon S3": bills.steady(50)}
    face.turn_to(bills.noon(100))
    face.scan(bill("later.csv", bills.rows(later, range(100))))
    statuses = face.rows("SELECT status FROM incidents ORDER BY opened_at, id")
    assert statuses == [("suppressed",), ("open",)]


def test_below_the_threshold_suppresses(face: Face, spiked: Path):
    report = face.scan(spiked, min_amount=Decimal(5000))
    require_suppressed(face, report, SuppressedReason.BELOW_THRESHOLD)


def test_a_percentage_can_be_the_threshold(lite: Face, spiked: Path):
    require_suppressed(lite, lite.scan(spiked, min_percent=Decimal(900)), SuppressedReason.BELOW_THRESHOLD)


def test_a_suppressed_incident_can_be_opened_by_a_person(face: Face, spiked: Path):
    (found,) = face.scan(spiked, min_amount=Decimal(5000)).detection.found
    incident = face.do("incidents.reopen", found.incident_id)
    assert incident.status is IncidentStatus.OPEN
    assert face.rows("SELECT kind FROM outbox") == [("incident.reopened",)]


def test_a_threshold_that_is_no_number_is_refused(lite: Face, spiked: Path):
    before = lite.tables()["cost_deliveries"]
    with pytest.raises(InvalidInputError):
        lite.scan(spiked, min_amount=Decimal("NaN"))
    assert lite.tables()["cost_deliveries"] == before


def test_feedback_is_on_record_at_once_and_changes_nothing_else(face: Face, spiked: Path):
    (found,) = face.scan(spiked).detection.found
    anomaly = face.do("anomalies.feedback", found.anomaly.id, "false", note="yearly invoice")
    assert anomaly.feedback is Feedback.FALSE
    incident = face.do("incidents.get", found.incident_id)
    assert incident.status is IncidentStatus.OPEN
    assert incident.timeline[-1].detail == {"feedback": "false", "note": "yearly invoice"}
    before = face.tables()
    face.do("anomalies.detect")
    assert face.tables() == before


def test_planned_as_feedback_quietens_the_next_run_only(face: Face, bill: WriteBill, spiked: Path):
    (found,) = face.scan(spiked).detection.found
    face.do("anomalies.feedback", found.anomaly.id, "planned")
    assert face.do("incidents.get", found.incident_id).status is IncidentStatus.OPEN
    later = {"Amazon EC2": bills.spiked(200, (80, 81, 95, 96), 5), "Amazon S3": bills.steady(50)}
    face.turn_to(bills.noon(100))
    face.scan(bill("later.csv", bills.rows(later, range(100))))
    assert face.rows("SELECT status FROM incidents ORDER BY id") == [("open",), ("open",)]


def test_repeats_of_what_was_called_false_need_more(face: Face, bill: WriteBill):
    def services(days: range) -> dict[str, bills.Cost]:
        spikes = [day for day in (50, 60, 70, 80, 92) if day in days]
        return {"Amazon EC2": bills.spiked(200, spikes, 1.6), "Amazon S3": bills.steady(50)}

    face.turn_to(bills.noon(85))
    told = face.scan(bill("first.csv", bills.rows(services(range(85)), range(85)))).detection.found
    assert len(told) >= 2
    for found in told:
        face.do("anomalies.feedback", found.anomaly.id, "false")
    face.turn_to(bills.noon(97))
    report = face.scan(bill("second.csv", bills.rows(services(range(97)), range(97))))
    assert all(found.anomaly.end_at <= told[-1].anomaly.end_at or found.incident_id for found in report.detection.found)
    starts = {found.anomaly.start_at.date() for found in report.detection.found}
    assert bills.day_after(92) not in starts
    assert face.value("SELECT COUNT(*) FROM anomalies") == len(told)
