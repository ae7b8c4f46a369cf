"""Chat, paging and mail services, by Apprise's plug-ins."""

from comptroller.spine.orchestrator.targets import text_of, title
from comptroller.types.notices import Destination, Message
from comptroller.worker.sending.network import SendError


class Chat:
    """A service that Apprise knows; its hosts are its own, or allowed by name."""

    def __init__(self, destination: Destination) -> None:
        self._url = destination.url

    def send(self, message: Message, _timestamp: int) -> None:
        """Send a message; PagerDuty gets one key per incident from its trigger to its resolve.

        Raises:
            SendError: If the service does not take it.
        """
        from apprise import Apprise, NotifyType  # noqa: PLC0415 — heavy, needed where there are such channels

        service = Apprise()
        if not service.add(service_url(self._url, message)):
            raise SendError("the service's URL is not understood: see the documentation of Apprise")
        kind = NotifyType.SUCCESS if message.is_resolve else NotifyType.FAILURE
        if not service.notify(body=text_of(message.bodies), title=title(message.bodies[0]), notify_type=kind):
            raise SendError("the service did not take it")

    def close(self) -> None:
        """Keep nothing open."""


def service_url(url: str, message: Message) -> str:
    """Return a service's URL with what is particular to a message."""
    if not url.startswith("pagerduty://"):
        return url
    joint = "&" if "?" in url else "?"
    return f"{url}{joint}action=map&dedup={message.dedup_key}"
