"""Every step of a random caller against a plain model, on both databases, in a transaction that is rolled back."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from comptroller.database import create_engine
from comptroller.domains.policies.driver.derive import derive, unbalanced
from comptroller.enums import EntryKind
from comptroller.ids import uuid7
from comptroller.spine.orchestrator import kills, limits, spend
from comptroller.types.caller import Caller
from comptroller.types.spend import Admitted, Charge, End, Ended, Invalid, Refused, Reserve, Scope
from desks import TurnedClock
from ledger_model import PlainLedger, PlainLimit

CEILINGS = {"total": 40, "daily": 25, "per-user": 12, "calls": 15, "team-a": 20}
WHO = [{}, {"user": "ana"}, {"user": "bob"}, {"user": "ana", "team": "a"}, {"team": "a"}]

amount = st.integers(0, 14)
reserve = st.tuples(st.just("reserve"), st.sampled_from(WHO), amount, st.integers(0, 2), st.sampled_from([30, 600]))
charge = st.tuples(st.just("charge"), st.sampled_from(WHO), amount)
settle = st.tuples(st.sampled_from(["settle", "release"]), st.integers(0, 30), amount)
turn = st.tuples(st.just("turn"), st.sampled_from([1, 40, 7200, 86_400]))
ceiling = st.tuples(st.just("ceiling"), st.sampled_from(sorted(CEILINGS)), st.integers(1, 50))
kill = st.tuples(st.sampled_from(["kill", "lift"]), st.sampled_from([{"user": "ana"}, {"team": "a"}, {}]))
together = st.lists(st.one_of(reserve, settle, charge), min_size=2, max_size=6).map(lambda steps: ("group", steps))
steps = st.lists(
    st.one_of(reserve, reserve, reserve, settle, settle, charge, turn, together, ceiling, kill), max_size=25
)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_engine(database_url)
    yield engine
    engine.dispose()


class Machine:
    """Takes each step in the ledger and in the model, and compares."""

    def __init__(self, session: Session) -> None:
        self.session, self.clock = session, TurnedClock()
        self.caller = Caller("t" + uuid7(), "ana", self.clock)
        self.book = spend.PolicyBook()
        self.model = PlainLedger(
            [
                PlainLimit("total", "USD", 40, daily=False),
                PlainLimit("daily", "USD", 25, daily=True),
                PlainLimit("per-user", "USD", 12, daily=False, per=("user",)),
                PlainLimit("calls", "requests", 15, daily=True),
                PlainLimit("team-a", "USD", 20, daily=False, where={"team": "a"}),
            ]
        )
        self.ids: dict[str, str] = {}
        self.made: list[str] = []
        for limit in self.model.limits:
            made = limits.create_limit.within(
                session,
                self.caller,
                limit.name,
                ceiling=f"0.{limit.ceiling:09} USD" if limit.unit == "USD" else f"{limit.ceiling} requests",
                every="day" if limit.daily else "lifetime",
                per=limit.per,
                where=limit.where,
            )
            self.ids[made.id] = limit.name

    def step(self, step: Any) -> None:
        match step:
            case ("turn", seconds):
                self.clock.turn(seconds=seconds)
                self.expire()
            case ("ceiling", name, value):
                limit = next(limit for limit in self.model.limits if limit.name == name)
                limit.ceiling = value
                said = f"0.{value:09} USD" if limit.unit == "USD" else f"{value} requests"
                limits.update_limit.within(self.session, self.caller, name, ceiling=said)
            case ("kill", where):
                kills.kill.within(self.session, self.caller, where=where, why="a test")
                self.model.killed.append(where)
            case ("lift", where):
                if where in self.model.killed:
                    kills.lift.within(self.session, self.caller, where=where)
                    self.model.killed = [each for each in self.model.killed if each != where]
            case ("group", members):
                self.group(members)
            case _:
                self.group([step])
        self.compare()

    def group(self, members: list[Any]) -> None:
        planned = [each for each in map(self.plan, members) if each is not None]
        if not planned:
            return
        actions = [action for action, _ in planned]
        # Ends come careful, as the gate sends what it has tried before; the rest is a group.
        outcome = spend.ledger.act(self.session, self.caller, self.book, actions, careful=True)
        self.book.confirm(outcome)
        for (action, expected), answer in zip(planned, outcome.answers, strict=True):
            told = expected()
            match answer:
                case Admitted():
                    assert told == set()
                    self.made.append(action.hold_id)
                case Refused():
                    assert {over.limit_name for over in answer.over} == told
                case Ended():
                    assert told is True
                case Invalid():
                    assert told is False, answer.error

    def plan(self, member: Any) -> Any:
        now = self.clock.now
        match member:
            case ("reserve", who, quanta, calls, seconds):
                action = Reserve(new_id(), scope(who), (quanta, calls, 0, 0), seconds=seconds)
                amounts = {"USD": quanta, "requests": calls}
                until = now.fromtimestamp(now.timestamp() + seconds, now.tzinfo)
                return action, lambda: self.model.reserve(action.hold_id, who, amounts, now, until)
            case ("charge", who, quanta):
                charged = Charge(new_id(), scope(who), (quanta, 0, 0, 0))
                return charged, lambda: self.model.charge(who, {"USD": quanta, "requests": 0}, now) or True
            case (kind, index, quanta):
                if not self.made:
                    return None
                hold_id = self.made[index % len(self.made)]
                held = self.model.holds[hold_id].held
                if kind == "release":
                    released = End(hold_id, EntryKind.RELEASE, (0, 0, 0, 0))
                    return released, lambda: self.model.end(hold_id, "release", {"USD": 0, "requests": 0})
                settled = End(hold_id, EntryKind.SETTLE, (quanta, -1, -1, 0), "USD")
                charge_of = {"USD": quanta, "requests": held["requests"]}
                return settled, lambda: self.model.end(hold_id, "settle", charge_of)
        raise AssertionError(member)

    def expire(self) -> None:
        over = self.model.expired(self.clock.now)
        assert spend.expire_holds.within(self.session, self.caller, self.book) == len(over)
        for hold_id in over:
            self.model.end(hold_id, "expire", self.model.holds[hold_id].held)

    def compare(self) -> None:
        conn = self.session.connection()
        read = text("SELECT limit_id, spent, held FROM balances WHERE tenant_id = :tenant AND (spent > 0 OR held > 0)")
        found: dict[str, list[tuple[int, int]]] = {}
        for limit_id, spent, held in conn.execute(read, {"tenant": self.caller.tenant}):
            found.setdefault(self.ids[limit_id], []).append((spent, held))
        assert {name: sorted(values) for name, values in found.items()} == self.model.standing()
        assert unbalanced(conn, self.caller.tenant) == []
        # Every open hold counts, and nothing else does.
        held = sum(standing[1] for standing in derive(conn, self.caller.tenant).values())
        assert held == sum(h.held[unit] for h in self.model.holds.values() if h.kind == "open" for _, unit in h.keys)


def scope(who: dict[str, str]) -> Scope:
    return Scope(tuple(sorted(who.items())), "USD")


def new_id() -> str:
    return uuid7().replace("-", "")


@given(steps)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=40)
def test_the_ledger_does_what_the_model_does(engine: Engine, planned: list[Any]):
    with Session(engine) as session:
        machine = Machine(session)
        for step in planned:
            machine.step(step)
        session.rollback()
