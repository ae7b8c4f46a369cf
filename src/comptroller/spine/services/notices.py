"""Make deliveries of notices, hand them to a worker, and write down what became of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from comptroller.domains.audit.driver import write_entry
from comptroller.domains.incidents.driver.facts import incident_rows
from comptroller.domains.notices.driver import channels, deliveries, outbox
from comptroller.domains.notices.engine import routing, targets
from comptroller.domains.notices.engine.telling import Source, tell
from comptroller.enums import DeliveryState, IncidentStatus, Severity
from comptroller.errors import ConflictError, InvalidInputError, NotFoundError
from comptroller.ids import uuid7
from comptroller.peppers import Peppers
from comptroller.spine.drivers.cross_domain import create_incident_from_cost_anomaly_sync
from comptroller.spine.services.channel_targets import read_target
from comptroller.spine.services.notice_facts import FactsOf
from comptroller.types.caller import Caller
from comptroller.types.notices import Attempt, Channel, ChannelRules, Claim, Destination, NewChannel

LEASE: Final = timedelta(minutes=3)  # longer than a batch may take to send
MESSAGE_MAX: Final = 50  # notices that are gathered into one message
DEAD_TYPE: Final = "DELIVERY_FAILED"


def add_channel(
    session: Session,
    caller: Caller,
    peppers: Peppers,
    *,
    name: str,
    target: str,
    rules: ChannelRules,
    allows_private: bool,
    now: datetime,
) -> NewChannel:
    """Store a channel with its target sealed.

    Raises:
        ConflictError: If the name is in use.
    """
    read = read_target(target, allows_private=allows_private)
    known = channels.list_channels(session, caller.tenant)
    if any(one.name == name for one in known):
        raise ConflictError(f"a channel {name!r} exists: remove it first, or choose another name")
    secret = targets.new_secret() if read.kind.value == "webhook" else None
    channel = Channel(
        uuid7(), name, read.kind, read.shown, routing.check_rules(rules), allows_private, now, caller.actor
    )  # fmt: skip
    sealed = targets.seal(read.url, secret, channel_id=channel.id, peppers=peppers)
    channels.insert_channel(session, caller.tenant, channel, sealed)
    _audit(session, caller, "channel.added", channel, now)
    return NewChannel(channel, secret)


def remove_channel(session: Session, caller: Caller, name: str, *, now: datetime) -> None:
    """Take a channel out of use; its target is forgotten."""
    channel = get_channel(session, caller.tenant, name)
    channels.remove_channel(session, caller.tenant, channel.id, now)
    _audit(session, caller, "channel.removed", channel, now)


def get_channel(session: Session, tenant: str, name: str) -> Channel:
    """Return a channel by name or id.

    Raises:
        NotFoundError: If the tenant has none of that name.
    """
    for one in channels.list_channels(session, tenant):
        if name in {one.name, one.id}:
            return one
    raise NotFoundError(f"channel {name!r} does not exist for this tenant")


def dispatch(session: Session, tenant: str, *, count: int, public_url: str | None, now: datetime) -> int:
    """Make deliveries of the oldest notices of the outbox and return how many notices there were."""
    sources = outbox.take_notices(session, tenant, count=count, now=now)
    known = channels.list_channels(session, tenant) if sources else []
    if not known:
        return len(sources)
    facts = FactsOf(session, tenant, sources, now)
    rows: list[dict[str, Any]] = []
    gathering = _Gathering(session, tenant, now)
    for source in sources:
        if facts.is_told_elsewhere(source):
            continue
        body = tell(source, facts.of(source), public_url=public_url)
        for channel in known:
            if _is_for(channel, source, body, facts, now):
                due_at = gathering.ready_at(channel, source.severity)
                rows.append(_row(tenant, channel, body, notice_id=source.notice_id, due_at=due_at, now=now))
    outbox.insert_deliveries(session, rows)
    return len(sources)


def claim(
    session: Session, tenant: str, channel_id: str, peppers: Peppers, *, count: int, now: datetime
) -> Claim | None:
    """Claim what is due for a channel, gathered where the channel gathers; None where nothing is."""
    found = [one for one in channels.list_channels(session, tenant) if one.id == channel_id]
    sealed = channels.sealed_targets(session, tenant, [channel_id]).get(channel_id)
    if not found or not sealed:
        return None
    channel, token = found[0], uuid7()
    rows = deliveries.claim(session, tenant, channel_id, count=count, token=token, until=now + LEASE, now=now)
    if not rows:
        return None
    stuck = [row for row in rows if row.attempts > routing.ATTEMPTS_MAX + 1]
    for row in stuck:  # its sending ended each worker that tried
        deliveries.mark_failed(session, tenant, token, row.id, error="its sending never came to an end", due_at=None)
    if stuck:
        _open_dead(session, tenant, channel_id, "their sending never came to an end", now)
        rows = [row for row in rows if row not in stuck]
    if channel.rules.group_seconds:
        rows = _gather(session, tenant, rows)
    joined = deliveries.joined_bodies(session, tenant, [row.id for row in rows])
    url, secret = targets.unseal(sealed, channel_id=channel_id, peppers=peppers)
    destination = Destination(channel.kind, url, secret, channel.allows_private, channel.rules.to_owner)
    messages = tuple(deliveries.as_message(tenant, row, joined.get(row.id, [])) for row in rows)
    return Claim(token, channel_id, destination, messages)


def settle(
    session: Session, tenant: str, claimed: Claim, attempts: Sequence[Attempt], luck: Sequence[float], *, now: datetime
) -> int:
    """Write down how the sending went and return how many deliveries died; those open an incident."""
    by_id = {message.id: message for message in claimed.messages}
    sent = [one.message_id for one in attempts if one.error is None and one.was_tried]
    if sent:
        deliveries.mark_sent(session, tenant, claimed.token, sent, now)
        _plan_repeats(session, tenant, claimed.channel_id, sent, now)
    dead = 0
    last_wait = timedelta(seconds=routing.RETRY_FIRST)
    for one, fortune in zip(attempts, luck, strict=True):
        if one.error is None or not one.was_tried:
            continue
        tried = by_id[one.message_id].attempts
        last_wait = routing.retry_after(tried, fortune)
        is_dead = tried >= routing.ATTEMPTS_MAX
        due_at = None if is_dead else now + last_wait
        told = deliveries.mark_failed(session, tenant, claimed.token, one.message_id, error=one.error, due_at=due_at)
        dead += is_dead and told
    back = [one.message_id for one in attempts if not one.was_tried]
    if back:
        deliveries.give_back(session, tenant, claimed.token, back, now + last_wait)
    if dead:
        errors = [one.error for one in attempts if one.error]
        _open_dead(session, tenant, claimed.channel_id, errors[-1], now)
    return dead


def repeat(session: Session, tenant: str, *, count: int, now: datetime) -> int:
    """Tell again the incidents that nobody has acknowledged, and return how many."""
    rows = deliveries.take_repeats(session, tenant, count=count, now=now)
    known = {one.id: one for one in channels.list_channels(session, tenant)} if rows else {}
    incidents = incident_rows(session, tenant, {row.subject_id for row in rows})
    again = []
    for row in rows:
        incident, channel = incidents.get(row.subject_id), known.get(row.channel_id)
        if channel is None or incident is None or incident.status != IncidentStatus.OPEN.value:
            continue
        body = {**row.body, "kind": "incident.reminder", "at": now.isoformat()}
        if not body["sentence"].startswith("Still: "):
            body["sentence"] = f"Still: {body['sentence']}"
        due_at = routing.ready_at(channel.rules, Severity(row.severity), now)
        again.append(_row(tenant, channel, body, notice_id=row.id, due_at=due_at, now=now))
    outbox.insert_deliveries(session, again)
    return len(again)


def revive(session: Session, caller: Caller, name: str, *, now: datetime) -> int:
    """Have a channel's dead deliveries wait again."""
    channel = get_channel(session, caller.tenant, name)
    count = deliveries.revive(session, caller.tenant, channel.id, now)
    _audit(session, caller, "channel.retried", channel, now)
    return count


def _is_for(
    channel: Channel, source: Source, body: Mapping[str, Any], facts: FactsOf, now: datetime
) -> bool:  # fmt: skip
    incident = facts.incidents.get(source.subject_id)
    is_about_channel = incident is not None and incident.entity_type == "channel" and incident.entity_id == channel.id
    if is_about_channel:
        return False  # a channel that fails cannot tell that it fails
    notice = routing.Notice(source.kind, source.severity, {**body["dimensions"], "team": body.get("team", "")})
    return routing.wants(channel.rules, notice, now)


class _Gathering:
    """When the messages leave that channels gather at present."""

    def __init__(self, session: Session, tenant: str, now: datetime) -> None:
        self._session, self._tenant, self._now = session, tenant, now
        self._until: dict[str, datetime | None] = {}

    def ready_at(self, channel: Channel, severity: Severity) -> datetime:
        """Return from when on a notice may leave by a channel."""
        due_at = routing.ready_at(channel.rules, severity, self._now)
        if channel.rules.group_seconds and due_at > self._now:
            if channel.id not in self._until:
                self._until[channel.id] = deliveries.gathering_until(self._session, self._tenant, channel.id, self._now)
            due_at = self._until[channel.id] = min(due_at, self._until[channel.id] or due_at)
        return due_at


def _row(
    tenant: str, channel: Channel, body: dict[str, Any], *, notice_id: str, due_at: datetime, now: datetime
) -> dict[str, Any]:
    return {
        "tenant_id": tenant,
        "id": uuid7(),
        "channel_id": channel.id,
        "notice_id": notice_id,
        "kind": body["kind"],
        "subject_id": body["subject_id"],
        "severity": body["severity"],
        "body": body,
        "state": DeliveryState.WAITING.value,
        "attempts": 0,
        "due_at": due_at,
        "created_at": now,
    }


def _gather(session: Session, tenant: str, rows: list[Any]) -> list[Any]:
    fresh = [row for row in rows if row.attempts == 1 and row.severity != Severity.CRITICAL.value]
    alone = [row for row in rows if row not in fresh]
    leaders = []
    for start in range(0, len(fresh), MESSAGE_MAX):
        leader, *others = fresh[start : start + MESSAGE_MAX]
        leaders.append(leader)
        if others:
            deliveries.join(session, tenant, leader.id, [row.id for row in others])
    return alone + leaders


def _plan_repeats(session: Session, tenant: str, channel_id: str, sent: Sequence[str], now: datetime) -> None:
    for channel in channels.list_channels(session, tenant):
        if channel.id == channel_id and channel.rules.repeat_seconds:
            at = now + timedelta(seconds=channel.rules.repeat_seconds)
            deliveries.set_repeats(session, tenant, channel_id, sent, at)


def _open_dead(session: Session, tenant: str, channel_id: str, error: str | None, now: datetime) -> None:
    try:
        name = get_channel(session, tenant, channel_id).name
    except NotFoundError:
        name = channel_id
    create_incident_from_cost_anomaly_sync(
        session,
        tenant_id=tenant,
        anomaly_id=f"channel:{channel_id}:{now:%Y-%m-%d}",
        anomaly_type=DEAD_TYPE,
        severity=Severity.HIGH.value,
        current_value_cents=0,
        expected_value_cents=0,
        entity_type="channel",
        entity_id=channel_id,
        description=f"notices by channel {name} could not be delivered since hours: {error}",
    )


def _audit(session: Session, caller: Caller, action: str, channel: Channel, now: datetime) -> None:
    detail = {"name": channel.name, "target": channel.target, "rules": routing.rules_as_json(channel.rules)}
    write_entry(
        session, caller, action=action, object_type="channel", object_id=channel.id, detail=detail, now=now
    )  # fmt: skip


def open_destination(session: Session, tenant: str, name: str, peppers: Peppers) -> tuple[Channel, Destination]:
    """Return a channel with its target opened, for a test message."""
    channel = get_channel(session, tenant, name)
    sealed = channels.sealed_targets(session, tenant, [channel.id])[channel.id]
    url, secret = targets.unseal(sealed, channel_id=channel.id, peppers=peppers)
    return channel, Destination(channel.kind, url, secret, channel.allows_private, channel.rules.to_owner)


def check_name(name: str) -> str:
    """Return a channel's name that is acceptable."""
    if not name or len(name) > 64 or not name.replace("-", "").replace("_", "").isalnum():  # noqa: PLR2004 — a name's length
        raise InvalidInputError("a channel's name has at most 64 letters, digits, - and _")
    return name
