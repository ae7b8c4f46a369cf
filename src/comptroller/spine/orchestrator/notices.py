"""Use cases of notices: channels, and what a worker does with the outbox."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from comptroller.domains.notices.driver import channels as driver
from comptroller.domains.notices.driver import deliveries, outbox
from comptroller.domains.notices.engine.telling import Facts, Source, tell
from comptroller.enums import Severity
from comptroller.ids import uuid7
from comptroller.peppers import Peppers
from comptroller.spine.orchestrator.operation import operation, reading
from comptroller.spine.services import notices as service
from comptroller.types.caller import Caller
from comptroller.types.notices import Attempt, Channel, ChannelRules, Claim, Destination, Message, NewChannel
from comptroller.words import member

DISPATCH_MAX: Final = 500  # notices in one transaction
CLAIM_MAX: Final = 200  # messages that one worker sends before it writes down how that went


@operation
def add_channel(
    session: Session,
    caller: Caller,
    peppers: Peppers,
    name: str,
    target: str,
    *,
    severity: str = Severity.LOW,
    kinds: Sequence[str] = (),
    where: Mapping[str, Sequence[str]] | None = None,
    only: str | None = None,
    quiet: str | None = None,
    timezone: str = "UTC",
    group_seconds: int = 0,
    repeat_seconds: int = 0,
    to_owner: bool = False,
    allows_private: bool = False,
) -> NewChannel:
    """Add a channel; its target is kept sealed, and the secret that signs webhooks is in this answer alone."""
    rules = ChannelRules(
        severity=member(Severity, "severity", severity),
        kinds=tuple(kinds),
        where={key: tuple(values) for key, values in (where or {}).items()},
        only=only,
        quiet=quiet,
        timezone=timezone,
        group_seconds=group_seconds,
        repeat_seconds=repeat_seconds,
        to_owner=to_owner,
    )
    return service.add_channel(
        session,
        caller,
        peppers,
        name=service.check_name(name),
        target=target,
        rules=rules,
        allows_private=allows_private,
        now=caller.now(),
    )


@operation
def remove_channel(session: Session, caller: Caller, name: str) -> None:
    """Take a channel out of use, by name or id; what waits for it is dropped, its target is forgotten."""
    service.remove_channel(session, caller, name, now=caller.now())


@reading
def list_channels(session: Session, caller: Caller) -> list[Channel]:
    """Return the channels by name, each with what waits for it and what it could not deliver."""
    return [_with_standing(session, caller.tenant, one) for one in driver.list_channels(session, caller.tenant)]


@operation
def retry_channel(session: Session, caller: Caller, name: str) -> int:
    """Have a channel's dead deliveries wait again, at most 1,000 at once, and return how many."""
    return service.revive(session, caller, name, now=caller.now())


@reading
def open_channel(session: Session, caller: Caller, name: str, peppers: Peppers) -> tuple[Channel, Destination]:
    """Return a channel with its target opened, for a test message."""
    return service.open_destination(session, caller.tenant, name, peppers)


def probe_message(caller: Caller, channel: Channel, public_url: str | None) -> Message:
    """Return the message by which a channel is tested."""
    now, test_id = caller.now(), uuid7()
    source = Source(test_id, caller.tenant, "channel.test", channel.id, Severity.LOW, {}, now)
    facts = Facts(f"A test of the channel {channel.name} by {caller.actor}: it works", page="/settings")
    body = tell(source, facts, public_url=public_url)
    return Message(test_id, source.kind, Severity.LOW, f"comptroller:{caller.tenant}:{test_id}", 1, now, (body,))


@reading
def tenants_with_notices(session: Session, _caller: Caller) -> list[str]:
    """Return the tenants with notices in the outbox."""
    return outbox.tenants_with_notices(session)


@reading
def tenants_with_deliveries(session: Session, _caller: Caller) -> list[str]:
    """Return the tenants with deliveries that wait."""
    return outbox.tenants_with_deliveries(session)


@operation
def dispatch(session: Session, caller: Caller, *, public_url: str | None = None, count: int = DISPATCH_MAX) -> int:
    """Make deliveries of the oldest notices of the outbox; returns how many notices were taken."""
    return service.dispatch(session, caller.tenant, count=count, public_url=public_url, now=caller.now())


@reading
def channels_with_due(session: Session, caller: Caller) -> list[str]:
    """Return the ids of the channels for which a delivery is due."""
    ids = [one.id for one in driver.list_channels(session, caller.tenant)]
    return deliveries.channels_with_due(session, caller.tenant, ids, caller.now())


@operation
def claim(
    session: Session, caller: Caller, channel_id: str, peppers: Peppers, *, count: int = CLAIM_MAX
) -> Claim | None:
    """Claim what is due for a channel; what is claimed and not settled is due again after three minutes."""
    return service.claim(session, caller.tenant, channel_id, peppers, count=count, now=caller.now())


@operation
def settle(session: Session, caller: Caller, claimed: Claim, attempts: Sequence[Attempt], luck: Sequence[float]) -> int:
    """Write down how the sending went and return how many deliveries died.

    Args:
        session: The transaction.
        caller: Whose.
        claimed: What was claimed.
        attempts: How it went, one for each message.
        luck: As many numbers in [0, 1), which spread the next attempts.
    """
    return service.settle(session, caller.tenant, claimed, attempts, luck, now=caller.now())


@operation
def analyze_if_new(session: Session, _caller: Caller) -> bool:
    """Have the database learn how large the tables of notices are, where it never did."""
    return outbox.analyze_if_new(session)


@operation
def repeat_unacknowledged(session: Session, caller: Caller) -> int:
    """Tell again the incidents that nobody has acknowledged, and return how many."""
    return service.repeat(session, caller.tenant, count=DISPATCH_MAX, now=caller.now())


@reading
def oldest_waiting(session: Session, caller: Caller) -> datetime | None:
    """Return since when the oldest notice waits."""
    return outbox.oldest_waiting(session, caller.tenant)


def _with_standing(session: Session, tenant: str, one: Channel) -> Channel:
    waiting, dead, last = driver.standing(session, tenant, one.id)
    return replace(one, waiting=waiting, dead=dead, last_sent_at=last)
