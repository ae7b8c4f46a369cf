"""Channels, notices and deliveries as callers see them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from comptroller.enums import ChannelKind, Severity


@dataclass(frozen=True, slots=True)
class ChannelRules:
    """Which notices a channel tells, and when.

    Args:
        severity: Nothing less grave than this.
        kinds: Beginnings of kinds, such as ``incident`` or ``limit.breached``; empty tells all.
        where: Dimension values of which one must match, for each dimension; empty tells all.
        only: Times at which it tells, such as ``mon-fri 08:00-18:00``; other times are left to other channels.
        quiet: Times at which it is silent, such as ``22:00-07:00``: what is not CRITICAL waits for their end.
        timezone: The IANA zone of these times.
        group_seconds: How long it gathers notices into one message; 0 tells each alone, CRITICAL is never gathered.
        repeat_seconds: After how long an incident that nobody acknowledged is told again; 0 never.
        to_owner: Mail goes to the owner, where one is known by address.
    """

    severity: Severity = Severity.LOW
    kinds: tuple[str, ...] = ()
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    only: str | None = None
    quiet: str | None = None
    timezone: str = "UTC"
    group_seconds: int = 0
    repeat_seconds: int = 0
    to_owner: bool = False


@dataclass(frozen=True, slots=True)
class Channel:
    """Where notices go; of the target only scheme and host are shown."""

    id: str
    name: str
    kind: ChannelKind
    target: str
    rules: ChannelRules
    allows_private: bool
    created_at: datetime
    created_by: str
    waiting: int = 0
    dead: int = 0
    last_sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewChannel:
    """A channel that was just made, with the secret that signs its webhooks, shown once."""

    channel: Channel
    secret: str | None


@dataclass(frozen=True, slots=True)
class Destination:
    """A channel's target, opened for sending; it never goes into a log.

    Args:
        url: With its credentials.
        secret: What signs webhooks; absent for other kinds.
    """

    kind: ChannelKind
    url: str = field(repr=False)
    secret: str | None = field(repr=False)
    allows_private: bool
    to_owner: bool


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: one notice, or several that were gathered.

    Args:
        id: The same on every repeat.
        dedup_key: The same for all messages of one incident, from its trigger to its resolve.
        bodies: One for each notice.
    """

    id: str
    kind: str
    severity: Severity
    dedup_key: str
    attempts: int
    created_at: datetime
    bodies: tuple[Mapping[str, Any], ...]

    @property
    def is_resolve(self) -> bool:
        """Tell whether it says that something is over."""
        return self.kind == "incident.resolved"


@dataclass(frozen=True, slots=True)
class Claim:
    """Messages of one channel that a worker is about to send."""

    token: str
    channel_id: str
    destination: Destination
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Attempt:
    """How the sending of one message went; ``error`` is absent if it was taken."""

    message_id: str
    error: str | None = None
    was_tried: bool = True
