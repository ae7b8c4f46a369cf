"""What keeps limits from meaning what they say: looked for, told with its mend, never mended silently."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import combinations
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from comptroller.domains.policies.driver import pace as driver
from comptroller.domains.policies.driver.derive import unbalanced
from comptroller.domains.policies.engine.policy import Policy
from comptroller.domains.policies.engine.terms import Rule
from comptroller.money import COUNT_UNITS, Money
from comptroller.spine.services import background
from comptroller.spine.services.see import read_book
from comptroller.types.caller import Caller
from comptroller.types.sight import Complaint

_LOOKED_BACK: Final = timedelta(days=7)
_FEW_HOLDS: Final = 20  # a ratio of fewer says nothing
_SETTLED_LEAST: Final = 5  # one part in five
_CLOCKS: Final = timedelta(seconds=2)
_OVERDUE: Final = timedelta(minutes=10)
_SHOWN: Final = 20
_DURABLE: Final = {"fsync": {"on"}, "synchronous_commit": {"on", "remote_apply", "remote_write", "local"}}


def complaints(session: Session, caller: Caller) -> list[Complaint]:
    """Return what is wrong for one tenant, the grave first."""
    conn, now = session.connection(), caller.now()
    policy = read_book(session, caller)
    found = [
        *_durability(conn),
        *_clock(conn, now),
        *_pooler(conn),
        *_unenforceable(policy, now),
        *_ungoverned(conn, caller, now),
        *_large_holds(conn, caller, now),
        *_overdue(conn, caller, now),
        *_unbalanced(conn, caller),
        *background.complaints(session, caller),
    ]
    return sorted(found, key=lambda one: not one.is_grave)


def _durability(conn: Connection) -> Iterator[Complaint]:
    if conn.dialect.name == "sqlite":
        level = conn.exec_driver_sql("PRAGMA synchronous").scalar_one()
        if level < 2:  # noqa: PLR2004 — SQLite's number for FULL
            yield Complaint("durability", f"SQLite's synchronous is {level}, below FULL: a power cut loses holds")
        return
    for name, good in _DURABLE.items():
        value = conn.exec_driver_sql(f"SHOW {name}").scalar_one()
        if value not in good:
            yield Complaint("durability", f"PostgreSQL's {name} is {value}: what is acknowledged can be lost")


def _clock(conn: Connection, now: datetime) -> Iterator[Complaint]:
    if conn.dialect.name != "postgresql":
        return
    theirs = conn.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
    apart = abs(theirs - now)
    if apart > _CLOCKS:
        yield Complaint("clocks", f"this machine's clock and the database's are {apart.total_seconds():.1f} s apart")


def _pooler(conn: Connection) -> Iterator[Complaint]:
    if conn.dialect.name != "postgresql":
        return
    backend = conn.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    greeted = conn.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]  # psycopg's own
    if backend != greeted:
        told = "a pooler stands before the database: kills are asked for, not heard of"
        yield Complaint("pooler", f"{told}; set COMPTROLLER_LISTEN_DATABASE to its direct URL", is_grave=False)


def _unenforceable(policy: Policy, now: datetime) -> Iterator[Complaint]:
    in_money = [rule for rule in policy.rules.values() if rule.unit not in COUNT_UNITS and not _is_over(rule, now)]
    for one, other in combinations(in_money, 2):
        if one.unit != other.unit and _meet(one, other):
            told = f"limits {one.name!r} ({one.unit}) and {other.name!r} ({other.unit}) apply to the same spend"
            yield Complaint("currencies", f"{told}, which every reserve then raises for")
    for rule in policy.rules.values():
        if _is_over(rule, now):
            yield Complaint("over", f"limit {rule.name!r} has ended on {rule.effective_until}", is_grave=False)


def _ungoverned(conn: Connection, caller: Caller, now: datetime) -> Iterator[Complaint]:
    spent = driver.ungoverned_since(conn, caller.tenant, now - _LOOKED_BACK)
    for currency, dimensions, quanta in sorted(spent, key=lambda one: -one[2])[:_SHOWN]:
        if currency is not None and currency not in COUNT_UNITS and quanta:
            who = ", ".join(f"{name}={value}" for name, value in sorted(dimensions.items())) or "no dimensions"
            yield Complaint("ungoverned", f"{Money.of_quanta(quanta, currency)} in 7 days without a limit: {who}")


def _large_holds(conn: Connection, caller: Caller, now: datetime) -> Iterator[Complaint]:
    for dimensions, holds, held, charged in driver.held_and_settled(conn, caller.tenant, now - _LOOKED_BACK):
        if holds >= _FEW_HOLDS and held > 0 and charged * _SETTLED_LEAST < held:
            who = ", ".join(f"{name}={value}" for name, value in sorted(dimensions.items())) or "no dimensions"
            told = f"of {holds} holds {charged / held:.0%} was ever settled: {who}; hold less"
            yield Complaint("holds", told, is_grave=False)


def _overdue(conn: Connection, caller: Caller, now: datetime) -> Iterator[Complaint]:
    count = driver.overdue_holds(conn, caller.tenant, now - _OVERDUE)
    if count:
        yield Complaint("worker", f"{count} holds have been over for ten minutes: run comptroller worker")


def _unbalanced(conn: Connection, caller: Caller) -> Iterator[Complaint]:
    for wrong in unbalanced(conn, caller.tenant)[:_SHOWN]:
        told = (
            f"balance {wrong.balance_id} of limit {wrong.limit_id} is {wrong.stored}, its entries say {wrong.derived}"
        )
        yield Complaint("ledger", told)


def _is_over(rule: Rule, now: datetime) -> bool:
    return rule.effective_until is not None and rule.effective_until <= now


def _meet(one: Rule, other: Rule) -> bool:
    theirs = dict(other.where)
    return all(theirs.get(name, value) == value for name, value in one.where)
