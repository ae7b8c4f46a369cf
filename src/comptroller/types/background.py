"""Jobs and sources as callers see them."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Job:
    """One job in the background; ``failures`` counts those in a row."""

    name: str
    due_at: datetime
    claimed_until: datetime | None
    started_at: datetime | None
    succeeded_at: datetime | None
    took_ms: int
    failures: int
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Source:
    """A place from which cost files are pulled.

    Args:
        url: A folder, or a URL that the file-system library knows (``s3://…``, ``abfs://…``), without credentials.
        stale_seconds: Without anything new for so long an incident is opened.
        news_at: When something new came last; absent: never.
    """

    id: str
    name: str
    url: str
    format: str | None
    every_seconds: int
    stale_seconds: int
    news_at: datetime | None
    created_at: datetime
    created_by: str
