"""Two who do the same at once: one does it, the other finds it done or is told to begin again."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import bills
from comptroller import ComptrollerError
from faces import Face

WriteBill = Callable[..., Path]
SERVICES = {"Amazon EC2": bills.spiked(200, (80, 81), 5), "Amazon S3": bills.steady(50)}
LASTING = {"Amazon EC2": bills.spiked(200, range(80, 10_000), 5), "Amazon S3": bills.steady(50)}


@pytest.fixture
def pair(database_url: str) -> Iterator[tuple[Face, Face]]:
    """Give two processes' libraries over one database."""
    with asyncio.Runner() as runner:
        faces = Face(database_url, is_async=False, runner=runner), Face(database_url, is_async=False, runner=runner)
        yield faces
        for face in faces:
            face.close()


def at_once(*jobs: Callable[[], object]) -> list[ComptrollerError]:
    """Do jobs in threads that begin together; return what was refused."""
    refused: list[ComptrollerError] = []
    gate = threading.Barrier(len(jobs))

    def do(job: Callable[[], object]) -> None:
        gate.wait()
        try:
            job()
        except ComptrollerError as error:
            refused.append(error)

    threads = [threading.Thread(target=do, args=[job]) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return refused


def test_the_same_file_delivered_at_once_is_stored_once(pair: tuple[Face, Face], bill: WriteBill):
    file = bill("bill.csv", bills.rows(SERVICES))
    one, other = pair
    refused = at_once(lambda: one.do("costs.ingest", file), lambda: other.do("costs.ingest", file))
    assert len(refused) <= 1
    assert all("begin again" in str(error) for error in refused)
    assert one.value("SELECT COUNT(*) FROM cost_rows") == 2 * bills.DAYS
    assert one.do("costs.ingest", file).is_unchanged


def test_detections_at_once_open_one_incident(pair: tuple[Face, Face], bill: WriteBill):
    one, other = pair
    one.do("limits.create", "monthly", ceiling="1000 USD", every="month")
    one.do("costs.ingest", bill("bill.csv", bills.rows(SERVICES)))
    refused = at_once(lambda: one.do("anomalies.detect"), lambda: other.do("anomalies.detect"))
    assert len(refused) <= 1
    one.do("anomalies.detect")
    anomalies = one.value("SELECT COUNT(*) FROM anomalies")
    exceeded = one.value("SELECT COUNT(*) FROM incidents WHERE anomaly_type = 'BUDGET_EXCEEDED'")
    assert anomalies == one.value("SELECT COUNT(*) FROM incidents")
    assert exceeded == one.value("SELECT COUNT(*) FROM limit_breaches") == 3
    assert one.value("SELECT COUNT(*) FROM outbox") == anomalies + exceeded
    assert one.value("SELECT COUNT(*) FROM incident_events") == anomalies


def test_detections_at_once_extend_and_close_once(pair: tuple[Face, Face], bill: WriteBill):
    one, other = pair
    for face in pair:
        face.turn_to(bills.noon(83))
    one.scan(bill("first.csv", bills.rows(LASTING, range(83))))
    for until, services in ((86, LASTING), (92, LASTING | {"Amazon EC2": bills.spiked(200, range(80, 86), 5)})):
        for face in pair:
            face.turn_to(bills.noon(until))
        one.do("costs.ingest", bill(f"{until}.csv", bills.rows(services, range(until))))
        assert at_once(lambda: one.do("anomalies.detect"), lambda: other.do("anomalies.detect")) == []
    (incident,) = one.do("incidents.list")
    kinds = [event.kind for event in one.do("incidents.get", incident.id).timeline]
    assert kinds.count("anomaly_ended") == 1
    assert one.value("SELECT COUNT(*) FROM outbox WHERE kind = 'incident.opened'") == 1
    assert one.value("SELECT COUNT(*) FROM outbox") == 1 + kinds.count("escalated")
