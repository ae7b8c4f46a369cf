from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from comptroller.clock import utc_now
from comptroller.database import create_engine
from comptroller.errors import BadFileError, InvalidInputError
from comptroller.face.library import Comptroller
from comptroller.peppers import Peppers
from comptroller.spine.drivers.cross_domain import create_incident_from_cost_anomaly_sync
from comptroller.spine.orchestrator import background, limits, notices, see
from comptroller.spine.orchestrator.operation import operation
from comptroller.types.caller import Caller
from comptroller.worker.jobs import WORKS, pull, retain, run_if_due
from comptroller.worker.loop import Worker
from desks import TurnedClock

BY_NAME = {work.name: work for work in WORKS}
MINUTE = timedelta(minutes=1)
BILL = "series_id,day,cost\n" + "".join(f"S3,2026-02-{day:02d},10\n" for day in range(1, 29))


class Shop:
    """A tenant over a database, with a clock that tests turn."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = create_engine(url)
        self.clock = TurnedClock()
        self.caller = Caller("acme", "ana", self.clock)

    def __call__(self, use_case: Any, *args: Any, **kwargs: Any) -> Any:
        return use_case.run(self.engine, self.caller, *args, **kwargs)

    def rows(self, statement: str) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(text(statement)))


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    made = Shop(database_url)
    yield made
    made.engine.dispose()


@operation
def open_one(session: Any, caller: Any) -> str:
    return create_incident_from_cost_anomaly_sync(session, caller.tenant, "a1", "SPIKE", "HIGH", 2, 1)


def test_one_worker_at_a_time_has_a_job_and_a_dead_ones_job_is_taken_up(shop: Shop):
    assert shop(background.claim_job, "sweep", "one", lease=MINUTE)
    assert not shop(background.claim_job, "sweep", "two", lease=MINUTE)
    shop.clock.turn(seconds=61)
    assert shop(background.claim_job, "sweep", "two", lease=MINUTE)
    late = {"took": MINUTE, "error": "late", "due_at": shop.clock()}
    shop(background.finish_job, "sweep", "one", **late)
    shop(background.finish_job, "sweep", "two", took=MINUTE, error=None, due_at=shop.clock() + MINUTE)
    (job,) = shop(background.list_jobs)
    assert (job.failures, job.last_error, job.succeeded_at) == (0, None, shop.clock())
    assert not shop(background.claim_job, "sweep", "two", lease=MINUTE)


def test_failures_in_a_row_are_counted_until_a_success(shop: Shop):
    for number in range(3):
        assert shop(background.claim_job, "pull", "one", lease=MINUTE)
        error = None if number == 2 else "it broke"
        shop(background.finish_job, "pull", "one", took=MINUTE, error=error, due_at=shop.clock())
        (job,) = shop(background.list_jobs)
        assert job.failures == (0 if number == 2 else number + 1)
        assert job.last_error == error


def test_a_sweep_ends_holds_whose_life_is_over(shop: Shop):
    shop(limits.create_limit, "daily", ceiling="10 USD", every="day")
    with Comptroller(create_engine(shop.url), shop.caller) as ct:
        ct.reserve("3 USD", seconds=60)
    shop.clock.turn(seconds=61)
    assert run_if_due(shop.engine, shop.caller, BY_NAME["sweep"], "one")
    assert not run_if_due(shop.engine, shop.caller, BY_NAME["sweep"], "two")
    assert shop.rows("SELECT count(*) FROM open_holds") == [(0,)]
    assert shop.rows("SELECT spent, held FROM balances") == [(3_000_000_000, 0)]


def test_detection_is_due_again_as_soon_as_costs_were_delivered(shop: Shop, tmp_path: Path):
    detect = BY_NAME["detect"]
    assert run_if_due(shop.engine, shop.caller, detect, "one")
    shop.clock.turn(seconds=5)
    assert not run_if_due(shop.engine, shop.caller, detect, "one")
    (tmp_path / "bill.csv").write_text(BILL)
    add_source(shop, tmp_path)
    shop.clock.turn(seconds=61)
    pull(shop.engine, shop.caller)
    shop.clock.turn(seconds=1)
    assert run_if_due(shop.engine, shop.caller, detect, "one")
    assert not run_if_due(shop.engine, shop.caller, detect, "one")


def add_source(shop: Shop, folder: Path) -> None:
    shop(background.add_source, "bills", str(folder / "bill.csv"), every_seconds=60, stale_seconds=86_400, format=None)


def test_a_source_is_pulled_once_for_each_content_and_stale_after_a_while(shop: Shop, tmp_path: Path):
    (tmp_path / "bill.csv").write_text(BILL)
    add_source(shop, tmp_path)
    pull(shop.engine, shop.caller)
    (source,) = shop(background.list_sources)
    assert source.news_at == shop.clock()
    assert shop.rows("SELECT count(*) FROM cost_deliveries") == [(1,)]
    for _ in range(2):
        shop.clock.turn(hours=25)
        pull(shop.engine, shop.caller)
    assert shop.rows("SELECT count(*) FROM cost_deliveries") == [(1,)]
    assert shop.rows("SELECT anomaly_type, entity_id FROM incidents") == [("SOURCE_STALE", "bills")]


def test_a_source_that_cannot_be_read_is_told_in_its_job(shop: Shop, tmp_path: Path):
    add_source(shop, tmp_path / "nowhere")
    with pytest.raises(BadFileError, match="nowhere"):
        pull(shop.engine, shop.caller)
    told = [job for job in shop(background.list_jobs) if job.name == "pull:bills"]
    assert (told[0].failures, "nowhere" in str(told[0].last_error)) == (1, True)


@pytest.mark.parametrize("url", ["s3://key:secret@bucket/x", "https://x/?sig=abc"])
def test_a_source_holds_no_credentials(shop: Shop, url: str):
    with pytest.raises(InvalidInputError, match="no credentials"):
        shop(background.add_source, "bills", url)


def test_retention_removes_what_was_told_long_ago_and_nothing_that_waits(shop: Shop):
    shop(open_one)
    shop.clock.turn(days=401)
    retain(shop.engine, shop.caller)
    assert shop.rows("SELECT count(*) FROM outbox") == [(1,)]
    shop(notices.dispatch)
    retain(shop.engine, shop.caller)
    assert shop.rows("SELECT count(*) FROM outbox") == [(1,)]  # ids are of the wall clock: it was made today
    later = Caller("acme", "ana", lambda: shop.clock() + timedelta(days=500))
    retain(shop.engine, later)
    assert shop.rows("SELECT count(*) FROM outbox") == [(0,)]
    assert shop.rows("SELECT count(*) FROM incidents") == [(1,)]


def test_the_loop_goes_on_whatever_a_job_raises(shop: Shop):
    worker = Worker(shop.engine, Peppers((("1", b"p" * 32),)))
    seen: list[int] = []

    def broken() -> None:
        seen.append(1)
        raise ZeroDivisionError

    worker.guarded("broken", broken)
    worker.guarded("whole", lambda: seen.append(2))
    assert seen == [1, 2]


def test_the_doctor_tells_of_notices_that_wait_and_jobs_that_fail(shop: Shop):
    shop(open_one)
    later = Caller("acme", "ana", lambda: utc_now() + timedelta(minutes=11))
    for _ in range(3):
        background.claim_job.run(shop.engine, later, "pull", "one", lease=MINUTE)
        done = {"took": MINUTE, "error": "the bucket is gone", "due_at": utc_now()}
        background.finish_job.run(shop.engine, later, "pull", "one", **done)
    told = [one.told for one in see.doctor.run(shop.engine, later) if one.name in {"notices", "jobs"}]
    assert len(told) == 2
    assert told[0].startswith("the oldest has waited since")
    assert told[1] == "pull failed 3 times in a row: the bucket is gone"
