"""Targets of channels: which addresses are public, and how a target is sealed."""

import base64
import hashlib
import hmac
import ipaddress
import json
import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from comptroller.errors import InvalidInputError
from comptroller.peppers import Peppers

# What some versions of Python still call global: 6to4 relays, and blocks that are not handed out to hosts.
_NEVER: Final = tuple(ipaddress.ip_network(block) for block in ("192.88.99.0/24", "2001::/23", "3fff::/20"))
_NONCE: Final = 12


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Tell whether an address is one host on the public internet, whichever way it is written."""
    if isinstance(address, ipaddress.IPv6Address):
        # Only 2000::/3 is given out; Teredo and 6to4 carry an IPv4 address that may be anything.
        given_out = address in ipaddress.ip_network("2000::/3")
        if not given_out or address.teredo is not None or address.sixtofour is not None:
            return False
    if any(address in block for block in _NEVER if block.version == address.version):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def new_secret() -> str:
    """Return a secret for signing webhooks (Standard Webhooks)."""
    return "whsec_" + base64.b64encode(os.urandom(32)).decode()


def seal(url: str, secret: str | None, *, channel_id: str, peppers: Peppers) -> str:
    """Return a target that only who holds the pepper can open; it is bound to its channel."""
    pepper_id, pepper = peppers.current
    nonce = os.urandom(_NONCE)
    plain = json.dumps([url, secret]).encode()
    sealed = nonce + AESGCM(_key(pepper)).encrypt(nonce, plain, channel_id.encode())
    return f"{pepper_id}:{base64.b64encode(sealed).decode()}"


def unseal(sealed: str, *, channel_id: str, peppers: Peppers) -> tuple[str, str | None]:
    """Return url and secret of a sealed target.

    Raises:
        InvalidInputError: If the pepper that sealed it is not at hand.
    """
    pepper_id, _, text = sealed.partition(":")
    raw = base64.b64decode(text)
    for known_id, pepper in peppers.by_id:
        if known_id == pepper_id:
            try:
                plain = AESGCM(_key(pepper)).decrypt(raw[:_NONCE], raw[_NONCE:], channel_id.encode())
            except InvalidTag:
                continue
            url, secret = json.loads(plain)
            return url, secret
    raise InvalidInputError(f"channel {channel_id} was sealed under a pepper {pepper_id} that is not at hand")


def _key(pepper: bytes) -> bytes:
    return hmac.new(pepper, b"comptroller channel target", hashlib.sha256).digest()
