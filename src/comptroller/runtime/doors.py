"""What runs and holds need of the process beside its gate: prices for a while, and what cannot be decided."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import SQLAlchemyError

from comptroller.errors import GovernanceUnavailable, StorageError

if TYPE_CHECKING:
    from comptroller.ingest.pricing import PriceList

PRICES_SECONDS: Final = 60.0  # a new price is seen by every process within a minute


class PriceShelf:
    """A tenant's price list, read again after a minute."""

    def __init__(self) -> None:
        self._list: PriceList | None = None
        self._read_at = 0.0

    def fresh(self) -> "PriceList | None":
        """Return the list if it is fresh."""
        return self._list if time.monotonic() - self._read_at < PRICES_SECONDS else None

    def put(self, prices: "PriceList") -> "PriceList":
        """Keep a list that was just read."""
        self._list, self._read_at = prices, time.monotonic()
        return prices


@contextmanager
def or_unavailable(operation: str) -> Iterator[None]:
    """Turn a database that does not answer into GovernanceUnavailable."""
    try:
        yield
    except (SQLAlchemyError, StorageError, OSError) as error:
        words = " ".join(str(error).split())[:300]
        raise GovernanceUnavailable(f"comptroller could not decide: {words}", "Policies", operation) from error
