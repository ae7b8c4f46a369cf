# ruff: noqa: PT012 — a run from its start to its end is the statement that raises
"""Pains of comparable systems, each a test that their design fails: races, leaks, settlements, resets, units."""

import asyncio
import multiprocessing
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from comptroller.database import create_async_engine, create_engine
from comptroller.enums import EntryKind
from comptroller.errors import ConflictError, GovernanceUnavailable, InvalidInputError, LimitExceeded
from comptroller.face.library import AsyncComptroller, Comptroller
from comptroller.money import Money
from comptroller.spine.orchestrator import spend
from comptroller.types.caller import Caller
from desks import TurnedClock

USD = 10**9


def standing(rows: Any) -> list[tuple[int, int]]:
    return [tuple(row) for row in rows("SELECT spent, held FROM balances ORDER BY id")]


def test_pain_01_first_requests_of_an_unknown_user_cannot_overspend_by_a_race(database_url: str):
    with Comptroller(create_engine(database_url), Caller("acme")) as face:
        face.limits.create("per-user", ceiling="5 USD", every="day", per=["user"])

    async def main() -> int:
        async with (
            AsyncComptroller(create_async_engine(database_url), Caller("acme")) as one,
            AsyncComptroller(create_async_engine(database_url), Caller("acme")) as other,
        ):
            calls = [face.reserve("1 USD", user="new").__aenter__() for face in (one, other) * 10]
            answers = await asyncio.gather(*calls, return_exceptions=True)
            return sum(not isinstance(answer, BaseException) for answer in answers)

    assert asyncio.run(main()) == 5


def test_pain_02_a_hold_whose_call_was_cancelled_or_failed_leaves_nothing_reserved(ct: Any, rows: Any):
    ct.limits.create("daily", ceiling="9 USD", every="day")
    for failure in (KeyboardInterrupt, SystemExit, asyncio.CancelledError, GeneratorExit, MemoryError, ValueError):
        with pytest.raises(failure), ct.reserve("1 USD"):
            raise failure
    assert standing(rows) == [(6 * USD, 0)]
    assert rows("SELECT count(*) FROM open_holds") == [(0,)]


def test_pain_03_a_settlement_replaces_its_hold_and_is_never_added_to_it(ct: Any, rows: Any):
    ct.limits.create("daily", ceiling="9 USD", every="day")
    hold = ct.reserve("4 USD")
    for _ in range(3):
        hold.settle("1 USD")
    assert standing(rows) == [(USD, 0)]
    with pytest.raises(ConflictError):
        hold.release()
    assert standing(rows) == [(USD, 0)]


def test_pain_04_nothing_acknowledged_is_in_memory_only(ct: Any, rows: Any):
    ct.limits.create("daily", ceiling="9 USD", every="day")
    hold = ct.reserve("4 USD")
    assert rows("SELECT count(*) FROM open_holds") == [(1,)]  # read by a stranger's connection, before any close
    hold.settle("1 USD")
    assert standing(rows) == [(USD, 0)]


def test_pain_06_a_failing_look_up_refuses_and_says_that_it_could_not_decide(database_url: str):
    engine = create_engine(database_url)
    with Comptroller(engine, Caller("acme")) as face:
        face.limits.create("daily", ceiling="9 USD", every="day")
        with engine.begin() as conn:
            conn.exec_driver_sql("ALTER TABLE limit_overrides RENAME TO gone")
        with pytest.raises(GovernanceUnavailable):
            face.reserve("1 USD")
        with engine.begin() as conn:
            conn.exec_driver_sql("ALTER TABLE gone RENAME TO limit_overrides")
        face.reserve("1 USD").release()


def test_pain_07_a_key_that_comes_again_never_drops_another_spend(ct: Any, rows: Any):
    ct.limits.create("daily", ceiling="9 USD", every="day")
    ct.reserve("1 USD", key="None")
    with pytest.raises(ConflictError):
        ct.reserve("2 USD", key="None")
    ct.reserve("2 USD")
    ct.reserve("2 USD")
    assert standing(rows) == [(0, 5 * USD)]


def test_pain_08_reading_an_answer_again_does_not_bill_again(ct: Any, rows: Any):
    ct.limits.create("daily", ceiling="9 USD", every="day")
    ct.charge("1 USD", key="response-1")
    ct.charge("1 USD", key="response-1")
    ct.reserve("1 USD", key="call-1").settle("1 USD")
    ct.reserve("1 USD", key="call-1").settle("1 USD")
    assert standing(rows) == [(2 * USD, 0)]


def test_pain_09_a_new_window_is_a_new_balance_and_an_old_hold_settles_into_its_own(
    ct: Any, rows: Any, clock: TurnedClock
):
    ct.limits.create("daily", ceiling="1 USD", every="day")
    old = ct.reserve("1 USD", seconds=86_400)
    with pytest.raises(LimitExceeded):
        ct.reserve("1 USD")
    clock.turn(days=1)
    ct.reserve("1 USD").settle("1 USD")
    old.settle("0.5 USD")
    found = rows("SELECT spent, held FROM balances ORDER BY window_start")
    assert [tuple(row) for row in found] == [(USD // 2, 0), (USD, 0)]
    with pytest.raises(LimitExceeded):  # what the old window gave back is not the new one's
        ct.reserve("0.1 USD")


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Kiritimati", "Etc/GMT+12", "Europe/Berlin"])
def test_pain_10_a_day_in_a_zone_is_that_zone_s_day(ct: Any, clock: TurnedClock, zone: str):
    ct.limits.create("daily", ceiling="1 USD", every="day", timezone=zone)
    midnight = datetime(2026, 3, 29, tzinfo=ZoneInfo(zone))
    clock.now = (midnight + timedelta(days=1)).astimezone(UTC) - timedelta(milliseconds=1)
    ct.reserve("1 USD").settle("1 USD")
    with pytest.raises(LimitExceeded) as refused:
        ct.reserve("1 USD")
    assert refused.value.resets_at == (midnight + timedelta(days=1)).astimezone(UTC)
    clock.turn(microseconds=1000)
    ct.reserve("1 USD").settle("1 USD")


def test_pain_12_every_limit_that_applies_counts_and_explain_says_why(ct: Any):
    ct.limits.create("per-user", ceiling="5 USD", every="day", per=["user"])
    ct.limits.create("team-key", ceiling="50 USD", every="day", where={"team": "research", "key": "k1"})
    ct.limits.create("other", ceiling="1 USD", every="day", where={"team": "other"})
    who = {"team": "research", "key": "k1", "user": "ana"}
    with pytest.raises(LimitExceeded) as refused:
        ct.reserve("6 USD", **who)
    assert refused.value.limits == ("per-user",)
    told = ct.explain(**who)
    assert {each.limit.name: each.why for each in told.standings} == {
        "per-user": "it applies to every spend, one balance for each user",
        "team-key": "it matches key=k1, team=research",
    }
    assert told.standings[0].left == Money.parse("5 USD")
    assert not told.is_ungoverned


def test_pain_13_each_attempt_of_a_call_is_held_and_counts_for_its_run(ct: Any):
    from comptroller import RunHalted, RunLimits

    with pytest.raises(RunHalted, match="limit_exhausted"), ct.run(limits=RunLimits(calls=3)) as run:
        for _ in range(10):
            run.reserve("0 USD").settle("0 USD")  # a free model, retried


def test_pain_14_a_model_without_a_price_is_refused_and_never_free(ct: Any, rows: Any):
    with ct.run() as run:
        with pytest.raises(LimitExceeded, match="has no price"):
            run.reserve_usage(model="no-such-model-1", input_tokens=10, output_tokens=10)
        hold = run.reserve("1 USD")
        with pytest.raises(LimitExceeded, match="has no price"):
            hold.settle_usage(model="no-such-model-1", input_tokens=10, output_tokens=10)
    found = rows("SELECT limit_id, breach_type, occurrences FROM limit_breaches")
    assert found == [("builtin:pricing", "VIOLATED", 2)]


def test_pain_15_an_unknown_outcome_costs_what_was_held_and_is_made_true_later(
    ct: Any, rows: Any, clock: TurnedClock, database_url: str
):
    ct.limits.create("daily", ceiling="9 USD", every="day")
    hold = ct.reserve("1 USD", seconds=60)  # the stream broke off, the worker is gone
    clock.turn(seconds=60)
    engine = create_engine(database_url)
    spend.expire_holds.run(engine, Caller("acme", "worker", clock), spend.PolicyBook())
    engine.dispose()
    assert standing(rows) == [(USD, 0)]
    assert rows("SELECT count(*) FROM entries WHERE is_estimated") == [(1,)]
    assert hold.settle("0.4 USD").kind is EntryKind.TRUE_UP
    assert standing(rows) == [(4 * USD // 10, 0)]


def test_pain_16_a_second_process_does_not_double_the_limit(database_url: str):
    with Comptroller(create_engine(database_url), Caller("acme")) as face:
        face.limits.create("daily", ceiling="1 USD", every="day")
        face.reserve("0.1 USD").settle("0.1 USD")
        answers = multiprocessing.SimpleQueue()
        # A fork inherits the gate and its connections; it must use its own.
        child = multiprocessing.get_context("fork").Process(target=_spend_all, args=(face, answers))
        child.start()
        ours = _admitted(face)
        theirs = answers.get()
        child.join()
    assert ours + theirs == 9


def _admitted(face: Comptroller) -> int:
    admitted = 0
    for _ in range(10):
        try:
            face.reserve("0.1 USD").settle("0.1 USD")
            admitted += 1
        except LimitExceeded:
            pass
    return admitted


def _spend_all(face: Comptroller, answers: Any) -> None:
    answers.put(_admitted(face))


def test_pain_20_a_thousand_small_amounts_add_up_exactly(ct: Any, rows: Any):
    ct.limits.create("daily", ceiling="1 USD", every="day")
    with pytest.raises(InvalidInputError):
        ct.reserve(0.1)
    for _ in range(10):
        ct.reserve("0.0000000001 USD").settle("0.0000000001 USD")  # below the quantum: never rounded to nothing
    assert standing(rows) == [(10, 0)]
    ct.reserve("0.33333333 USD").settle("0.33333333 USD")
    assert standing(rows) == [(333_333_340, 0)]


def test_pain_24_units_mean_the_same_for_every_caller(ct: Any):
    ct.limits.create("calls", ceiling="3 requests", every="hour")
    admitted = 0
    for _ in range(5):
        try:
            ct.reserve("0.01 USD").settle("0.01 USD")  # one call is one request, however it ends
            admitted += 1
        except LimitExceeded:
            break
    assert admitted == 3
