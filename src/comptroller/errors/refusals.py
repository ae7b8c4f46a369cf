"""What a caller meets when a spend is refused or a run must stop; the breach is on record by then."""

from collections.abc import Sequence
from typing import Any

from comptroller.errors.root import ComptrollerError


class LimitExceeded(ComptrollerError):  # noqa: N818 — the public face names it so
    """A spend was refused.

    Args:
        over: Every limit that refused: its name, what is left, when it resets, its breach.
        breach_id: The record of the refusal.
    """

    def __init__(self, over: Sequence[Any], breach_id: str) -> None:
        super().__init__(tuple(over), breach_id)
        self.over = tuple(over)
        self.breach_id = breach_id

    @property
    def limits(self) -> tuple[str, ...]:
        """Return the names of the limits that refused."""
        return tuple(each.limit_name for each in self.over)

    @property
    def left(self) -> Any:
        """Return what is left under the first limit that refused; None where no balance decided."""
        return self.over[0].left if self.over else None

    @property
    def resets_at(self) -> Any:
        """Return when the last of the windows that refused ends; None if one never does."""
        ends = [each.resets_at for each in self.over]
        return None if not ends or None in ends else max(ends)

    def __str__(self) -> str:
        """Return one line that names each limit, what is left of it, and when it resets."""
        told = []
        for each in self.over:
            left = "" if each.left is None else f", {each.left} left of {each.ceiling}"
            until = "" if each.resets_at is None else f", resets at {each.resets_at.isoformat()}"
            told.append(f"{each.limit_name}: {each.reason}{left}{until}")
        return f"refused by {'; '.join(told)} (breach {self.breach_id})"


class RunHalted(ComptrollerError):  # noqa: N818 — the public face names it so
    """A run must stop.

    Args:
        run_id: Which one.
        reason: ``killed``, ``halted``, ``limit_exhausted`` or ``ended``.
        why: The words of who killed or halted it, or the limit.
        breach_id: The record of the refusal, where a reserve was refused.
        over: The limits that refused, where a reserve was refused.
    """

    def __init__(
        self, run_id: str, reason: str, why: str = "", breach_id: str | None = None, over: Sequence[Any] = ()
    ) -> None:
        super().__init__(run_id, reason, why, breach_id, tuple(over))
        self.run_id, self.reason, self.why, self.breach_id, self.over = run_id, reason, why, breach_id, tuple(over)

    def __str__(self) -> str:
        """Return one line that says why."""
        record = "" if self.breach_id is None else f" (breach {self.breach_id})"
        return f"run {self.run_id} must stop: {self.reason}{': ' + self.why if self.why else ''}{record}"
