from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from comptroller.errors import ConflictError, InvalidInputError, NotFoundError
from comptroller.money import Money
from comptroller.spine.orchestrator import limits
from comptroller.spine.services.budget import period_limits
from comptroller.types.caller import Caller
from desks import NOON, Desk

RESEARCH: dict[str, Any] = {"ceiling": "500 USD", "every": "month", "timezone": "Europe/Berlin", "why": "the grant"}


def test_a_limit_comes_back_as_it_was_created(desk: Desk):
    made = desk(
        limits.create_limit,
        "research",
        **RESEARCH,
        where={"team": "research"},
        per=["user"],
        warn_at=["80%", "450 USD"],
    )
    assert desk(limits.get_limit, "research") == desk(limits.get_limit, made.id) == made
    assert made.ceiling == Money.parse("500 USD")
    assert (made.where, made.per, made.warn_at) == ({"team": "research"}, ("user",), ("80%", "450 USD"))
    assert (made.version, made.created_by, made.created_at) == (1, "ana", NOON)


def test_every_change_is_a_version_with_who_when_what_why(desk: Desk):
    desk(limits.create_limit, "research", **RESEARCH)
    desk.clock.turn(hours=1)
    bob = Caller("acme", "bob", desk.clock)
    changed = desk.as_caller(bob, limits.update_limit, "research", ceiling="600 USD", why="more GPUs")
    assert (changed.version, changed.ceiling) == (2, Money.parse("600 USD"))
    first, second = desk(limits.limit_history, "research")
    assert (first.reason, first.changed_by, first.content["ceiling"]) == ("the grant", "ana", "500 USD")
    assert (second.reason, second.changed_by, second.content["ceiling"]) == ("more GPUs", "bob", "600 USD")
    assert second.changed_at == NOON + timedelta(hours=1)
    audit = desk.rows("SELECT actor, action, object_id FROM audit_entries ORDER BY id")
    assert audit == [("ana", "limit.created", changed.id), ("bob", "limit.updated", changed.id)]


def test_a_change_to_what_is_there_changes_nothing(desk: Desk):
    made = desk(limits.create_limit, "research", **RESEARCH)
    assert desk(limits.update_limit, "research", ceiling="500.00 USD") == made
    assert len(desk(limits.limit_history, "research")) == 1


def test_every_change_raises_the_policy_version(desk: Desk):
    versions = []
    for change in (
        lambda: desk(limits.create_limit, "research", **RESEARCH),
        lambda: desk(limits.update_limit, "research", mode="warn"),
        lambda: desk(limits.override_limit, "research", ceiling="900 USD", why="launch day", seconds=60),
        lambda: desk(limits.require_limit),
        lambda: desk(limits.archive_limit, "research"),
    ):
        change()
        versions += [row[0] for row in desk.rows("SELECT version FROM tenant_policies WHERE tenant_id = 'acme'")]
    assert versions == [1, 2, 3, 4, 5]


def test_a_name_in_force_is_refused_and_an_archived_one_is_free(desk: Desk):
    first = desk(limits.create_limit, "research", **RESEARCH)
    with pytest.raises(ConflictError, match="'research' exists already"):
        desk(limits.create_limit, "research", ceiling="1 USD")
    desk(limits.archive_limit, "research", why="moved")
    second = desk(limits.create_limit, "research", ceiling="1 USD")
    assert desk(limits.get_limit, "research").id == second.id
    assert [limit.id for limit in desk(limits.list_limits)] == [second.id]
    assert {limit.id for limit in desk(limits.list_limits, archived=True)} == {first.id, second.id}
    with pytest.raises(ConflictError, match="archived"):
        desk(limits.update_limit, first.id, ceiling="2 USD")


def test_a_refused_value_writes_nothing(desk: Desk):
    with pytest.raises(InvalidInputError):
        desk(limits.create_limit, "research", ceiling="0 USD")
    assert desk.rows("SELECT 1 FROM limits") == desk.rows("SELECT 1 FROM audit_entries") == []


def test_an_unknown_limit_and_a_stranger_s_are_the_same(desk: Desk):
    made = desk(limits.create_limit, "research", **RESEARCH)
    stranger = Caller("other", "eve", desk.clock)
    with pytest.raises(NotFoundError) as absent:
        desk(limits.get_limit, "absent")
    with pytest.raises(NotFoundError) as foreign:
        desk.as_caller(stranger, limits.get_limit, made.id)
    assert str(foreign.value) == str(absent.value).replace("absent", made.id)
    with pytest.raises(NotFoundError):
        desk.as_caller(stranger, limits.update_limit, made.id, ceiling="1 USD")
    assert desk.as_caller(stranger, limits.list_limits) == []


def test_an_override_counts_until_it_ends_or_is_revoked(desk: Desk):
    desk(limits.create_limit, "research", **RESEARCH)
    made = desk(limits.override_limit, "research", ceiling="900 USD", why="launch day", seconds=3600)
    assert (made.ceiling, made.created_by, made.expires_at) == (
        Money.parse("900 USD"),
        "ana",
        NOON + timedelta(hours=1),
    )
    assert desk(limits.list_overrides, "research") == [made]
    later = desk(limits.override_limit, "research", ceiling="800 USD", why="less", seconds=60)
    desk(limits.revoke_override, "research", later.id, why="wrong")
    assert desk(limits.list_overrides, "research") == [made]
    desk.clock.turn(hours=2)
    assert desk(limits.list_overrides) == []
    with pytest.raises(NotFoundError, match="not in force"):
        desk(limits.revoke_override, "research", made.id)


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"ceiling": "900 EUR", "why": "x", "seconds": 60}, "not in USD"),
        ({"ceiling": "900 USD", "why": "", "seconds": 60}, "why"),
        ({"ceiling": "900 USD", "why": "x"}, "either"),
        ({"ceiling": "900 USD", "why": "x", "seconds": 0}, "positive"),
        ({"ceiling": "900 USD", "why": "x", "seconds": 1.5}, "positive"),
        ({"ceiling": "900 USD", "why": "x", "expires_at": NOON - timedelta(1)}, "end after it starts"),
        ({"ceiling": "900 USD", "why": "x", "expires_at": NOON + timedelta(400)}, "366 days"),
    ],
)
def test_an_override_that_is_not_acceptable_is_named(desk: Desk, said: dict[str, Any], named: str):
    desk(limits.create_limit, "research", **RESEARCH)
    with pytest.raises(InvalidInputError, match=named):
        desk(limits.override_limit, "research", **said)


def test_pages_of_limits_follow_one_another(desk: Desk):
    for name in "abcde":
        desk(limits.create_limit, name, ceiling="1 USD")
    first = desk(limits.list_limits, count=3)
    rest = desk(limits.list_limits, after=first[-1].name)
    assert [limit.name for limit in first + rest] == list("abcde")


def test_bills_are_checked_against_money_limits_over_a_day_or_longer(desk: Desk):
    research = desk(limits.create_limit, "research", **RESEARCH, warn_at=["80%"])
    desk(limits.create_limit, "burst", ceiling="200 requests", every="minute")
    desk(limits.create_limit, "hourly", ceiling="1 USD", every="hour")
    desk(limits.create_limit, "tokens", ceiling="1000 tokens", every="day")
    desk(limits.create_limit, "next-year", ceiling="9 USD", every="year", effective_from=NOON + timedelta(300))
    desk(limits.override_limit, "research", ceiling="900 USD", why="launch day", seconds=3600)
    from sqlalchemy.orm import Session

    from comptroller.database import create_engine

    engine = create_engine(desk.url)
    with Session(engine) as session:
        (found,) = period_limits(session, "acme", NOON)
        (later,) = period_limits(session, "acme", NOON + timedelta(hours=2))
    engine.dispose()
    assert (found.id, found.ceiling, found.warn_at) == (research.id, Money.parse("900 USD"), ("80%",))
    assert later == replace(found, ceiling=Money.parse("500 USD"))
