import shlex
from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from comptroller.domains.notices.engine.telling import Facts, Source, tell, text_of, title
from comptroller.enums import Severity

AT = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
BURNING = Facts(
    "agent crawler",
    where={"agent": "crawler"},
    currency="USD",
    per_hour=Decimal("12.4"),
    expected_per_hour=Decimal("2.95"),
    since=AT,
    description="SPIKE, 310 USD at stake",
    owner="ana@example.org",
    page="/incidents/i1",
)


def source(kind: str = "incident.opened", **payload: str) -> Source:
    return Source("n1", "acme", kind, "i1", Severity.HIGH, payload, AT)


def test_a_notice_says_who_burns_how_much_how_many_times_the_expected_and_since_when():
    body = tell(source(), BURNING, public_url="https://cost.example/")
    assert body["sentence"] == (
        "agent crawler burns 12.40 USD an hour, 4.2 \N{MULTIPLICATION SIGN} the expected 2.95,"
        " since 2026-03-10 12:00 UTC"
        " — SPIKE, 310 USD at stake; owner ana@example.org."
    )
    assert body["link"] == "https://cost.example/incidents/i1"
    assert body["kill"] == "comptroller kill --where agent=crawler --why 'incident i1' --tenant acme"
    assert body["undo"] == "comptroller lift --where agent=crawler --tenant acme"


def test_what_is_unknown_is_left_out_and_never_zero():
    body = tell(source(), Facts("a new service"), public_url=None)
    assert body["sentence"] == "a new service."
    assert not {"link", "kill", "undo", "money_per_hour", "times_expected", "since", "owner"} & set(body)


def test_a_resolve_carries_no_kill_and_says_who_ended_it():
    body = tell(source("incident.resolved", by="ana", note="job stopped"), BURNING, public_url=None)
    assert body["sentence"] == "Over: agent crawler, said ana: job stopped."
    assert "kill" not in body
    assert "undo" not in body


def test_a_kill_tells_its_undo():
    body = tell(source("kill.engaged", by="ana", why="runaway"), Facts("kill", where={"agent": "x"}), public_url=None)
    assert body["sentence"] == "ana shut agent=x: runaway."
    assert body["undo"] == "comptroller lift --where agent=x --tenant acme"


@given(value=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1))
def test_a_pasted_kill_is_one_command_whatever_the_value_holds(value: str):
    body = tell(source(), Facts("it", where={"user": value}), public_url=None)
    words = shlex.split(body["kill"])
    assert words[:3] == ["comptroller", "kill", "--where"]
    assert words[3] == f"user={value}"


def test_plain_text_has_the_sentence_first_and_one_line_for_each_action():
    body = tell(source(), BURNING, public_url="https://cost.example")
    lines = text_of((body,)).splitlines()
    assert lines[0] == title(body)
    assert [line.partition(":")[0] for line in lines[1:]] == ["Look", "Look", "Stop it", "Undo"]
