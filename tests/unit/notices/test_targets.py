import ipaddress

import pytest

from comptroller.domains.notices.engine.targets import is_public, seal, unseal
from comptroller.enums import ChannelKind
from comptroller.errors import InvalidInputError
from comptroller.peppers import Peppers
from comptroller.spine.services.channel_targets import read_target

PEPPERS = Peppers((("1", b"p" * 32),))

ALLOWED = [
    ("https://hooks.example.com/a?b=c", ChannelKind.WEBHOOK),
    ("https://hooks.example.com:8443/a", ChannelKind.WEBHOOK),
    ("smtp://u:p@mail.example.com:587/?from=a@example.com&to=b@example.com", ChannelKind.MAIL),
    ("slack://TokenA/TokenB/TokenC/#ops", ChannelKind.CHAT),
    ("pagerduty://key@api", ChannelKind.CHAT),
    ("workflows://prod-1.logic.azure.com/id/sig", ChannelKind.CHAT),
]
REFUSED = [
    "http://hooks.example.com/", "https://hooks.example.com:22/", "https://user@hooks.example.com/", "https:///x",
    "https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest", "https://hooks.example.com:99999/",
    "json://127.0.0.1/", "mailtos://u:p@host", "syslog://", "dbus://", "gotify://10.0.0.1/x", "file:///etc/passwd",
    "gopher://x", "", "https://a b/", "https://a\nb/", "https://ä.example/", "https://" + "a" * 3000,
    "smtp://mail.example.com/?from=a@example.com", "smtp://mail.example.com:22/?from=a@b.c&to=a@b.c",
    "workflows://evil.example/id/sig", "workflows://logic.azure.com.evil.example/x",
]  # fmt: skip


@pytest.mark.parametrize(("url", "kind"), ALLOWED)
def test_targets_that_are_understood_have_their_kind(url: str, kind: ChannelKind):
    assert read_target(url, allows_private=False).kind is kind


@pytest.mark.parametrize("url", REFUSED)
def test_targets_that_may_not_be_sent_to_are_refused(url: str):
    with pytest.raises(InvalidInputError):
        read_target(url, allows_private=False)


@pytest.mark.parametrize(("url", "_kind"), ALLOWED)
def test_what_is_shown_holds_no_secret(url: str, _kind: ChannelKind):
    shown = read_target(url, allows_private=False).shown
    assert not any(secret in shown for secret in ("TokenA", "key", "u:p", "b=c", "sig"))


def test_a_sealed_target_opens_with_its_pepper_for_its_channel_only():
    sealed = seal("https://x/secret", "whsec_1", channel_id="c1", peppers=PEPPERS)
    assert "secret" not in sealed
    assert unseal(sealed, channel_id="c1", peppers=PEPPERS) == ("https://x/secret", "whsec_1")
    for channel_id, peppers in (
        ("c2", PEPPERS),
        ("c1", Peppers((("1", b"q" * 32),))),
        ("c1", Peppers((("2", b"p" * 32),))),
    ):
        with pytest.raises(InvalidInputError, match="pepper"):
            unseal(sealed, channel_id=channel_id, peppers=peppers)


@pytest.mark.parametrize("text", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "8.8.8.8"])
def test_public_addresses_are_public(text: str):
    assert is_public(ipaddress.ip_address(text))
