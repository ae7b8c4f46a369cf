from datetime import timedelta

import pytest
from sqlalchemy import text

from comptroller.enums import Role
from comptroller.errors import (
    ConflictError,
    InvalidInputError,
    KeyReusedError,
    NotAllowedError,
    NotAuthenticatedError,
    NotFoundError,
    TooManyAttemptsError,
)
from comptroller.spine.orchestrator import access, limits
from comptroller.spine.orchestrator.audit import list_audit
from comptroller.spine.orchestrator.once import once
from comptroller.types.access import Principal
from comptroller.types.caller import Caller
from integration.access.conftest import ADMIN, OLD_PEPPERS, PEPPERS

PASSWORD = "correct horse battery"  # noqa: S105 — of a test


def test_a_key_opens_the_door_of_its_tenant_with_its_role(door):
    made = door.make_key("operator")
    who = door.who(made.secret)
    assert (who.tenant, who.role, who.actor) == ("acme", Role.OPERATOR, f"key:{made.key.prefix}")


def test_the_secret_of_a_key_is_stored_nowhere(door):
    made = door.make_key()
    with door.engine.connect() as conn:
        for table in ("api_keys", "audit_entries"):
            for row in conn.execute(text(f"SELECT * FROM {table}")):
                assert made.secret not in str(row)
                assert made.secret.removeprefix(made.key.prefix) not in str(row)


def test_a_key_of_an_older_pepper_still_opens(door):
    assert door.who(door.make_key(peppers=OLD_PEPPERS).secret) is not None


@pytest.mark.parametrize("wrong", ["", "ctk_live_", "ctk_live_" + "0" * 43, "Bearer x", "' OR 1=1 --"])
def test_what_is_no_key_opens_nothing(door, wrong):
    assert door.who(wrong) is None


def test_a_revoked_key_opens_nothing_and_revoking_twice_changes_nothing(door):
    made = door.make_key()
    first = door.do(access.revoke_key, made.key.id)
    door.later(hours=1)
    assert door.do(access.revoke_key, made.key.id) == first
    assert door.who(made.secret) is None


def test_an_expired_key_opens_nothing(door):
    made = door.make_key(expires_at=door.now + timedelta(hours=1))
    assert door.who(made.secret) is not None
    door.later(hours=1)
    assert door.who(made.secret) is None


def test_the_last_use_of_a_key_is_on_record(door):
    made = door.make_key()
    door.who(made.secret)
    assert door.do(access.get_key, made.key.id).last_used_at == door.now


@pytest.mark.parametrize("giver", [Role.VIEWER, Role.AGENT, Role.OPERATOR])
def test_nobody_mints_a_key_that_may_do_more(door, giver):
    with pytest.raises(NotAllowedError):
        door.make_key("admin", giver=Principal("acme", "key:x", giver))


def test_a_minted_key_does_not_outlive_its_maker(door):
    end = door.now + timedelta(days=1)
    made = door.make_key(giver=Principal("acme", "key:x", Role.ADMIN, False, end), expires_at=end + timedelta(days=9))
    assert made.key.expires_at == end


def test_a_key_that_is_past_before_it_begins_is_refused(door):
    with pytest.raises(InvalidInputError, match="past"):
        door.make_key(expires_at=door.now)


def test_another_tenants_key_is_as_absent_as_an_unknown_one(door):
    made = door.make_key()
    other = Caller("rival", "x", lambda: door.now)
    errors = []
    for key_id in (made.key.id, "0" * 36):
        with pytest.raises(NotFoundError) as caught:
            access.revoke_key.run(door.engine, other, key_id)
        errors.append(str(caught.value).replace(key_id, "ID"))
    assert errors[0] == errors[1]
    assert access.list_keys.run(door.engine, other) == []


def test_the_first_link_sets_a_password_once(door):
    login = access.set_password.run(door.engine, door.nobody, door.token, PASSWORD)
    assert login.principal.role is Role.ADMIN
    assert login.principal.is_home
    assert door.session(login.secret).actor == "user:admin"
    with pytest.raises(NotAuthenticatedError):
        access.set_password.run(door.engine, door.nobody, door.token, PASSWORD)
    assert door.do(access.prepare_home) is None


def test_a_link_ends_after_a_day_and_a_newer_one_replaces_it(door):
    newer = door.do(access.prepare_home)
    with pytest.raises(NotAuthenticatedError):
        access.set_password.run(door.engine, door.nobody, door.token, PASSWORD)
    door.later(days=1)
    with pytest.raises(NotAuthenticatedError):
        access.set_password.run(door.engine, door.nobody, newer, PASSWORD)


def test_a_session_ends_by_logging_out_by_idleness_and_by_age(door):
    access.set_password.run(door.engine, door.nobody, door.token, PASSWORD)
    out, idle, old = (door.log_in(PASSWORD).secret for _ in range(3))
    access.log_out.run(door.engine, door.nobody, out)
    assert door.session(out) is None
    for _ in range(15):
        door.later(hours=11)
        assert door.session(old) is not None
    assert door.session(idle) is None
    door.later(hours=4)
    assert door.session(old) is None


def test_every_login_begins_a_session_of_its_own(door):
    access.set_password.run(door.engine, door.nobody, door.token, PASSWORD)
    assert door.log_in(PASSWORD).secret != door.log_in(PASSWORD).secret


def test_a_disabled_person_is_out_at_once(door):
    access.set_password.run(door.engine, door.nobody, door.token, PASSWORD)
    login = door.log_in(PASSWORD)
    door.do(access.disable_user, "admin")
    assert door.session(login.secret) is None
    with pytest.raises(NotAuthenticatedError):
        door.log_in(PASSWORD)


def test_a_disabled_tenant_is_out_at_once(door):
    door.do(access.create_tenant, "rival")
    made = access.create_key.run(door.engine, Caller("rival", "x"), ADMIN, PEPPERS, name="k", role="agent")
    door.do(access.set_tenant_disabled, "rival", disabled=True)
    assert door.who(made.secret) is None
    door.do(access.set_tenant_disabled, "rival", disabled=False)
    assert door.who(made.secret) is not None


def test_the_home_tenant_stays_open(door):
    with pytest.raises(ConflictError):
        door.do(access.set_tenant_disabled, "acme", disabled=True)


def test_an_account_is_locked_in_whichever_process_and_opens_again(door):
    access.set_password.run(door.engine, door.nobody, door.token, PASSWORD)
    for address in "12345":
        with pytest.raises(NotAuthenticatedError):
            door.log_in("wrong password", address=address)
    with pytest.raises(TooManyAttemptsError):
        door.log_in(PASSWORD, address="6")
    door.later(minutes=16)
    assert door.log_in(PASSWORD, address="6") is not None


def test_an_unknown_address_answers_like_a_wrong_password(door):
    said = []
    for email in ("admin", "nobody@example.org"):
        with pytest.raises(NotAuthenticatedError) as caught:
            door.log_in(PASSWORD, email=email)
        said.append(str(caught.value))
    assert said[0] == said[1]


def test_an_address_of_one_tenant_cannot_be_taken_by_another(door):
    door.do(access.add_user, ADMIN, email="Ana@Example.org", role="viewer")
    door.do(access.create_tenant, "rival")
    with pytest.raises(ConflictError):
        access.add_user.run(door.engine, Caller("rival", "x"), ADMIN, email="ana@example.org", role="viewer")


def test_every_change_of_access_is_in_the_audit(door):
    made = door.make_key()
    door.do(access.revoke_key, made.key.id)
    door.do(access.add_user, ADMIN, email="bo", role="viewer")
    door.do(access.disable_user, "bo")
    door.do(access.create_tenant, "rival")
    actions = [entry.action for entry in door.do(list_audit)]
    assert actions == ["tenant.created", "user.disabled", "user.added", "key.revoked", "key.created", "tenant.created"]


def test_a_request_with_a_key_is_done_once_and_answered_the_same(door):
    arguments = {"name": "cap", "ceiling": "5 USD", "every": "day"}
    first, second = (
        door.do(once, "k1", use_case=limits.create_limit, arguments=arguments, encode=lambda one: one.id)
        for _ in range(2)
    )
    assert first == second
    assert len(door.do(limits.list_limits)) == 1


def test_a_requests_key_with_other_content_is_refused_and_a_failure_binds_no_key(door):
    cap, other = ({"name": name, "ceiling": "5 USD", "every": "day"} for name in ("cap", "other"))
    with pytest.raises(InvalidInputError):
        door.do(once, "k1", use_case=limits.create_limit, arguments={**cap, "every": "eon"}, encode=str)
    door.do(once, "k1", use_case=limits.create_limit, arguments=cap, encode=str)
    with pytest.raises(KeyReusedError):
        door.do(once, "k1", use_case=limits.create_limit, arguments=other, encode=str)
