import sqlite3
import threading
import time
from typing import Any

import pytest
from sqlalchemy import event, text

from comptroller.database import create_engine
from comptroller.domains.policies.driver.derive import unbalanced
from comptroller.face.library import Comptroller
from comptroller.types.caller import Caller

MOMENTS = ["commit", "before_cursor_execute"]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_leader_that_is_interrupted_leaves_the_others_to_the_next(sqlite_url: str, moment: str):
    face = Comptroller(create_engine(sqlite_url), Caller("acme"))
    face.limits.create("total", ceiling="50 USD")
    face.reserve("1 USD").release()
    told: dict[int, Any] = {}

    def call(number: int) -> None:
        try:
            told[number] = face.reserve("1 USD").id
        except KeyboardInterrupt as error:
            told[number] = error

    # Somebody else holds the database's only lock, so that the first caller waits and the others queue behind it.
    blocker = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    threads = []
    for number in range(4):
        threads.append(threading.Thread(target=call, args=(number,)))
        threads[-1].start()
        time.sleep(0.05)
    seen = []

    def interrupt(*_: Any) -> None:
        seen.append(threading.current_thread())
        if seen[0] is not seen[-1] and not any(isinstance(answer, KeyboardInterrupt) for answer in told.values()):
            event.remove(face.engine, moment, interrupt)
            raise KeyboardInterrupt

    event.listen(face.engine, moment, interrupt)
    blocker.execute("ROLLBACK")
    blocker.close()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    face.close()
    kinds = sorted(type(answer).__name__ for answer in told.values())
    assert kinds == ["KeyboardInterrupt", "str", "str", "str"]
    assert held_of(sqlite_url) == 3 * 10**9


def held_of(url: str) -> int:
    engine = create_engine(url)
    with engine.connect() as conn:
        assert unbalanced(conn, "acme") == []
        held = int(conn.execute(text("SELECT held FROM balances")).scalar_one())
    engine.dispose()
    return held
