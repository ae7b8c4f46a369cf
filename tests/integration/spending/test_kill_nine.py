"""Workers killed by ``kill -9`` in the middle: what was acknowledged is there, and nothing is overspent."""

import multiprocessing
import time
from pathlib import Path

from sqlalchemy import text

from comptroller.database import create_engine
from comptroller.domains.policies.driver.derive import unbalanced
from comptroller.face.library import Comptroller
from comptroller.types.caller import Caller
from worker_under_fire import work

WORKERS, WAVES, SECONDS = 2, 3, 0.8
CEILING = 3 * 10**9


def wave(url: str, folder: Path, number: int) -> None:
    """Start workers and kill each at a moment of its own."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["worker_under_fire"])
    journals = [folder / f"{number}-{each}.journal" for each in range(WORKERS)]
    workers = [
        context.Process(target=work, args=(url, str(journal), number * 100 + each))
        for each, journal in enumerate(journals)
    ]
    for worker in workers:
        worker.start()
    deadline = time.monotonic() + 30
    while not all(journal.exists() and journal.stat().st_size for journal in journals):
        assert time.monotonic() < deadline, "the workers did not start"
        time.sleep(0.02)
    time.sleep(SECONDS)
    for worker in workers:
        worker.kill()
        worker.join()


def test_nothing_acknowledged_is_lost_and_nothing_overspent_when_workers_are_killed(database_url: str, tmp_path: Path):
    face = Comptroller(create_engine(database_url), Caller("acme"))
    face.limits.create("total", ceiling="3 USD")
    face.limits.create("per-team", ceiling="2 USD", per=["team"])
    for number in range(WAVES):
        wave(database_url, tmp_path, number)
    face.close()
    said = [line.split() for file in tmp_path.glob("*.journal") for line in file.read_text().splitlines()]
    engine = create_engine(database_url)
    with engine.connect() as conn:
        entries = {
            (str(hold_id).replace("-", ""), kind)
            for hold_id, kind in conn.execute(text("SELECT hold_id, kind FROM entries"))
        }
        breaches = {row[0] for row in conn.execute(text("SELECT id FROM limit_breaches"))}
        balances = conn.execute(text("SELECT spent + held FROM balances")).all()
        wrong = unbalanced(conn, "acme")
    engine.dispose()
    kinds = {"held": "reserve", "settled": "settle", "released": "release"}
    lost = [line for line in said if line[0] in kinds and (line[1], kinds[line[0]]) not in entries]
    unrecorded = [line for line in said if line[0] == "refused" and line[1] not in breaches]
    assert len(said) > 100
    assert (lost, unrecorded, wrong) == ([], [], [])
    assert max(total for (total,) in balances) <= CEILING
