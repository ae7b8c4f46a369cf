"""Targets of channels: what is understood, and what a person may see of them."""

import ipaddress
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

from comptroller.domains.notices.engine.targets import is_public
from comptroller.enums import ChannelKind
from comptroller.errors import InvalidInputError

LENGTH_MAX: Final = 2000
PUBLIC_PORTS: Final = frozenset({443, 8443})
MAIL_PORTS: Final = frozenset({25, 465, 587, 2525})
# Services with a host of their own: their plug-ins reach no address that a channel's maker chose.
SERVICES: Final = frozenset({
    "brevo", "dingtalk", "discord", "feishu", "firehydrant", "flock", "gchat", "guilded", "ilert", "incidentio",
    "jira", "lark", "line", "mailersend", "opsgenie", "pagerduty", "pagertree", "postmark", "pover", "resend", "revolt",
    "ryver", "sendgrid", "ses", "signl4", "slack", "sns", "spike", "splunk", "squadcast", "tgram", "twilio", "twist",
    "victorops", "webex", "wecombot", "wxteams", "zoom", "zulip",
})  # fmt: skip
# Services on a host that the channel's maker names: only where private addresses are allowed.
HOSTED: Final = frozenset({
    "gotify", "gotifys", "matrix", "matrixs", "mmost", "mmosts", "nctalk", "nctalks", "ntfy", "ntfys", "rocket",
    "rockets", "workflow", "workflows",
})  # fmt: skip
TEAMS_HOSTS: Final = (".logic.azure.com", ".webhook.office.com", ".api.powerplatform.com")


@dataclass(frozen=True, slots=True)
class Target:
    """A target that was understood; ``shown`` holds no secret."""

    kind: ChannelKind
    url: str
    shown: str


def read_target(text: str, *, allows_private: bool) -> Target:
    """Return a target as it was written.

    Raises:
        InvalidInputError: If it is not understood, or not allowed; the message repeats no secret.
    """
    if not text or len(text) > LENGTH_MAX or any(ord(letter) <= ord(" ") or ord(letter) > ord("~") for letter in text):
        raise InvalidInputError(f"the target must be a URL of at most {LENGTH_MAX} visible ASCII characters")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise InvalidInputError("the target is no URL") from error
    scheme = parts.scheme.lower()
    if scheme in {"https", "http"}:
        _check_webhook(scheme, parts.hostname, port, has_user="@" in parts.netloc, allows_private=allows_private)
        return Target(ChannelKind.WEBHOOK, text, f"{scheme}://{parts.netloc}/…")
    if scheme in {"smtp", "smtps"}:
        _check_mail(parts.hostname, port, parse_qs(parts.query), allows_private=allows_private)
        return Target(ChannelKind.MAIL, text, f"{scheme}://{parts.hostname} to {parse_qs(parts.query)['to'][0]}")
    is_teams = scheme in {"workflow", "workflows"} and (parts.hostname or "").endswith(TEAMS_HOSTS)
    if scheme in SERVICES or is_teams or (scheme in HOSTED and allows_private):
        return Target(ChannelKind.CHAT, text, f"{scheme}://…")
    if scheme in HOSTED:
        raise InvalidInputError(f"{scheme}:// names a host of your own: allow it with --allow-private")
    raise InvalidInputError(f"targets of {scheme or 'no'} scheme are not sent to: use https, smtp(s) or a chat service")


def _check_webhook(scheme: str, host: str | None, port: int | None, *, has_user: bool, allows_private: bool) -> None:
    if not host or has_user:
        raise InvalidInputError("a webhook needs a host, and no user name in its URL")
    if allows_private:
        return
    if scheme != "https" or (port or 443) not in PUBLIC_PORTS:
        raise InvalidInputError("a webhook must be https on port 443 or 8443, unless allowed with --allow-private")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return
    if not is_public(address):
        raise InvalidInputError(f"{host} is not a public address: allow it with --allow-private")


def _check_mail(host: str | None, port: int | None, query: dict[str, list[str]], *, allows_private: bool) -> None:
    if not host or not query.get("to") or not query.get("from"):
        raise InvalidInputError("mail needs smtp://[USER:PASSWORD@]HOST[:PORT]/?from=ADDRESS&to=ADDRESS")
    if not allows_private and port is not None and port not in MAIL_PORTS:
        raise InvalidInputError(f"mail goes to ports {', '.join(map(str, sorted(MAIL_PORTS)))} unless --allow-private")
