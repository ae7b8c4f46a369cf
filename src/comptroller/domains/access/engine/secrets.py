"""Keys and tokens: their shape, their hashes, passwords.

A key is ``ctk_live_`` + 37 letters and digits of 216 random bits + 6 of a CRC-32, so that a scanner knows it for
one and a mistyped one is refused without a look at the database. Eight of the 37 are its public prefix.
"""

import hashlib
import hmac
import zlib
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from comptroller.errors import InvalidInputError

MARK: Final = "ctk_live_"
RANDOM_BYTES: Final = 27
PASSWORD_MIN: Final = 12  # ASVS 5.0 6.2.1 asks for 8 and advises 15
PASSWORD_MAX: Final = 128  # argon2 reads all of it
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BODY: Final = 37  # 216 bits in base 62
_CHECK: Final = 6
_PUBLIC: Final = 8
_hasher: Final = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)
# The hash of a password that nobody knows, so that an unknown address takes as long as a known one.
_NOBODY: Final = "$argon2id$v=19$m=65536,t=3,p=1$HgQ7LW0mU1MtJGGBI/4tHw$90yth98C2166bV53e1TsmVATYMGX/oFcPa6imsxDEdM"


def make_key(random: bytes) -> str:
    """Return a key made of random bytes."""
    body = _base62(int.from_bytes(random, "big"), _BODY)
    return f"{MARK}{body}{_checksum(body)}"


def is_key(text: str) -> bool:
    """Tell whether a text has the shape and the checksum of a key."""
    body, check = text[len(MARK) : -_CHECK], text[-_CHECK:]
    if not text.startswith(MARK) or len(text) != len(MARK) + _BODY + _CHECK or not text.isascii():
        return False
    return text.isprintable() and hmac.compare_digest(check, _checksum(body))


def public_prefix(key: str) -> str:
    """Return the part of a key that may be shown."""
    return key[: len(MARK) + _PUBLIC]


def make_token(random: bytes) -> str:
    """Return a token for a cookie or a link."""
    return _base62(int.from_bytes(random, "big"), _BODY)


def keyed_hash(secret: str, pepper: bytes) -> str:
    """Return HMAC-SHA-256 of a key: without the pepper, a stolen table lets nobody try keys."""
    return hmac.new(pepper, secret.encode(), hashlib.sha256).hexdigest()


def plain_hash(token: str) -> str:
    """Return SHA-256 of a token of 216 random bits, which nobody can guess from it."""
    return hashlib.sha256(token.encode()).hexdigest()


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password that is long enough."""
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        raise InvalidInputError(f"password must have {PASSWORD_MIN} to {PASSWORD_MAX} characters")
    return _hasher.hash(password)


def is_password(password_hash: str | None, password: str) -> bool:
    """Tell whether a password is the one; an absent hash takes as long and is never met."""
    try:
        _hasher.verify(password_hash or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECK)
