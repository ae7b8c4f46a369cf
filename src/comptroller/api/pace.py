"""How fast one key may call: a bucket of tokens for each, in this process.

N processes let a key call N times as fast; the bound is there to keep one client from starving the others, not to
keep a contract. Spending is bounded by limits, which are exact over all processes.
"""

import os
import time
from typing import Final

from comptroller.api.problems import RequestError
from comptroller.errors import InvalidInputError

VARIABLE: Final = "COMPTROLLER_REQUESTS_PER_SECOND"
DEFAULT_PER_SECOND: Final = 1_000
_BURST_SECONDS: Final = 2
_KEYS_MAX: Final = 10_000


def per_second() -> int:
    """Return how many requests a key may make a second, from the environment or by default."""
    text = os.environ.get(VARIABLE) or str(DEFAULT_PER_SECOND)
    if not text.isdigit() or int(text) == 0:
        raise InvalidInputError(f"{VARIABLE} must be a positive whole number: {text!r}")
    return int(text)


class Pace:
    """Buckets by key.

    Args:
        rate: Requests a second that each key may make, with a burst of two seconds' worth.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._full = rate * _BURST_SECONDS
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, name: str) -> None:
        """Take one request.

        Raises:
            RequestError: If the key has to wait.
        """
        now = time.monotonic()
        left, at = self._buckets.get(name, (self._full, now))
        left = min(self._full, left + (now - at) * self._rate)
        if left < 1:
            raise RequestError("too-many-requests", "this key calls too fast", {"Retry-After": "1"})
        if name not in self._buckets and len(self._buckets) >= _KEYS_MAX:
            self._buckets.clear()
        self._buckets[name] = (left - 1, now)
