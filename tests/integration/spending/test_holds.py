from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from comptroller.enums import EntryKind
from comptroller.errors import ConflictError, InvalidInputError, LimitExceeded, NotFoundError
from comptroller.money import Money
from comptroller.spine.orchestrator import spend
from desks import NOON, TurnedClock

USD = 10**9


def balances(rows: Any) -> list[tuple[int, int]]:
    return [tuple(row) for row in rows("SELECT spent, held FROM balances ORDER BY id")]


def test_a_settled_hold_spends_what_it_cost_and_gives_the_rest_back(ct: Any, rows: Any):
    ct.limits.create("daily", ceiling="5 USD", every="day")
    with ct.run(team="research") as run:
        hold = run.reserve("0.12 USD")
        assert balances(rows) == [(0, 120_000_000)]
        ended = hold.settle("0.0834 USD")
    assert balances(rows) == [(83_400_000, 0)]
    assert (ended.kind, ended.amounts[0], ended.is_estimated) == (EntryKind.SETTLE, 83_400_000, False)


def test_leaving_a_hold_charges_what_was_held_as_an_estimate(ct: Any, rows: Any):
    ct.limits.create("daily", ceiling="5 USD", every="day")
    with pytest.raises(KeyError), ct.run() as run, run.reserve("0.12 USD"):
        raise KeyError
    assert balances(rows) == [(120_000_000, 0)]
    assert rows("SELECT kind FROM entries WHERE is_estimated") == [("settle",)]
    assert rows("SELECT state FROM runs") == [("failed",)]


def test_a_released_hold_costs_nothing(ct: Any, rows: Any):
    ct.limits.create("daily", ceiling="5 USD", every="day")
    hold = ct.reserve("5 USD")
    hold.release()
    assert balances(rows) == [(0, 0)]
    ct.reserve("5 USD").release()


def test_the_same_end_again_is_the_first_answer_and_another_raises(ct: Any, rows: Any):
    ct.limits.create("daily", ceiling="5 USD", every="day")
    hold = ct.reserve("1 USD")
    first = hold.settle("0.5 USD")
    assert hold.settle("0.5 USD").amounts == first.amounts
    with pytest.raises(ConflictError, match="another amount"):
        hold.settle("0.6 USD")
    with pytest.raises(ConflictError, match="ended by settle"):
        hold.release()
    assert balances(rows) == [(USD // 2, 0)]


def test_a_key_names_one_reserve(ct: Any, rows: Any):
    ct.limits.create("daily", ceiling="5 USD", every="day")
    first = ct.reserve("1 USD", key="call-1")
    again = ct.reserve("1 USD", key="call-1")
    assert again.id == first.id
    with pytest.raises(ConflictError, match="'call-1'"):
        ct.reserve("2 USD", key="call-1")
    first.settle("1 USD")
    assert again.settle("1 USD").amounts[0] == USD
    assert balances(rows) == [(USD, 0)]


def test_a_refusal_binds_no_key(ct: Any):
    ct.limits.create("daily", ceiling="5 USD", every="day")
    with pytest.raises(LimitExceeded):
        ct.reserve("6 USD", key="call-1")
    ct.limits.update("daily", ceiling="10 USD")
    ct.reserve("6 USD", key="call-1").release()


def test_all_limits_that_apply_must_admit_and_none_is_held_if_one_refuses(ct: Any, rows: Any):
    ct.limits.create("daily", ceiling="5 USD", every="day")
    ct.limits.create("hourly", ceiling="2 USD", every="hour")
    ct.limits.create("other", ceiling="1 USD", every="day", where={"team": "other"})
    with pytest.raises(LimitExceeded) as refused:
        ct.reserve("3 USD", team="research")
    assert refused.value.limits == ("hourly",)
    assert refused.value.left == Money.parse("2 USD")
    assert refused.value.resets_at == NOON + timedelta(hours=1)
    assert sorted(balances(rows)) == [(0, 0), (0, 0)]
    with pytest.raises(LimitExceeded) as both:
        ct.reserve("6 USD", team="research")
    assert sorted(both.value.limits) == ["daily", "hourly"]


def test_each_value_of_a_dimension_has_a_balance_also_the_absent_one(ct: Any, rows: Any):
    ct.limits.create("per-user", ceiling="1 USD", every="day", per=["user"])
    for who in ({"user": "ana"}, {"user": "bob"}, {}):
        ct.reserve("1 USD", **who).settle("1 USD")
        with pytest.raises(LimitExceeded):
            ct.reserve("0.000000001 USD", **who)
    subjects = {row[0] for row in rows("SELECT subject FROM balances")}
    assert subjects == {'{"user":"ana"}', '{"user":"bob"}', '{"user":"(none)"}'}


def test_a_required_dimension_that_is_absent_refuses(ct: Any, rows: Any):
    ct.limits.create("per-user", ceiling="1 USD", every="day", per=["user"], require=["user"])
    with pytest.raises(LimitExceeded, match="does not say its user"):
        ct.reserve("0.1 USD")
    assert rows("SELECT breach_type FROM limit_breaches") == [("VIOLATED",)]
    ct.reserve("0.1 USD", user="ana").release()


def test_tokens_that_are_not_stated_refuse_under_a_limit_on_tokens(ct: Any):
    ct.limits.create("tokens", ceiling="1000 tokens", every="day")
    with pytest.raises(LimitExceeded, match="how many tokens"):
        ct.reserve("0.1 USD")
    ct.reserve("0.1 USD", tokens=1000).settle("0.1 USD", tokens=800)
    ct.reserve("200 tokens").settle("200 tokens")
    with pytest.raises(LimitExceeded):
        ct.reserve("1 tokens")


def test_another_currency_than_an_applicable_limit_raises(ct: Any, rows: Any):
    ct.limits.create("daily", ceiling="5 USD", every="day")
    with pytest.raises(InvalidInputError, match="state the amount in USD"):
        ct.reserve("1 EUR")
    with pytest.raises(InvalidInputError, match="state the amount in USD"):
        ct.reserve("5 requests")
    hold = ct.reserve("1 USD")
    with pytest.raises(InvalidInputError, match="in USD, not in EUR"):
        hold.settle("1 EUR")
    assert rows("SELECT count(*) FROM limit_breaches") == [(0,)]


def test_spend_without_a_limit_is_entered_as_ungoverned_or_refused(ct: Any, rows: Any):
    ct.limits.create("daily", ceiling="5 USD", every="day", where={"team": "a"})
    ct.reserve("1 USD", team="b").settle("1 USD")
    assert rows("SELECT is_ungoverned FROM routes") == [(True,)] or rows("SELECT is_ungoverned FROM routes") == [(1,)]
    ct.limits.require(why="nothing may pass unseen")
    with pytest.raises(LimitExceeded, match="no limit applies"):
        ct.reserve("1 USD", team="b")
    ct.reserve("1 USD", team="a").release()


@pytest.mark.parametrize(
    ("amount", "more", "named"),
    [
        (0.12, {}, "float"),
        (Decimal("0.12"), {}, "Decimal"),
        ("-1 USD", {}, "negative"),
        ("NaN USD", {}, "not understood"),
        ("1 XXX", {}, "unknown unit"),
        ("1 runs", {}, "starting them"),
        ("1 USD", {"requests": -1}, "requests"),
        ("1 USD", {"requests": 1.0}, "requests"),
        ("1 USD", {"requests": True}, "requests"),
        ("1 USD", {"tokens": "5"}, "tokens"),
        ("5 tokens", {"tokens": 6}, "5 tokens"),
        ("1 USD", {"run": "x"}, "by itself"),
    ],
)
def test_a_value_that_is_not_acceptable_is_named(ct: Any, rows: Any, amount: Any, more: dict[str, Any], named: str):
    with pytest.raises(InvalidInputError, match=named):
        ct.reserve(amount, **more)
    assert rows("SELECT 1 FROM entries") == []


def test_money_that_is_gone_is_charged_past_the_ceiling_and_told(ct: Any, rows: Any):
    ct.limits.create("daily", ceiling="1 USD", every="day")
    hold = ct.reserve("1 USD")
    hold.settle("1.5 USD")
    assert balances(rows) == [(1_500_000_000, 0)]
    breach_type, value, ceiling = rows("SELECT breach_type, value_at_breach, limit_value FROM limit_breaches")[0]
    assert (breach_type, Decimal(value), Decimal(ceiling)) == ("BREACHED", Decimal("1.5"), Decimal(1))
    with pytest.raises(LimitExceeded):
        ct.reserve("0 USD")


def test_usage_above_its_hold_that_passes_no_ceiling_is_a_violation(ct: Any, rows: Any):
    ct.limits.create("daily", ceiling="9 USD", every="day")
    ct.reserve("1 USD").settle("1.5 USD")
    assert rows("SELECT breach_type FROM limit_breaches") == [("VIOLATED",)]


def test_a_charge_is_booked_past_the_ceiling_and_told(ct: Any, rows: Any):
    ct.limits.create("daily", ceiling="1 USD", every="day")
    ct.charge("3 USD", key="bill-1")
    ct.charge("3 USD", key="bill-1")
    assert balances(rows) == [(3 * USD, 0)]
    assert rows("SELECT breach_type, occurrences FROM limit_breaches") == [("BREACHED", 1)]


def test_an_expired_hold_is_charged_as_an_estimate_and_made_true_once(
    ct: Any, rows: Any, clock: TurnedClock, database_url: str
):
    ct.limits.create("daily", ceiling="5 USD", every="day")
    hold = ct.reserve("1 USD", seconds=60)
    unsent = None
    with ct.run() as run:
        unsent = run.reserve("1 USD", seconds=60, unsent=True)
        clock.turn(seconds=61)
        assert expire(database_url, clock) == 2
        assert balances(rows) == [(USD, 0)]
        assert hold.settle("0.25 USD").kind is EntryKind.TRUE_UP
        assert hold.settle("0.25 USD").amounts[0] == USD // 4
        with pytest.raises(ConflictError):
            hold.settle("0.5 USD")
        with pytest.raises(ConflictError):
            hold.extend(5)
        with pytest.raises(ConflictError, match="release"):
            unsent.settle("1 USD")
    assert balances(rows) == [(USD // 4, 0)]


def test_an_extended_hold_lives_on(ct: Any, clock: TurnedClock, database_url: str):
    hold = ct.reserve("1 USD", seconds=60)
    hold.extend(600)
    clock.turn(seconds=61)
    assert expire(database_url, clock) == 0
    hold.settle("1 USD")


def test_a_hold_of_another_tenant_does_not_exist(ct: Any, database_url: str, clock: TurnedClock):
    from comptroller.database import create_engine
    from comptroller.types.caller import Caller
    from comptroller.types.spend import End

    hold = ct.reserve("1 USD")
    engine = create_engine(database_url)
    for hold_id in (hold.id, "0" * 32):
        action = End(hold_id, EntryKind.SETTLE, (1, 1, 0, 0), "USD")
        outcome = spend.act.run(engine, Caller("other", "eve", clock), spend.PolicyBook(), [action])
        assert isinstance(outcome.answers[0].error, NotFoundError)
    engine.dispose()


def expire(url: str, clock: TurnedClock) -> int:
    from comptroller.database import create_engine
    from comptroller.types.caller import Caller

    engine = create_engine(url)
    try:
        return spend.expire_holds.run(engine, Caller("acme", "worker", clock), spend.PolicyBook())
    finally:
        engine.dispose()
