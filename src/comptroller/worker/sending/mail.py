"""Mail over SMTP to a checked address."""

import smtplib
import socket
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from comptroller.spine.orchestrator.targets import text_of, title
from comptroller.types.notices import Destination, Message
from comptroller.worker.sending.network import SECONDS, Deadline, SendError, connect, tls_context

_PORTS: Final = {"smtp": 587, "smtps": 465}


class _Pinned(smtplib.SMTP):
    """An SMTP client that connects to checked addresses only."""

    def __init__(self, scheme: str, host: str, port: int, *, allows_private: bool) -> None:
        self._scheme, self._allows = scheme, allows_private
        super().__init__(host, port, timeout=SECONDS)

    def _get_socket(self, host: str, port: int, _timeout: Any) -> socket.socket:
        sock = connect(host, port, Deadline(), allows_private=self._allows)
        sock.settimeout(SECONDS)
        return tls_context().wrap_socket(sock, server_hostname=host) if self._scheme == "smtps" else sock


class Mail:
    """A mail server, and to whom the mail goes: the owner where one is known and wanted, else the given address."""

    def __init__(self, destination: Destination) -> None:
        self._parts = urlsplit(destination.url)
        self._query = parse_qs(self._parts.query)
        self._destination = destination

    def send(self, message: Message, _timestamp: int) -> None:
        """Send a message; its Message-ID is the same on every repeat.

        Raises:
            SendError: If the server does not take it.
        """
        mail = self.mail_of(message)
        scheme, host = self._parts.scheme, self._parts.hostname or ""
        try:
            with _Pinned(
                scheme, host, self._parts.port or _PORTS[scheme], allows_private=self._destination.allows_private
            ) as client:
                self._log_in(client, host)
                client.send_message(mail)
        except (smtplib.SMTPException, OSError) as error:
            raise SendError(f"{host}: {type(error).__name__}: {error}"[:300]) from error

    def _log_in(self, client: smtplib.SMTP, _host: str) -> None:
        client.ehlo()
        if self._parts.scheme == "smtp" and client.has_extn("starttls"):
            client.starttls(context=tls_context())
            client.ehlo()
        elif self._parts.scheme == "smtp" and self._parts.username:
            raise SendError("the server offers no TLS: a password is not sent in the clear")
        if self._parts.username:
            client.login(unquote(self._parts.username), unquote(self._parts.password or ""))

    def mail_of(self, message: Message) -> EmailMessage:
        """Return a message as mail; what is gathered names the first in its subject."""
        mail = EmailMessage()
        more = len(message.bodies) - 1
        mail["Subject"] = " ".join(title(message.bodies[0]).split()) + (f" and {more} more" if more else "")
        mail["From"] = self._query["from"][0]
        mail["To"] = self._recipient(message)
        mail["Date"] = formatdate(message.created_at.timestamp())
        mail["Message-ID"] = f"<{message.id}@comptroller>"
        mail["References"] = f"<{message.dedup_key.rpartition(':')[2]}@comptroller>"
        mail.set_content(text_of(message.bodies))
        return mail

    def _recipient(self, message: Message) -> str:
        owner = str(message.bodies[0].get("owner") or "")
        if self._destination.to_owner and len(message.bodies) == 1 and "@" in owner and not {",", "\n"} & set(owner):
            return owner
        return ", ".join(self._query["to"])

    def close(self) -> None:
        """Keep nothing open."""
