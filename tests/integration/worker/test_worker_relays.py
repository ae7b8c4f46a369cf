"""Two relays, one killed in the middle: nothing is missing, and what comes twice has the same id."""

import os
import subprocess
import sys
import time
from collections import Counter
from typing import Any

from comptroller.database import create_engine
from comptroller.domains.incidents.driver.changing import queue_notice
from comptroller.enums import Severity
from comptroller.peppers import load_peppers
from comptroller.spine.orchestrator import notices
from comptroller.spine.orchestrator.operation import operation
from comptroller.types.caller import Caller
from receivers import webhook_receiver

NOTICES = 400
SECONDS = 60
PEPPERS = f"1:{'5e' * 32}"


@operation
def queue_many(session: Any, caller: Any, count: int) -> None:
    for number in range(count):
        queue_notice(
            session, caller.tenant, kind="kill.engaged", subject_id=f"kill-{number}", severity=Severity.LOW,
            payload={"where": {"agent": f"a{number}"}, "by": "ana"}, now=caller.now(),
        )  # fmt: skip


def relay(url: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "comptroller", "worker", "--database", url, "--tenant", "acme"]
    environment = {**os.environ, "COMPTROLLER_PEPPERS": PEPPERS}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_nothing_is_missing_when_a_relay_is_killed_and_a_repeat_has_the_same_id(postgres_url: str, monkeypatch: Any):
    monkeypatch.setenv("COMPTROLLER_PEPPERS", PEPPERS)
    engine, caller = create_engine(postgres_url), Caller("acme", "ana")
    with webhook_receiver() as hook:
        for name in ("one", "two"):
            target = f"{hook.url}{name}"
            notices.add_channel.run(engine, caller, load_peppers(None), name, target, allows_private=True)
        queue_many.run(engine, caller, NOTICES)
        hook.statuses = [500, 503]
        relays = [relay(postgres_url), relay(postgres_url)]
        try:
            wait_for(lambda: len(hook.taken) > NOTICES // 4)
            relays[0].kill()
            # A claim lasts three minutes: the clock of the claims is set forward instead of waiting.
            relays[0].wait()
            free_claims(engine)
            wait_for(lambda: len({headers["webhook-id"] for headers, _ in hook.taken}) == 2 * NOTICES)
        finally:
            for one in relays:
                one.kill()
                one.wait()
        times = Counter(headers["webhook-id"] for headers, _ in hook.taken)
        assert len(times) == 2 * NOTICES
        with engine.connect() as connection:
            states = connection.exec_driver_sql("SELECT state, count(*) FROM deliveries GROUP BY state").all()
            ids = set(connection.exec_driver_sql("SELECT id FROM deliveries").scalars())
        assert set(times) == ids
        assert sum(count for _, count in states) == 2 * NOTICES
    engine.dispose()


def free_claims(engine: Any) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE deliveries SET due_at = now() WHERE state = 'waiting'")


def wait_for(is_so: Any) -> None:
    end = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.05)
