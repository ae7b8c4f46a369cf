"""Choose how a message leaves, by the kind of its channel."""

import time
from typing import assert_never

from comptroller.enums import ChannelKind
from comptroller.types.notices import Attempt, Claim, Destination, Message
from comptroller.worker.sending.chat import Chat
from comptroller.worker.sending.mail import Mail
from comptroller.worker.sending.network import SendError
from comptroller.worker.sending.webhook import Webhook

BATCH_SECONDS = 60  # well within the claim's three minutes

Sender = Webhook | Mail | Chat


def sender_for(destination: Destination) -> Sender:
    """Return what sends to a destination."""
    match destination.kind:
        case ChannelKind.WEBHOOK:
            return Webhook(destination)
        case ChannelKind.MAIL:
            return Mail(destination)
        case ChannelKind.CHAT:
            return Chat(destination)
    assert_never(destination.kind)


def send_one(destination: Destination, message: Message) -> None:
    """Send one message.

    Raises:
        SendError: If it is not taken.
    """
    sender = sender_for(destination)
    try:
        sender.send(message, int(time.time()))
    finally:
        sender.close()


def send_all(claimed: Claim) -> list[Attempt]:
    """Send a claim's messages in order; after a failure, or past the time, the rest is not tried."""
    sender = sender_for(claimed.destination)
    attempts: list[Attempt] = []
    end = time.monotonic() + BATCH_SECONDS
    has_failed = False
    try:
        for message in claimed.messages:
            if has_failed or time.monotonic() > end:
                attempts.append(Attempt(message.id, was_tried=False))
                continue
            try:
                sender.send(message, int(time.time()))
                attempts.append(Attempt(message.id))
            except SendError as error:
                has_failed = True
                attempts.append(Attempt(message.id, str(error)))
    finally:
        sender.close()
    return attempts
