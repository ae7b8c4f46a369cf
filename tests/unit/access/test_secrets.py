import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comptroller.domains.access.engine import rights, secrets
from comptroller.enums import Role
from comptroller.errors import InvalidInputError, NotAllowedError
from comptroller.peppers import VARIABLE, load_peppers

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@given(st.binary(min_size=27, max_size=27))
def test_a_key_has_its_mark_its_length_and_a_checksum_that_holds(random):
    key = secrets.make_key(random)
    assert re.fullmatch(r"ctk_live_[0-9A-Za-z]{43}", key)
    assert secrets.is_key(key)


@given(st.binary(min_size=27, max_size=27), st.integers(9, 51), st.sampled_from("abcXYZ019_ é\x00"))
def test_a_mistyped_key_is_none(random, place, letter):
    key = secrets.make_key(random)
    wrong = key[:place] + letter + key[place + 1 :]
    assert wrong == key or not secrets.is_key(wrong)


@given(st.text())
def test_any_other_text_is_no_key(text):
    assert not secrets.is_key(text)


def test_what_is_stored_depends_on_the_pepper():
    assert secrets.keyed_hash("a", b"1" * 32) != secrets.keyed_hash("a", b"2" * 32)


def test_a_password_is_met_by_itself_alone_and_nobody_by_none():
    stored = secrets.hash_password("correct horse battery")
    assert secrets.is_password(stored, "correct horse battery")
    assert not secrets.is_password(stored, "correct horse batterz")
    assert not secrets.is_password(None, "correct horse battery")


@pytest.mark.parametrize("password", ["", "short", "x" * 129])
def test_a_password_of_a_wrong_length_is_refused(password):
    with pytest.raises(InvalidInputError, match="password must have"):
        secrets.hash_password(password)


@pytest.mark.parametrize("giver", Role)
@pytest.mark.parametrize("given_role", Role)
def test_a_role_hands_on_no_right_that_it_lacks(giver, given_role):
    if rights.RIGHTS[given_role] <= rights.RIGHTS[giver]:
        rights.check_grant(giver, given_role)
    else:
        with pytest.raises(NotAllowedError):
            rights.check_grant(giver, given_role)


def test_an_account_is_heard_five_times_in_a_quarter_of_an_hour():
    assert [rights.wait_seconds("account", count, NOW, NOW) for count in (1, 5, 6)] == [0, 0, 901]
    assert rights.wait_seconds("account", 60, NOW, NOW + timedelta(minutes=15, seconds=2)) == 0


def test_the_pepper_of_a_file_is_made_once_and_kept_to_its_owner(tmp_path):
    first = load_peppers(tmp_path / "a.db")
    assert load_peppers(tmp_path / "a.db") == first
    assert (tmp_path / "a.db.pepper").stat().st_mode & 0o777 == 0o600


def test_the_environment_gives_several_peppers_the_first_for_new_keys(monkeypatch):
    monkeypatch.setenv(VARIABLE, f"2:{'ab' * 32},1:{'cd' * 32}")
    assert load_peppers(None).current == ("2", bytes.fromhex("ab" * 32))


@pytest.mark.parametrize("value", ["", "abc", "1:12", f"1:{'ab' * 32},2"])
def test_a_missing_or_weak_pepper_is_refused_by_name(monkeypatch, value):
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(InvalidInputError, match=VARIABLE):
        load_peppers(None)
