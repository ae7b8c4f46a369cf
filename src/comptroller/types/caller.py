"""On whose behalf something is done."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from comptroller import checks
from comptroller.clock import utc_now


@dataclass(frozen=True, slots=True)
class Caller:
    """A tenant, who acts for it, and the clock that says when.

    Args:
        tenant: Who pays.
        actor: Who acts, as the audit names them.
        clock: Returns the present instant, aware, in UTC; tests bring their own.
    """

    tenant: str
    actor: str = "local"
    clock: Callable[[], datetime] = utc_now

    def __post_init__(self) -> None:
        checks.required_id("tenant", self.tenant)
        checks.required_id("actor", self.actor)

    def now(self) -> datetime:
        """Return the present instant by the caller's clock."""
        return self.clock()
