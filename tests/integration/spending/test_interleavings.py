"""Seeded orders of real statements on real PostgreSQL; the naive way must fail here, or the test proves nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text

from comptroller.database import create_engine
from comptroller.enums import EntryKind
from comptroller.ids import uuid7
from comptroller.spine.orchestrator import kills, limits, spend
from comptroller.types.caller import Caller
from comptroller.types.spend import Admitted, End, Refused, Reserve, Scope
from interleaver import Interleaver

SCHEDULES = 40
SCOPE = Scope((("team", "a"),), "USD")


@pytest.fixture
def caller() -> Caller:
    return Caller("acme")


@pytest.fixture
def engine(postgres_url: str) -> Any:
    engine = create_engine(postgres_url)
    yield engine
    engine.dispose()


def reserve(quanta: int, *, hold_id: str = "") -> Reserve:
    return Reserve(hold_id or uuid7().replace("-", ""), SCOPE, (quanta, 1, 0, 0))


def group(caller: Caller, *actions: Any) -> Callable[[Engine], Any]:
    """A process of its own: it remembers nothing."""
    return lambda engine: spend.act.run(engine, caller, spend.PolicyBook(), actions).answers


def naive(engine: Engine) -> bool:
    with engine.connect() as conn:
        used = conn.execute(text("SELECT coalesce(sum(used), 0) FROM naive")).scalar_one()
        if used + 20 > 50:
            return False
        conn.execute(text("INSERT INTO naive (used) VALUES (20)"))
        conn.commit()
        return True


def test_the_tester_catches_sum_then_insert(postgres_url: str, engine: Engine):
    with engine.begin() as conn:
        conn.execute(text("CREATE TABLE naive (used int)"))
    overspent = 0
    for seed in range(10):
        with engine.begin() as conn:
            conn.execute(text("TRUNCATE naive"))
        admitted = Interleaver(postgres_url, seed).run(a=naive, b=naive, c=naive)
        overspent += sum(admitted.values()) > 2
    assert overspent > 0


def test_no_order_of_statements_overspends(postgres_url: str, engine: Engine, caller: Caller):
    orders = set()
    for seed in range(SCHEDULES):
        tenant = Caller(f"t{seed}")
        limits.create_limit.run(engine, tenant, "daily", ceiling="0.000000050 USD", every="day")
        limits.create_limit.run(engine, tenant, "per-team", ceiling="0.000000050 USD", every="hour", per=["team"])
        tester = Interleaver(postgres_url, seed)
        answers = tester.run(**{name: group(tenant, reserve(20), reserve(20)) for name in "abc"})
        admitted = [each for group in answers.values() for each in group if isinstance(each, Admitted)]
        refused = [each for group in answers.values() for each in group if isinstance(each, Refused)]
        assert (len(admitted), len(refused)) == (2, 4)
        with engine.connect() as conn:
            stored = conn.execute(
                text("SELECT spent, held FROM balances WHERE tenant_id = :t"), {"t": tenant.tenant}
            ).all()
            counted = conn.execute(
                text("SELECT sum(occurrences) FROM limit_breaches WHERE tenant_id = :t"), {"t": tenant.tenant}
            ).scalar_one()
        assert stored == [(0, 40), (0, 40)]
        assert counted == 8  # each refusal by both limits
        orders.add(tuple(tester.order))
    assert len(orders) > SCHEDULES // 2


def test_nothing_is_admitted_after_the_commit_of_a_kill(postgres_url: str, engine: Engine):
    seen = set()
    for seed in range(SCHEDULES):
        tenant = Caller(f"k{seed}")
        limits.create_limit.run(engine, tenant, "daily", ceiling="1 USD", every="day")
        tester = Interleaver(postgres_url, seed)
        answers = tester.run(
            call=group(tenant, reserve(1)),
            other=group(tenant, reserve(1)),
            kill=lambda engine, tenant=tenant: kills.kill.run(engine, tenant, where={"team": "a"}, why="a test"),
        )
        late = tester.commits[tester.commits.index("kill") + 1 :]
        for name in ("call", "other"):
            is_admitted = isinstance(answers[name][0], Admitted)
            assert is_admitted == (name not in late), (seed, tester.order)
            seen.add((name, is_admitted))
    assert len(seen) == 4  # both came before and after the kill


def test_one_hold_is_ended_once_by_two_at_once(postgres_url: str, engine: Engine):
    for seed in range(SCHEDULES // 2):
        tenant = Caller(f"e{seed}")
        limits.create_limit.run(engine, tenant, "daily", ceiling="1 USD", every="day")
        made = spend.act.run(engine, tenant, spend.PolicyBook(), [reserve(100)]).answers[0]

        def settle(engine: Engine, quanta: int, tenant: Caller = tenant, made: Admitted = made) -> Any:
            action = End(made.hold_id, EntryKind.SETTLE, (quanta, 1, 0, 0), "USD", hold=made)
            try:
                return spend.act.run(engine, tenant, spend.PolicyBook(), [action]).answers[0]
            except spend.AlteredError:
                return spend.act_again.run(engine, tenant, spend.PolicyBook(), action).answers[0]

        answers = Interleaver(postgres_url, seed).run(a=lambda e, s=settle: s(e, 30), b=lambda e, s=settle: s(e, 40))
        kinds = sorted(type(answer).__name__ for answer in answers.values())
        assert kinds == ["Ended", "Invalid"]
        with engine.connect() as conn:
            found = text("SELECT spent, held FROM balances WHERE tenant_id = :t")
            ((spent, held),) = conn.execute(found, {"t": tenant.tenant}).all()
        assert held == 0
        assert spent in {30, 40}


def test_the_same_key_by_two_at_once_is_one_hold(postgres_url: str, engine: Engine):
    for seed in range(SCHEDULES // 2):
        tenant = Caller(f"i{seed}")
        limits.create_limit.run(engine, tenant, "daily", ceiling="1 USD", every="day")

        def keyed(engine: Engine, tenant: Caller = tenant) -> Any:
            action = reserve(7)
            action.key = "one"
            try:
                return spend.act.run(engine, tenant, spend.PolicyBook(), [action]).answers[0]
            except spend.AlteredError:
                return spend.act_again.run(engine, tenant, spend.PolicyBook(), action).answers[0]

        answers = Interleaver(postgres_url, seed).run(a=keyed, b=keyed)
        assert answers["a"].hold_id == answers["b"].hold_id
        with engine.connect() as conn:
            found = text("SELECT held FROM balances WHERE tenant_id = :t")
            assert conn.execute(found, {"t": tenant.tenant}).all() == [(7,)]
