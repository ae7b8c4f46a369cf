"""Webhooks, signed as Standard Webhooks says (specification 1.0, section "Signature scheme")."""

import base64
import hashlib
import hmac
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from comptroller.types.notices import Destination, Message
from comptroller.worker.sending.network import Connection, SendError

_PORTS: Final = {"https": 443, "http": 80}
_TAKEN: Final = range(200, 300)


def signed_headers(message_id: str, timestamp: int, body: bytes, secret: str) -> dict[str, str]:
    """Return the headers by which a receiver knows a message, its age and that it is ours."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
        "content-type": "application/json",
        "user-agent": "comptroller",
    }


def body_of(message: Message) -> bytes:
    """Return a message as JSON: one notice in ``data``, or those that were gathered."""
    data: Any = message.bodies[0] if len(message.bodies) == 1 else {"notices": list(message.bodies)}
    kind = message.kind if len(message.bodies) == 1 else "notices"
    said = {"type": kind, "timestamp": message.created_at.isoformat(), "dedup_key": message.dedup_key, "data": data}
    return msgspec.json.encode(said)


class Webhook:
    """A receiver of webhooks; its connection stays open for the messages of one batch."""

    def __init__(self, destination: Destination) -> None:
        parts = urlsplit(destination.url)
        port = parts.port or _PORTS[parts.scheme]
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._secret = destination.secret or ""
        self._connection = Connection(
            parts.scheme, parts.hostname or "", port, allows_private=destination.allows_private
        )

    def send(self, message: Message, timestamp: int) -> None:
        """Send a message.

        Raises:
            SendError: If it is not taken with a 2xx status.
        """
        body = body_of(message)
        status = self._connection.post(self._path, body, signed_headers(message.id, timestamp, body, self._secret))
        if status not in _TAKEN:
            raise SendError(f"the receiver answered {status}")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
