"""An anomaly's course over runs: it goes on, grows worse, ends, or turns out to be one with another."""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy.orm import Session

import bills
from comptroller.database import create_engine
from comptroller.enums import AnomalyKind, Severity
from comptroller.spine.drivers.cross_domain import create_incident_from_cost_anomaly_sync
from comptroller.types.anomalies import Change
from faces import Face

WriteBill = Callable[..., Path]
START = 60


def deliver(face: Face, bill: WriteBill, until: int, services: dict[str, bills.Cost], **options):
    """Deliver everything up to a day, in the morning after it."""
    face.turn_to(bills.noon(until))
    return face.scan(bill(f"until{until}.csv", bills.rows(services, range(until))), **options)


def lasting(level: float = 200, factor: float = 5, *, start: int = START, end: int = 10_000) -> dict[str, bills.Cost]:
    return {"Amazon EC2": bills.spiked(level, range(start, end), factor), "Amazon S3": bills.steady(50)}


def test_one_that_goes_on_extends_its_incident(every_face: Face, bill: WriteBill):
    services = lasting()
    first = deliver(every_face, bill, START + 3, services).detection.found
    assert [found.change for found in first] == [Change.OPENED]
    second = deliver(every_face, bill, START + 5, services).detection.found
    assert [found.change for found in second] == [Change.EXTENDED]
    assert first[0].incident_id == second[0].incident_id
    assert second[0].anomaly.end_at > first[0].anomaly.end_at
    incident = every_face.do("incidents.get", second[0].incident_id)
    assert incident.current_value_cents == int(second[0].anomaly.actual * 100)
    assert len(every_face.do("incidents.list")) == 1
    assert every_face.rows("SELECT kind FROM outbox") == [("incident.opened",)]


def test_one_that_grows_graver_is_told_again(face: Face, bill: WriteBill):
    services = {"Amazon EC2": bills.spiked(20, range(START, 10_000), 2), "Amazon S3": bills.steady(200)}
    order = list(Severity)
    gravest, notices, incidents = None, [], set()
    for day in (START + 2, START + 5, START + 12, START + 25):
        (found,) = deliver(face, bill, day, services).detection.found
        if gravest is None or order.index(found.anomaly.severity) < order.index(gravest):
            notices.append("incident.opened" if gravest is None else "incident.escalated")
            gravest = found.anomaly.severity
        incidents.add(found.incident_id)
    (incident_id,) = incidents
    assert face.do("incidents.get", incident_id).severity is gravest
    assert notices.count("incident.escalated") >= 1
    assert [kind for (kind,) in face.rows("SELECT kind FROM outbox ORDER BY id")] == notices


def test_an_incident_never_grows_milder(face: Face, bill: WriteBill):
    (found,) = deliver(face, bill, START + 3, lasting()).detection.found
    gravest = found.anomaly.severity
    milder = {
        "Amazon EC2": lambda day: 1000 if START <= day < START + 2 else 200,
        "Amazon S3": bills.steady(50),
    }
    deliver(face, bill, START + 6, milder, arrival="replace")
    assert face.do("incidents.get", found.incident_id).severity is gravest


def test_one_that_ends_closes_its_window_once_the_days_are_settled(every_face: Face, bill: WriteBill):
    services = lasting(end=START + 3)
    (found,) = deliver(every_face, bill, START + 3, services).detection.found
    assert found.anomaly.is_open
    (provisional,) = deliver(every_face, bill, START + 4, services).detection.found
    assert provisional.anomaly.is_open
    deliver(every_face, bill, START + 9, services)
    (anomaly,) = every_face.do("anomalies.list")
    assert not anomaly.is_open
    assert anomaly.end_at.date() == bills.day_after(START + 3)
    incident = every_face.do("incidents.get", found.incident_id)
    assert [event.kind for event in incident.timeline].count("anomaly_ended") == 1
    assert incident.status == "open"
    before = every_face.tables()
    every_face.do("anomalies.detect")
    assert every_face.tables() == before


def test_days_still_being_filled_are_no_drop(face: Face, bill: WriteBill):
    services = {"Amazon EC2": bills.steady(200), "Amazon S3": bills.steady(50)}
    rows = bills.rows(services, range(START))
    rows = [row for row in rows if row["ServiceName"] != "Amazon EC2" or row["ChargePeriodStart"] < "2026-07-29"]
    face.turn_to(bills.noon(START))
    assert face.scan(bill("bill.csv", rows)).detection.found == ()


def test_a_service_that_falls_silent_is_a_drop_once_settled(face: Face, bill: WriteBill):
    services = {"Amazon EC2": bills.steady(200), "Amazon S3": bills.steady(50)}
    rows = [
        row
        for row in bills.rows(services, range(START + 8))
        if row["ServiceName"] != "Amazon EC2" or row["ChargePeriodStart"] < bills.day_after(START).isoformat()
    ]
    face.turn_to(bills.noon(START + 8))
    (found,) = face.scan(bill("bill.csv", rows)).detection.found
    assert (found.anomaly.kind, found.anomaly.value) == (AnomalyKind.DROP, "Amazon EC2")


def test_merged_anomalies_answer_for_both_ids(face: Face, bill: WriteBill):
    """Two bursts with calm days between them turn out to be one when the calm days are restated."""
    gap = 4
    hot = {*range(START, START + 3), *range(START + 3 + gap, START + 6 + gap)}
    until = START + 12 + gap
    apart = {"Amazon EC2": bills.spiked(200, hot, 5), "Amazon S3": bills.steady(50)}
    report = deliver(face, bill, until, apart)
    first, second = sorted(report.detection.found, key=lambda found: found.anomaly.start_at)
    whole = {"Amazon EC2": bills.spiked(200, range(START, START + 6 + gap), 5), "Amazon S3": bills.steady(50)}
    face.scan(bill("restated.csv", bills.rows(whole, range(until))))
    merged = face.do("anomalies.get", second.anomaly.id)
    assert merged.merged_into == first.anomaly.id
    assert [one.id for one in face.do("anomalies.list")] == [first.anomaly.id]
    folded = face.do("incidents.get", second.incident_id)
    assert (folded.status, folded.merged_into) == ("merged", first.incident_id)
    kinds = [event.kind for event in face.do("incidents.get", first.incident_id).timeline]
    assert "merged" in kinds
    before = face.tables()
    report = face.do("anomalies.detect")
    assert face.tables() == before
    assert [found.incident_id for found in report.found] == [first.incident_id]
    engine = create_engine(face.url)
    with Session(engine) as session:
        answers = {
            create_incident_from_cost_anomaly_sync(
                session, "acme", anomaly_id, "BURST", "HIGH", 1, 1, "service", "Amazon EC2", None
            )
            for anomaly_id in (first.anomaly.id, second.anomaly.id)
        }
        session.rollback()
    engine.dispose()
    assert answers == {first.incident_id}
