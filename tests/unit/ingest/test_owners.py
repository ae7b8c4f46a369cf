import pytest

from comptroller.errors import BadFileError
from comptroller.ingest.owners import OwnerKind, OwnerRule, OwnerRules, read_owners

TOML = """
[[owner]]
account = "a1"
team = "platform"
owner = "ana@example.com"

[[owner]]
tag = "app=shop=eu"
team = "shop"
"""


def test_an_owners_file_is_read_as_toml(write):
    assert read_owners(write("owners.toml", TOML)).rules == (
        OwnerRule(OwnerKind.ACCOUNT, "a1", "platform", "ana@example.com"),
        OwnerRule(OwnerKind.TAG, "app=shop=eu", "shop", None),
    )


def test_an_owners_file_is_read_as_csv(write):
    text = "kind,value,team,owner\naccount,a1,platform,ana@example.com\nTag,app=shop=eu,shop,\n"
    assert read_owners(write("owners.csv", text)) == read_owners(write("owners.toml", TOML))


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("o.toml", "[[owner]]\naccount='a'\n", "owner 1: write"),
        ("o.toml", "[[owner]]\naccount='a'\nmodel='m'\nteam='t'\n", "owner 1: write"),
        ("o.toml", "[[owner]]\naccount=1\nteam='t'\n", "owner 1: write"),
        ("o.toml", "[[owner]]\naccount='a'\nteam='t'\ncolour='red'\n", "owner 1: write"),
        ("o.toml", "[[owner]]\ntag='a'\nteam='t'\n", "write a tag as key=value"),
        ("o.toml", "x = 1", "no owners"),
        ("o.toml", "this is not toml", "o.toml: "),
        ("o.csv", "kind,value\naccount,a\n", "the first line must be kind,value,team,owner"),
        ("o.csv", "kind,value,team\nplanet,a,t\n", "line 2: kind 'planet'"),
        ("o.csv", "kind,value,team\naccount,a,\n", "must not be empty"),
        ("o.csv", b"kind,value,team\n\xff", "cannot be read as UTF-8"),
    ],
)
def test_a_rule_that_is_not_understood_is_named(write, name, text, why):
    with pytest.raises(BadFileError, match=why):
        read_owners(write(name, text))


def rules(*entries):
    return OwnerRules(tuple(OwnerRule(OwnerKind(kind), value, team, f"{team}@x") for kind, value, team in entries))


@pytest.mark.parametrize(
    ("rule", "team"),
    [
        (("account", "s-1", "by-account"), "by-account"),
        (("subscription", "s-1", "by-subscription"), "by-subscription"),
        (("tag", "app=shop", "by-tag"), "by-tag"),
        (("tag", "app=other", "no"), "(unowned)"),
        (("model", "m", "no"), "(unowned)"),
        (("account", "S-1", "no"), "(unowned)"),
    ],
)
def test_a_rule_gives_a_row_its_team_and_owner(write, read, focus, rule, team):
    (row,) = read(write("bill.csv", focus({"SubAccountId": "s-1", "Tags": '{"app": "shop"}'})), owners=rules(rule))
    assert row["team"] == team
    assert row["owner"] == (None if team == "(unowned)" else f"{team}@x")


def test_a_subscription_is_matched_within_its_path(write, read, focus):
    path = write("bill.csv", focus({"SubAccountId": "/subscriptions/s-1"}))
    assert read(path, owners=rules(("subscription", "s-1", "t")))[0]["team"] == "t"


def test_keys_and_models_are_matched_in_usage(write, read):
    text = "time,model,key_alias,input_tokens,cost\n2025-04-01,m1,k1,1,1\n2025-04-01,m2,k2,1,1\n2025-04-01,m3,k3,1,1\n"
    path = write("usage.csv", text)
    found = read(path, owners=rules(("key", "k1", "by-key"), ("model", "m2", "by-model")))
    assert [row["team"] for row in found] == ["by-key", "by-model", "(unowned)"]


def test_the_first_rule_of_the_file_wins(write, read, focus):
    path = write("bill.csv", focus({"SubAccountId": "s-1", "Tags": '{"app": "shop"}'}))
    tag, account = ("tag", "app=shop", "by-tag"), ("account", "s-1", "by-account")
    assert read(path, owners=rules(tag, account))[0]["team"] == "by-tag"
    assert read(path, owners=rules(account, tag))[0]["team"] == "by-account"


def test_a_row_s_own_team_counts_where_no_rule_does(write, read, focus):
    path = write("bill.csv", focus({"SubAccountId": "s-1", "Tags": '{"team": "own"}'}, {"SubAccountId": "s-2"}))
    assert [row["team"] for row in read(path, owners=rules(("account", "s-9", "x")))] == ["own", "(unowned)"]
    assert [row["team"] for row in read(path, owners=rules(("account", "s-1", "x")))] == ["x", "(unowned)"]
