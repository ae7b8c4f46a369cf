"""The corpus: each host is resolved as the system does it, and nothing but a public address is connected to."""

import ipaddress
import socket
from itertools import product
from typing import Any

import pytest

from comptroller.enums import ChannelKind, Severity
from comptroller.types.notices import Destination, Message
from comptroller.worker.sending import network
from comptroller.worker.sending.mail import Mail
from comptroller.worker.sending.network import SendError, checked_addresses, connect
from comptroller.worker.sending.webhook import Webhook
from desks import NOON

PRIVATE_V4 = [
    "0.0.0.1", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.254", "127.0.0.1", "127.1.2.3",
    "127.255.255.255", "169.254.169.254", "169.254.170.2", "169.254.0.1", "172.16.0.1", "172.31.255.255", "192.0.0.1",
    "192.0.0.170", "192.0.2.1", "192.168.0.1", "192.168.255.255", "198.18.0.1", "198.19.255.255", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "192.88.99.1",
]  # fmt: skip
FORMS_OF_V4 = [  # as a resolver or an IPv6 socket may be given an IPv4 address
    "{v4}", "::ffff:{v4}", "::{v4}", "64:ff9b::{v4}", "64:ff9b:1::{v4}", "::ffff:0:{v4}",
]  # fmt: skip
PRIVATE_V6 = [
    "::", "::1", "fe80::1", "fe80::1%1", "febf::1", "fc00::1", "fd00::1", "fd00:ec2::254",
    "fec0::1",
    "ff02::1", "ff0e::1", "2001:db8::1", "2001::1", "2001:0:7f00:1::", "2002:7f00:1::", "2002:a9fe:a9fe::",
    "2002:0a00:0001::1", "100::1",
    "2001:10::1", "2001:20::1", "3fff::1", "5f00::1", "4000::1", "::7f00:1", "::ffff:7f00:1",
    "0:0:0:0:0:ffff:a9fe:a9fe", "64:ff9b::a9fe:a9fe", "2001:2::1",
]  # fmt: skip
SPELLED = [  # what inet_aton reads
    "127.1", "127.0.1", "0x7f.0.0.1", "0x7f000001", "0177.0.0.1", "017700000001", "2130706433", "0", "0x0",
    "0xa9fea9fe", "2852039166", "0251.0376.0251.0376", "10.1", "0x0a000001", "192.168.1", "3232235521", "localhost",
]  # fmt: skip
CORPUS = [form.format(v4=v4) for form, v4 in product(FORMS_OF_V4, PRIVATE_V4)] + PRIVATE_V6 + SPELLED


class Sockets:
    """Counts what is connected to; nothing leaves the machine."""

    def __init__(self) -> None:
        self.connected: list[str] = []

    def __call__(self, family: int, kind: int) -> Any:
        sockets = self

        class Socket(socket.socket):
            def connect(self, address: Any) -> None:
                sockets.connected.append(address[0])
                raise ConnectionRefusedError("the corpus connects to nothing")

        return Socket(family, kind)


@pytest.fixture
def sockets(monkeypatch: pytest.MonkeyPatch) -> Sockets:
    made = Sockets()
    monkeypatch.setattr(network, "socket", _Module(made))
    return made


class _Module:
    """The socket module with its sockets counted."""

    def __init__(self, made: Sockets) -> None:
        self.socket, self._made = made, made

    def __getattr__(self, name: str) -> Any:
        return getattr(socket, name)


def message() -> Message:
    body = {"severity": "HIGH", "sentence": "x", "kind": "incident.opened"}
    return Message("m1", "incident.opened", Severity.HIGH, "k", 1, NOON, (body,))


def test_the_corpus_is_large_enough():
    assert len(set(CORPUS)) >= 200


def test_no_host_of_the_corpus_is_connected_to(sockets: Sockets):
    for host in CORPUS:
        bare = host if ":" not in host else f"[{host.partition('%')[0]}]"
        url = f"https://{bare}/hook"
        with pytest.raises(SendError):
            Webhook(Destination(ChannelKind.WEBHOOK, url, "whsec_QQ==", False, False)).send(message(), 1)
        smtp = f"smtp://{bare}/?from=a@b.c&to=a@b.c"
        with pytest.raises(SendError):
            Mail(Destination(ChannelKind.MAIL, smtp, None, False, False)).send(message(), 1)
    assert sockets.connected == []


class Rebinding:
    """A resolver that answers each time with the next of its answers."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked = 0

    def __call__(self, _host: str, port: int, **_options: Any) -> list[Any]:
        answer = self._answers[min(self.asked, len(self._answers) - 1)]
        self.asked += 1
        return [
            (socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port))
            for one in answer
        ]


def resolve_by(monkeypatch: pytest.MonkeyPatch, resolver: Rebinding) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolver)


def test_what_was_checked_is_what_is_connected_to(sockets: Sockets, monkeypatch: pytest.MonkeyPatch):
    resolver = Rebinding(["93.184.216.34"], ["127.0.0.1"])
    resolve_by(monkeypatch, resolver)
    with pytest.raises(SendError):
        connect("rebinds.example", 443, network.Deadline(), allows_private=False)
    assert sockets.connected == ["93.184.216.34"]
    assert resolver.asked == 1


def test_one_private_address_among_public_ones_refuses_the_name(sockets: Sockets, monkeypatch: pytest.MonkeyPatch):
    for bad in ("127.0.0.1", "::1", "::ffff:169.254.169.254", "64:ff9b::7f00:1"):
        resolve_by(monkeypatch, Rebinding(["93.184.216.34", bad]))
        with pytest.raises(SendError, match="not a public address"):
            checked_addresses("mixed.example", 443, allows_private=False)
    assert sockets.connected == []


def test_a_name_that_is_rebound_is_refused_at_the_next_connection(sockets: Sockets, monkeypatch: pytest.MonkeyPatch):
    resolve_by(monkeypatch, Rebinding(["93.184.216.34"], ["10.0.0.1"]))
    hook = Webhook(Destination(ChannelKind.WEBHOOK, "https://rebinds.example/", "whsec_QQ==", False, False))
    with pytest.raises(SendError, match="does not answer"):
        hook.send(message(), 1)
    with pytest.raises(SendError, match="not a public address"):
        hook.send(message(), 2)
    assert {ipaddress.ip_address(one).is_global for one in sockets.connected} == {True}
