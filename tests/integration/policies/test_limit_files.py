import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from comptroller.cli.app import run
from comptroller.errors import InvalidInputError
from comptroller.money import Money
from comptroller.spine.orchestrator import limits
from comptroller.types.limit_file import PastCall, PlannedStep
from desks import Desk

FILE: dict[str, Any] = {
    "limit": [
        {"name": "research", "ceiling": "600 USD", "every": "month", "where": {"team": "research"}},
        {"name": "per-user", "ceiling": "5 USD", "every": "day", "per": ["user"]},
    ]
}


def test_a_file_creates_updates_and_remakes_limits_and_again_changes_nothing(desk: Desk):
    old = desk(limits.create_limit, "research", ceiling="500 USD", every="month", where={"team": "research"})
    other = desk(limits.create_limit, "per-user", ceiling="5 USD", every="week", per=["user"])
    desk(limits.create_limit, "by-hand", ceiling="1 USD")
    planned = desk(limits.plan_limits, FILE)
    assert [(one.name, one.step) for one in planned] == [
        ("research", PlannedStep.UPDATE),
        ("per-user", PlannedStep.UPDATE),
    ]
    assert planned[0].changes == {"ceiling": ("500 USD", "600 USD")}
    assert desk(limits.get_limit, "research") == old
    assert desk(limits.apply_limits, FILE, why="as agreed") == planned
    assert desk(limits.get_limit, "research").version == 2
    assert desk(limits.get_limit, "per-user").id != other.id  # another window is another limit
    assert [one.step for one in desk(limits.apply_limits, FILE)] == [PlannedStep.KEEP] * 2
    pruned = desk(limits.apply_limits, FILE, prune=True)
    assert (pruned[-1].name, pruned[-1].step) == ("by-hand", PlannedStep.ARCHIVE)
    assert [limit.name for limit in desk(limits.list_limits)] == ["per-user", "research"]


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({}, "[[limit]]"),
        ({"limit": [7]}, "[[limit]]"),
        ({"limit": [{"name": "a"}]}, "no ceiling"),
        ({"limit": [{"ceiling": "1 USD"}]}, "no name"),
        ({"limit": [{"name": "a", "ceiling": "1 USD", "colour": "red"}]}, "colour"),
        ({"limit": [{"name": "a", "ceiling": 1.5}]}, "float"),
        ({"limit": [{"name": "a", "ceiling": "1 USD"}] * 2}, "twice"),
    ],
)
def test_a_file_that_is_wrong_changes_nothing(desk: Desk, said: dict[str, Any], named: str):
    good = [*FILE["limit"], *said.get("limit", [])]
    with pytest.raises(InvalidInputError, match=re.escape(named)):
        desk(limits.apply_limits, {"limit": good} if said else said)
    assert desk(limits.list_limits) == []


def test_a_replay_tells_which_calls_would_have_been_refused():
    first = datetime(2026, 1, 1, 10, tzinfo=UTC)

    def call(hours: int, cost: str, user: str) -> PastCall:
        return PastCall(first + timedelta(hours=hours), Money.parse(cost), 1, None, (("user", user),))

    calls = [call(1, "3 USD", "ana"), call(0, "3 USD", "ana"), call(2, "2 USD", "ana"), call(1, "5 USD", "bob")]
    told = limits.replay_limits(FILE, [*calls, call(24, "5 USD", "ana")])
    assert (told.calls, told.refused, told.by_limit) == (5, 1, {"per-user": 1})
    assert told.saved == {"USD": Decimal(3)}
    assert told.first == ((calls[0], ("per-user",)),)


def test_the_commands_do_what_they_say(sqlite_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    def command(*words: str) -> tuple[int, str]:
        status = run([*words, "--database", sqlite_url])
        told = capsys.readouterr()
        return status, " ".join((told.out + told.err).split())

    limit_file, usage = tmp_path / "limits.toml", tmp_path / "calls.csv"
    limit_file.write_text('[[limit]]\nname = "daily"\nceiling = "5 USD"\nevery = "day"\n')
    usage.write_text("time,cost,user\n2026-01-01T10:00:00Z,3,ana\n2026-01-01T11:00:00Z,3,ana\n")
    assert command("limits", "apply", str(limit_file), "--dry-run") == (0, "+ daily 1 of 1 limits would change")
    assert command("limits", "apply", str(limit_file)) == (0, "+ daily 1 of 1 limits changed")
    assert command("limits", "replay", str(limit_file), str(usage))[1].startswith(
        "1 of 2 calls refused, 3.00 USD saved"
    )
    assert command("limits", "update", "daily", "--ceiling", "6 USD") == (0, "daily: version 2, 6 USD every day, block")
    assert "6 USD" in command("limits", "list")[1]
    assert "it applies to every spend" in command("explain", "team=a", "--forecast", "--format", "json")[1]
    status, told = command("kill", "--where", "agent=crawler", "--why", "it loops", "--for", "30m")
    assert (status, "undo: comptroller lift --where agent=crawler --tenant default" in told) == (0, True)
    assert command("lift", "--where", "agent=crawler")[1].startswith("lifted: agent=crawler")
    assert command("lift", "--where", "agent=crawler")[0] == 2
    assert command("kill", "--why", "x") == (
        2,
        "comptroller: say which scope: --where agent=crawler, or --everything for the whole tenant",
    )
    assert command("runs", "list")[1].startswith("No runs.")
    assert command("runs", "show", "absent") == (2, "comptroller: run 'absent' does not exist for this tenant")
    assert "nothing was spent" in command("top", "--once")[1]
    assert command("doctor") == (0, "nothing is wrong")
    assert command("limits", "archive", "daily")[0] == 0
    usage.write_text("time,cost\nyesterday,3\n")
    assert command("limits", "replay", str(limit_file), str(usage))[1].startswith(f"comptroller: {usage}, line 2: ")
