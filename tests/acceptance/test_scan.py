from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

import bills
from comptroller import GovernanceError
from comptroller.enums import AnomalyKind, IncidentStatus, Severity
from comptroller.spine.orchestrator.scanning import scan
from comptroller.types.anomalies import Change
from faces import Face, changed

SPIKE_DAYS = (80, 81)
SERVICES = {
    "Amazon EC2": bills.spiked(200, SPIKE_DAYS, 5),
    "Amazon S3": bills.steady(50),
    "AWS Lambda": bills.steady(10),
}
WriteBill = Callable[..., Path]


@pytest.fixture
def spiked(bill: WriteBill) -> Path:
    return bill("bill.csv", bills.rows(SERVICES))


def test_a_file_becomes_an_anomaly_an_incident_its_timeline_and_its_notice(every_face: Face, spiked: Path):
    report = every_face.scan(spiked)
    (found,) = report.detection.found
    anomaly = found.anomaly
    assert (anomaly.kind, anomaly.dimension, anomaly.value) == (AnomalyKind.BURST, "service", "Amazon EC2")
    assert anomaly.start_at.date() == bills.day_after(80)
    incident = every_face.do("incidents.get", found.incident_id)
    assert (incident.anomaly_id, incident.status, incident.severity) == (
        anomaly.id, IncidentStatus.OPEN, Severity.CRITICAL
    )  # fmt: skip
    assert incident.current_value_cents == int(anomaly.actual * 100)
    assert [event.kind for event in incident.timeline] == ["opened"]
    notices = every_face.rows("SELECT tenant_id, kind, subject_id, severity FROM outbox")
    assert notices == [("acme", "incident.opened", incident.id, "CRITICAL")]


def test_what_is_detected_is_what_the_library_lists(every_face: Face, spiked: Path):
    every_face.do("costs.ingest", spiked)
    report = every_face.do("anomalies.detect")
    listed = every_face.do("anomalies.list")
    assert [one.id for one in listed] == [found.anomaly.id for found in report.found]
    assert [one.id for one in every_face.do("incidents.list")] == [found.incident_id for found in report.found]


def test_every_row_is_kept_exactly(face: Face, spiked: Path):
    report = face.scan(spiked)
    assert report.costs.row_count == face.value("SELECT COUNT(*) FROM cost_rows") == 3 * bills.DAYS
    exact = sum(Decimal(row["EffectiveCost"]) for row in bills.rows(SERVICES))
    stored = face.rows("SELECT effective_cost, effective_quanta FROM cost_rows")
    assert sum(Decimal(str(cost)) for cost, _ in stored) == exact == Decimal(sum(q for _, q in stored)) / 10**9


def test_a_second_run_over_the_same_file_adds_nothing(every_face: Face, spiked: Path):
    every_face.scan(spiked)
    before = every_face.tables()
    report = every_face.scan(spiked)
    assert report.costs.is_unchanged
    assert [found.change for found in report.detection.found] == [Change.UNCHANGED]
    assert every_face.tables() == before


def test_another_detection_with_a_later_clock_adds_nothing(face: Face, spiked: Path):
    face.scan(spiked)
    before = face.tables()
    face.clock.turn(days=3)
    face.do("anomalies.detect")
    assert face.tables() == before


def test_the_same_content_under_another_name_changes_nothing(face: Face, bill: WriteBill, spiked: Path):
    face.scan(spiked)
    before = face.tables()
    report = face.scan(bill("renamed.csv", bills.rows(SERVICES)))
    assert report.costs.is_unchanged
    assert face.tables() == before


def rehearse(face: Face, *paths: Path):
    return scan.rehearse(face.library.engine, face.library.caller, *paths)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_dry_run_says_the_same_and_writes_nothing(
    database: str, request: pytest.FixtureRequest, spiked: Path, tmp_path: Path
):
    import asyncio

    url = str(request.getfixturevalue("sqlite_url" if database == "sqlite" else "postgres_url"))
    with asyncio.Runner() as runner:
        face = Face(url, is_async=False, runner=runner)
        face.do("limits.create", "all-monthly", ceiling="500 USD", every="month")
        before = face.tables()
        dry = rehearse(face, spiked)
        assert face.tables() == before
        wet = face.scan(spiked)
        face.close()
    assert {found.anomaly.kind for found in dry.detection.found} >= {AnomalyKind.BURST, AnomalyKind.BUDGET_EXCEEDED}
    assert [found.anomaly for found in dry.detection.found] == [found.anomaly for found in wet.detection.found]


def test_a_dry_detection_writes_nothing_and_finds_what_the_wet_one_finds(face: Face, spiked: Path):
    face.do("costs.ingest", spiked)
    face.do("limits.create", "all-monthly", ceiling="500 USD", every="month")
    before = face.tables()
    dry = face.do("anomalies.detect", dry_run=True)
    assert face.tables() == before
    wet = face.do("anomalies.detect")
    assert [found.anomaly for found in dry.found] == [found.anomaly for found in wet.found]


def test_tenants_never_meet(face: Face, spiked: Path):
    face.scan(spiked)
    mine = face.tables()
    other = face.another("globex")
    assert other.do("anomalies.detect").found == ()
    assert other.do("incidents.list") == other.do("anomalies.list") == []
    report = other.scan(spiked)
    assert not report.costs.is_unchanged
    (incident,) = other.do("incidents.list")
    assert incident.id != face.do("incidents.list")[0].id
    other.close()
    after = face.tables()
    assert all(set(rows) <= set(after[name]) for name, rows in mine.items())
    counted = face.rows("SELECT tenant_id, COUNT(*) FROM cost_rows GROUP BY tenant_id ORDER BY tenant_id")
    assert counted == [("acme", 3 * bills.DAYS), ("globex", 3 * bills.DAYS)]


def test_another_tenants_incident_cannot_be_touched(face: Face, spiked: Path):
    from comptroller import NotFoundError

    (found,) = face.scan(spiked).detection.found
    other = face.another("globex")
    for verb in ("incidents.get", "incidents.acknowledge", "incidents.resolve"):
        with pytest.raises(NotFoundError):
            other.do(verb, found.incident_id)
    with pytest.raises(NotFoundError):
        other.do("anomalies.feedback", found.anomaly.id, "false")
    other.close()


def test_without_its_incident_an_anomaly_is_not_written(every_face: Face, spiked: Path):
    every_face.do("costs.ingest", spiked)
    every_face.execute("ALTER TABLE incidents RENAME TO incidents_away")
    before = every_face.tables()
    with pytest.raises(GovernanceError):
        every_face.do("anomalies.detect")
    assert every_face.tables() == before
    every_face.execute("ALTER TABLE incidents_away RENAME TO incidents")
    every_face.do("anomalies.detect")
    assert every_face.value("SELECT COUNT(*) FROM anomalies") == every_face.value("SELECT COUNT(*) FROM incidents") == 1


def test_without_its_notice_neither_anomaly_nor_incident_is_written(lite: Face, spiked: Path):
    lite.do("costs.ingest", spiked)
    lite.execute("CREATE TRIGGER no BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'outbox is shut'); END")
    before = lite.tables()
    with pytest.raises(GovernanceError, match="outbox is shut"):
        lite.do("anomalies.detect")
    assert lite.tables() == before
    lite.execute("DROP TRIGGER no")
    lite.do("anomalies.detect")
    assert changed(before, lite.tables()) == ["anomalies", "anomaly_series", "incident_events", "incidents", "outbox"]


def test_what_people_do_to_an_incident_is_on_its_timeline(face: Face, spiked: Path):
    (found,) = face.scan(spiked).detection.found
    face.do("incidents.acknowledge", found.incident_id, note="looking")
    face.do("incidents.comment", found.incident_id, "asked the team")
    incident = face.do("incidents.resolve", found.incident_id, note="job stopped")
    assert incident.status is IncidentStatus.RESOLVED
    assert [(event.kind, event.actor) for event in incident.timeline] == [
        ("opened", "system"), ("acknowledged", "ana"), ("comment", "ana"), ("resolved", "ana")
    ]  # fmt: skip
    kinds = [kind for (kind,) in face.rows("SELECT kind FROM outbox ORDER BY id")]
    assert kinds == ["incident.opened", "incident.resolved"]
    before = face.tables()
    face.do("anomalies.detect")
    assert face.tables() == before
