import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from standardwebhooks.webhooks import Webhook

from comptroller.domains.notices.engine.routing import ATTEMPTS_MAX
from comptroller.enums import ChannelKind, Severity
from comptroller.errors import ConflictError, InvalidInputError, NotFoundError
from comptroller.spine.drivers.cross_domain import create_incident_from_cost_anomaly_sync
from comptroller.spine.orchestrator import incidents, kills, limits, notices, spend
from comptroller.spine.orchestrator.operation import operation
from comptroller.types.notices import Attempt, Destination, Message
from comptroller.worker.sending.senders import send_one
from receivers import Hook, Post


@operation
def open_one(session: Any, caller: Any, anomaly_id: str = "a1", severity: str = "HIGH") -> str:
    return create_incident_from_cost_anomaly_sync(
        session, caller.tenant, anomaly_id, "SPIKE", severity, 31000, 7400, "agent", "crawler", "crawler runs away"
    )


def bodies(hook: Hook) -> list[dict[str, Any]]:
    return [json.loads(body) for _, body in hook.taken]


def rows(office: Any, statement: str) -> list[Any]:
    with office.engine.connect() as connection:
        return list(connection.execute(text(statement)))


def test_a_fact_reaches_a_webhook_once_signed_and_with_its_kill(office: Any, hook: Hook):
    office.channel("ops", hook.url)
    incident_id = office(open_one)
    office.relay()
    office.relay()
    ((_, raw),) = hook.taken
    said = json.loads(raw)
    assert said["type"] == "incident.opened"
    assert said["dedup_key"] == f"comptroller:acme:{incident_id}"
    assert (
        said["data"]["kill"] == f"comptroller kill --where agent=crawler --why 'incident {incident_id}' --tenant acme"
    )
    assert said["data"]["undo"] == "comptroller lift --where agent=crawler --tenant acme"
    assert rows(office, "SELECT state, attempts FROM deliveries") == [("sent", 1)]


def test_the_reference_library_accepts_our_signature_and_refuses_a_changed_body(office: Any, hook: Hook):
    made = office.channel("ops", hook.url)
    office(open_one)
    office.relay()
    ((headers, raw),) = hook.taken
    assert Webhook(made.secret).verify(raw.decode(), headers)
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(made.secret).verify(raw.decode() + " ", headers)


def test_without_a_channel_notices_are_taken_out_of_the_outbox_and_kept_on_record(office: Any):
    office(open_one)
    assert office(notices.dispatch) == 1
    assert office(notices.dispatch) == 0
    assert rows(office, "SELECT count(*) FROM outbox WHERE dispatched_at IS NOT NULL") == [(1,)]


def test_a_receiver_that_fails_is_tried_again_later_with_the_same_id(office: Any, hook: Hook):
    office.channel("ops", hook.url)
    hook.statuses = [500, 429]
    office(open_one)
    office.relay()
    assert (hook.refused, hook.taken) == (1, [])
    for _ in range(2):
        office.clock.turn(seconds=30)
        office.relay()
    ((headers, _),) = hook.taken
    assert headers["webhook-id"] == rows(office, "SELECT id FROM deliveries")[0].id
    assert rows(office, "SELECT attempts, last_error FROM deliveries") == [(3, None)]


def test_a_redirect_is_not_followed(office: Any, hook: Hook):
    office.channel("ops", hook.url)
    hook.statuses = [302]
    office(open_one)
    office.relay()
    assert hook.taken == []
    assert rows(office, "SELECT last_error FROM deliveries") == [("the receiver answered 302",)]


def test_a_message_that_is_never_taken_dies_and_opens_an_incident_that_other_channels_tell(
    office: Any, hook: Hook, post: Post
):
    office.channel("ops", hook.url)
    hook.statuses = [503] * 99
    office(open_one)
    office.relay()
    office.channel("mail", f"smtp://127.0.0.1:{post.port}/?from=a@b.c&to=d@e.f")
    for _ in range(ATTEMPTS_MAX):
        office.clock.turn(hours=2)
        office.relay()
    assert rows(office, "SELECT attempts FROM deliveries WHERE state = 'dead'") == [(ATTEMPTS_MAX,)]
    assert rows(office, "SELECT entity_type FROM incidents WHERE anomaly_type = 'DELIVERY_FAILED'") == [("channel",)]
    ((recipients, mail),) = post.taken
    assert recipients == ["d@e.f"]
    assert "could not be delivered" in mail.replace("=\r\n", "").replace("\r\n ", " ")
    hook.statuses = []
    assert office(notices.retry_channel, "ops") == 1
    office.relay()
    assert [body["type"] for body in bodies(hook)] == ["incident.opened"]


def test_a_resolve_never_overtakes_its_trigger(office: Any, hook: Hook):
    office.channel("ops", hook.url)
    hook.statuses = [500]
    incident_id = office(open_one)
    office.relay()
    office(incidents.resolve_incident, incident_id, note="job stopped")
    office.relay()
    assert hook.taken == []
    office.clock.turn(minutes=5)
    office.relay()
    assert [body["type"] for body in bodies(hook)] == ["incident.opened", "incident.resolved"]
    assert len({body["dedup_key"] for body in bodies(hook)}) == 1
    assert bodies(hook)[1]["data"]["sentence"] == "Over: agent crawler, said ana: job stopped."


def test_notices_are_gathered_and_critical_ones_are_not(office: Any, hook: Hook):
    office.channel("ops", hook.url, group_seconds=60)
    for number in range(3):
        office(open_one, f"a{number}")
        office.clock.turn(seconds=5)
        office.relay()
    office(open_one, "worst", "CRITICAL")
    office.relay()
    assert [body["data"]["severity"] for body in bodies(hook)] == ["CRITICAL"]
    hook.statuses = [500]
    office.clock.turn(seconds=60)
    office.relay()
    office.clock.turn(seconds=60)
    office.relay()
    assert len(hook.taken) == 2
    assert len(bodies(hook)[1]["data"]["notices"]) == 3
    assert rows(office, "SELECT DISTINCT state FROM deliveries") == [("sent",)]


def test_quiet_hours_hold_back_what_is_not_critical(office: Any, hook: Hook):
    office.channel("ops", hook.url, quiet="11:00-13:00")
    office(open_one, "a1", "HIGH")
    office(open_one, "a2", "CRITICAL")
    office.relay()
    assert [body["data"]["severity"] for body in bodies(hook)] == ["CRITICAL"]
    office.clock.turn(hours=1)
    office.relay()
    assert len(hook.taken) == 2


def test_an_incident_is_told_again_until_somebody_acknowledges_it(office: Any, hook: Hook):
    office.channel("ops", hook.url, repeat_seconds=600)
    incident_id = office(open_one)
    office.relay()
    for _ in range(2):
        office.clock.turn(seconds=601)
        assert office(notices.repeat_unacknowledged) == 1
        assert office(notices.repeat_unacknowledged) == 0
        office.relay()
    office(incidents.acknowledge_incident, incident_id)
    office.clock.turn(seconds=601)
    assert office(notices.repeat_unacknowledged) == 0
    office.relay()
    assert [body["type"] for body in bodies(hook)] == ["incident.opened", "incident.reminder", "incident.reminder"]
    assert bodies(hook)[2]["data"]["sentence"].count("Still: ") == 1


def test_a_breach_that_opened_an_incident_is_told_once(office: Any, hook: Hook):
    office.channel("ops", hook.url)
    limit = office(limits.create_limit, "daily", ceiling="5 USD", every="day", where={"agent": "crawler"})
    incident_id = office(open_one)
    said = {"breach_type": "BREACHED", "value_at_breach": Decimal(6), "limit_value": Decimal(5)}
    office(spend.record_breach, limit.id, incident_id=incident_id, **said)
    office(spend.record_breach, limit.id, **said)
    office.relay()
    told = sorted(bodies(hook), key=lambda body: body["type"])  # of different subjects: in any order
    assert [body["type"] for body in told] == ["incident.opened", "limit.breached"]
    assert told[1]["data"]["sentence"].startswith("agent crawler, since ")
    assert told[1]["data"]["sentence"].endswith(" — limit daily breached: 6 of 5 USD.")


def test_a_kill_and_its_lift_are_told(office: Any, hook: Hook):
    office.channel("ops", hook.url, kinds=("kill",))
    office(kills.kill, where={"agent": "crawler"}, why="runaway")
    office(kills.lift, where={"agent": "crawler"}, why="mended")
    office(open_one)
    office.relay()
    assert [body["data"]["sentence"] for body in bodies(hook)] == [
        "ana shut agent=crawler: runaway.",
        "ana opened agent=crawler again: mended.",
    ]


def test_mail_goes_to_the_owner_where_one_is_known(office: Any, post: Post):
    url = f"smtp://127.0.0.1:{post.port}/?from=a@b.c&to=all@b.c"
    body = {"severity": "HIGH", "sentence": "it burns", "kind": "incident.opened"}
    for owner in ("ana@b.c", "the ML team"):
        message = Message("m1", "incident.opened", Severity.HIGH, "k", 1, office.clock(), ({**body, "owner": owner},))
        send_one(Destination(ChannelKind.MAIL, url, None, allows_private=True, to_owner=True), message)
    assert [recipients for recipients, _ in post.taken] == [["ana@b.c"], ["all@b.c"]]
    assert all("Message-ID: <m1@comptroller>" in mail for _, mail in post.taken)


def test_another_worker_takes_up_what_a_dead_one_had_claimed(office: Any, hook: Hook):
    office.channel("ops", hook.url)
    office(open_one)
    office(notices.dispatch)
    (channel_id,) = office(notices.channels_with_due)
    first = office(notices.claim, channel_id, office.peppers)
    assert office(notices.claim, channel_id, office.peppers) is None
    office.clock.turn(minutes=4)
    second = office(notices.claim, channel_id, office.peppers)
    assert [m.id for m in first.messages] == [m.id for m in second.messages]
    late = [Attempt(first.messages[0].id, "late")]
    office(notices.settle, first, late, [0.5])
    office(notices.settle, second, [Attempt(second.messages[0].id)], [0.5])
    assert rows(office, "SELECT state, last_error FROM deliveries") == [("sent", None)]


def test_channels_have_one_name_each_and_unknown_ones_are_refused(office: Any, hook: Hook):
    office.channel("ops", hook.url)
    with pytest.raises(ConflictError):
        office.channel("ops", hook.url)
    office(notices.remove_channel, "ops")
    office.channel("ops", hook.url)
    with pytest.raises(NotFoundError):
        office(notices.remove_channel, "pager")
    with pytest.raises(InvalidInputError):
        office.channel("a b", hook.url)


def test_no_secret_of_a_channel_is_stored_in_the_clear_listed_or_audited(office: Any):
    office.channel("ops", "https://hooks.example.com/s3cr3t?key=s3cr3t")
    listed = repr(office(notices.list_channels))
    stored = rows(office, "SELECT * FROM channels") + rows(office, "SELECT detail FROM audit_entries")
    assert "s3cr3t" not in listed + repr(stored)
    assert "s3cr3t" not in repr(office(notices.open_channel, "ops", office.peppers)[1])


def test_a_tenant_sees_and_tells_only_its_own(office: Any, hook: Hook):
    office.channel("ops", hook.url)
    other = replace(office.caller, tenant="other")
    open_one.run(office.engine, other)
    notices.dispatch.run(office.engine, other)
    office.relay()
    assert hook.taken == []
    assert notices.list_channels.run(office.engine, other) == []
