"""Time-ordered identifiers: UUIDv7 (RFC 9562, section 5.7), made here so that inserts stay at an index's right edge."""

import os
import threading
import time

_VARIANT = 0x2 << 62  # over 62 random bits
_SEQUENCE_BITS = 12
_lock = threading.Lock()


class _Sequence:
    """The last tick given out; a tick is a millisecond and a 12-bit counter within it."""

    tick = 0


def _next_tick() -> int:
    now = (time.time_ns() // 1_000_000) << _SEQUENCE_BITS
    with _lock:
        _Sequence.tick = max(now, _Sequence.tick + 1)
        return _Sequence.tick


def uuid7() -> str:
    """Return a new UUIDv7 as text; ids made in one process sort in the order they were made."""
    tick = _next_tick()
    milliseconds, sequence = tick >> _SEQUENCE_BITS, tick & ((1 << _SEQUENCE_BITS) - 1)
    tail = (int.from_bytes(os.urandom(8), "big") >> 2) | _VARIANT
    return (
        f"{milliseconds >> 16:08x}-{milliseconds & 0xFFFF:04x}-7{sequence:03x}"
        f"-{tail >> 48:04x}-{tail & 0xFFFF_FFFF_FFFF:012x}"
    )
