"""The one reading of the wall clock; engines take ``now`` as an argument instead."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the present instant, aware, in UTC."""
    return datetime.now(UTC)
