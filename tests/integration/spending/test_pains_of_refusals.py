# ruff: noqa: PT012 — a run from its start to its end is the statement that raises
"""Pains of comparable systems: alerts, audits, runs that go on, hot rows."""

import asyncio
import time
from typing import Any

import pytest

from comptroller import RunHalted, RunLimits
from comptroller.database import create_async_engine, create_engine
from comptroller.enums import RunState
from comptroller.errors import ConflictError, LimitExceeded, NotFoundError
from comptroller.face.library import AsyncComptroller, Comptroller
from comptroller.types.caller import Caller
from desks import TurnedClock


def notices(rows: Any) -> list[str]:
    return [row[0] for row in rows("SELECT kind FROM outbox ORDER BY id")]


def test_pain_17_a_hundred_refusals_are_one_alert_with_a_count(ct: Any, rows: Any, clock: TurnedClock):
    ct.limits.create("daily", ceiling="1 USD", every="day")
    ct.reserve("1 USD").settle("1 USD")
    seen = set()
    for _ in range(20):
        with pytest.raises(LimitExceeded) as refused:
            ct.reserve("0.5 USD")
        seen.add(refused.value.breach_id)
    assert rows("SELECT id, breach_type, occurrences FROM limit_breaches") == [(seen.pop(), "EXHAUSTED", 20)]
    assert not seen
    assert notices(rows) == ["limit.breached"]
    clock.turn(days=1)
    with pytest.raises(LimitExceeded):
        ct.reserve("2 USD")
    assert notices(rows) == ["limit.breached"] * 2


def test_pain_17_a_warning_threshold_is_told_once_a_window(ct: Any, rows: Any, clock: TurnedClock):
    ct.limits.create("daily", ceiling="10 USD", every="day", warn_at=["50%", "9 USD"])
    for _ in range(9):
        ct.reserve("1 USD").settle("1 USD")
    assert rows("SELECT threshold FROM limit_warnings ORDER BY threshold") == [("50%",), ("9 USD",)]
    ct.charge("0.5 USD")
    assert notices(rows) == ["limit.warning"] * 2
    clock.turn(days=1)
    ct.charge("6 USD")
    assert notices(rows) == ["limit.warning"] * 3


def test_pain_18_a_refusal_its_notice_and_its_incident_are_one_commit(ct: Any, rows: Any):
    ct.limits.create("daily", ceiling="1 USD", every="day", opens_incident=True)
    with pytest.raises(LimitExceeded) as refused:
        ct.reserve("2 USD")
    ((breach_id, incident_id),) = rows("SELECT id, incident_id FROM limit_breaches")
    assert breach_id == refused.value.breach_id
    assert rows("SELECT id, status FROM incidents") == [(incident_id, "open")]
    assert sorted(notices(rows)) == ["incident.opened", "limit.breached"]
    with pytest.raises(LimitExceeded):
        ct.reserve("2 USD")
    assert len(ct.incidents.list()) == 1


@pytest.mark.parametrize("mode", ["warn", "observe"])
def test_pain_18_a_limit_that_admits_still_tells(ct: Any, rows: Any, mode: str):
    ct.limits.create("daily", ceiling="1 USD", every="day", mode=mode)
    ct.reserve("2 USD").settle("2 USD")
    assert rows("SELECT breach_type FROM limit_breaches") == [("BREACHED",)]
    assert notices(rows) == ["limit.breached"]
    ct.reserve("2 USD").settle("2 USD")
    kinds = dict(rows("SELECT breach_type, occurrences FROM limit_breaches"))
    # Warn goes on counting the crossing; observe writes what block would have said.
    assert kinds == ({"BREACHED": 2} if mode == "warn" else {"BREACHED": 1, "EXHAUSTED": 1})


def test_pain_18_the_type_of_a_breach_says_what_happened(ct: Any, rows: Any):
    ct.limits.create("burst", ceiling="1 requests", every="minute", where={"kind": "burst"})
    ct.limits.create("daily", ceiling="1 USD", every="day", where={"kind": "daily"})
    ct.limits.create("gone", ceiling="1 USD", every="day", where={"kind": "gone"})
    ct.reserve("0 USD", kind="burst").settle("0 USD")
    ct.reserve("1 USD", kind="gone").settle("1 USD")
    for kind in ("burst", "daily", "gone"):
        with pytest.raises(LimitExceeded):
            ct.reserve("2 USD", kind=kind)
    found = rows("SELECT l.name, b.breach_type FROM limit_breaches b JOIN limits l ON l.id = b.limit_id ORDER BY 1")
    assert [tuple(row) for row in found] == [("burst", "THROTTLED"), ("daily", "BREACHED"), ("gone", "EXHAUSTED")]


def test_pain_22_a_run_that_used_up_its_money_ends_with_its_reason(ct: Any):
    with pytest.raises(RunHalted) as halted, ct.run(limits=RunLimits(cost="1 USD"), agent="crawler") as run:
        results = []
        while True:
            with run.reserve("0.4 USD") as hold:
                hold.settle("0.4 USD")
            results.append("a page")  # the partial result is the caller's
    assert (halted.value.reason, len(results)) == ("limit_exhausted", 2)
    ended = ct.runs.get(run.id)
    assert (ended.state, ended.end_reason) == (RunState.LIMIT_EXHAUSTED, f"USD of run {run.id}")


@pytest.mark.parametrize(
    ("limits", "named"), [(RunLimits(iterations=2), "iteration 3 of 2"), (RunLimits(seconds=1), "s of 1 s")]
)
def test_pain_22_a_run_stops_at_its_iterations_and_its_time(ct: Any, rows: Any, limits: RunLimits, named: str):
    with pytest.raises(RunHalted, match=named) as halted, ct.run(limits=limits) as run:
        for _ in range(3):
            run.checkpoint()
            time.sleep(0.5 if limits.seconds else 0)
        run.checkpoint()
    assert rows("SELECT id, limit_id FROM limit_breaches") == [(halted.value.breach_id, "builtin:run")]
    assert ct.runs.get(run.id).state is RunState.LIMIT_EXHAUSTED


def test_pain_22_a_killed_run_stops_at_its_next_reserve_and_its_next_checkpoint(ct: Any, rows: Any):
    with pytest.raises(RunHalted) as halted, ct.run(agent="crawler") as run:
        run.checkpoint()
        made = ct.kill(where={"agent": "crawler"}, why="it loops")
        assert [each.id for each in made.runs] == [run.id]
        assert made.undo == "comptroller lift --where agent=crawler --tenant acme"
        run.reserve("1 USD")
    assert (halted.value.reason, halted.value.why) == ("killed", "it loops")
    assert rows("SELECT id, limit_id, breach_type FROM limit_breaches") == [
        (halted.value.breach_id, "builtin:kill-switch", "VIOLATED")
    ]
    assert ct.runs.get(run.id).state is RunState.HALTED
    with pytest.raises(LimitExceeded, match="it loops"):
        ct.reserve("1 USD", agent="crawler")
    ct.reserve("1 USD", agent="other").release()
    ct.lift(where={"agent": "crawler"}, why="mended")
    ct.reserve("1 USD", agent="crawler").release()
    actions = [row[0] for row in rows("SELECT action FROM audit_entries ORDER BY id")]
    assert actions == ["scope.killed", "scope.lifted"]


def test_pain_22_a_kill_ends_by_itself_and_a_wrong_lift_raises(ct: Any, clock: TurnedClock):
    ct.kill(where={}, why="everything", seconds=60)
    with pytest.raises(LimitExceeded):
        ct.reserve("1 USD")
    with pytest.raises(NotFoundError):
        ct.lift(where={"agent": "crawler"})
    clock.turn(seconds=60)
    ct.reserve("1 USD").release()
    assert ct.kills() == []


def test_pain_22_a_halted_run_hears_of_it_at_its_checkpoint(ct: Any):
    with pytest.raises(RunHalted) as halted, ct.run(agent="crawler") as run:
        run.checkpoint()
        ct.runs.halt(run.id, why="enough")
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            run.checkpoint()
            time.sleep(0.01)
    assert (halted.value.reason, halted.value.why) == ("halted", "enough")
    ended = ct.runs.get(run.id)
    assert (ended.state, ended.end_reason) == (RunState.HALTED, "enough")
    with pytest.raises(ConflictError, match="ended"):
        with ct.run() as other:
            pass
        ct.runs.halt(other.id)


def test_pain_22_runs_at_once_are_bounded_and_a_lost_one_gives_its_place_back(
    ct: Any, rows: Any, clock: TurnedClock, database_url: str
):
    from comptroller.spine.orchestrator import runs, spend

    ct.limits.create("at-once", ceiling="2 runs", where={"agent": "crawler"})
    first, second = ct.run(agent="crawler"), ct.run(agent="crawler")
    first.__enter__()
    second.__enter__()
    with pytest.raises(LimitExceeded, match="at-once"):
        ct.run(agent="crawler").__enter__()
    first.__exit__(None, None, None)
    with ct.run(agent="crawler"):
        pass
    clock.turn(hours=1)  # nobody has heard of the second since
    engine = create_engine(database_url)
    assert runs.end_lost_runs.run(engine, Caller("acme", "worker", clock), spend.PolicyBook()) == 1
    engine.dispose()
    assert ct.runs.get(second.id).state is RunState.LOST
    assert rows("SELECT held FROM balances") == [(0,)]
    second.__exit__(None, None, None)  # it comes back too late, and changes nothing
    assert ct.runs.get(second.id).state is RunState.LOST


def test_pain_23_a_hot_limit_is_locked_once_for_a_group(database_url: str):
    with Comptroller(create_engine(database_url), Caller("acme")) as face:
        face.limits.create("hot", ceiling="1000 USD")

    async def main() -> int:
        from sqlalchemy import event

        statements: list[str] = []
        async with AsyncComptroller(create_async_engine(database_url), Caller("acme")) as face:
            await (await face.reserve("1 USD")).release()
            watched = face.doors.gate.engine.sync_engine
            event.listen(watched, "before_cursor_execute", lambda *told: statements.append(told[2]))
            await asyncio.gather(*(face.reserve("1 USD").__aenter__() for _ in range(200)))
        return len(statements)

    assert asyncio.run(main()) <= 8  # for two hundred calls
