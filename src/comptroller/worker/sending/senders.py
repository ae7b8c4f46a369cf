"""Choose how a message leaves, by the kind of its channel."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, assert_never

from comptroller.enums import ChannelKind
from comptroller.types.notices import Attempt, Claim, Destination, Message
from comptroller.worker.sending.chat import Chat
from comptroller.worker.sending.mail import Mail
from comptroller.worker.sending.network import SendError
from comptroller.worker.sending.webhook import Webhook

BATCH_SECONDS: Final = 60  # well within the claim's three minutes
LANES: Final = 8  # connections to one receiver of webhooks

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
    """Send a claim's messages; after a failure, or past the time, the rest is not tried.

    Webhooks go over several connections at once: no two messages of one claim are about the same subject, so that none
    overtakes another.
    """
    lanes = min(LANES, len(claimed.messages)) if claimed.destination.kind is ChannelKind.WEBHOOK else 1
    stop = threading.Event()
    if lanes == 1:
        return _send_lane(claimed.destination, claimed.messages, stop)
    with ThreadPoolExecutor(lanes, thread_name_prefix="comptroller-lane") as pool:
        parts = [
            pool.submit(_send_lane, claimed.destination, claimed.messages[lane::lanes], stop) for lane in range(lanes)
        ]
        return [attempt for part in parts for attempt in part.result()]


def _send_lane(destination: Destination, messages: Sequence[Message], stop: threading.Event) -> list[Attempt]:
    sender = sender_for(destination)
    attempts: list[Attempt] = []
    end = time.monotonic() + BATCH_SECONDS
    try:
        for message in messages:
            if stop.is_set() or time.monotonic() > end:
                attempts.append(Attempt(message.id, was_tried=False))
                continue
            try:
                sender.send(message, int(time.time()))
                attempts.append(Attempt(message.id))
            except SendError as error:
                stop.set()
                attempts.append(Attempt(message.id, str(error)))
    finally:
        sender.close()
    return attempts
