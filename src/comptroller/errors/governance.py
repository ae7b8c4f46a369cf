"""The error of mandatory governance: it must surface, never be caught and ignored."""


class GovernanceError(Exception):
    """A mandatory governance write did not happen.

    Building one has no side effect. The transaction in which it was raised refuses to commit
    until it is rolled back as a whole.

    Args:
        message: What could not be done, and the mend where one is known.
        domain: The domain whose rule was to be kept, such as ``Analytics`` or ``Policies``.
        operation: The contract function's name; both twins report the same.
        entity_id: The anomaly, limit or other entity concerned.
    """

    def __init__(
        self,
        message: str,
        domain: str = "governance",
        operation: str = "unknown",
        entity_id: str | None = None,
    ) -> None:
        super().__init__(message, domain, operation, entity_id)
        self.message = message
        self.domain = domain
        self.operation = operation
        self.entity_id = entity_id

    def __str__(self) -> str:
        """Return ``[domain] operation: message (entity_id=…)``."""
        suffix = "" if self.entity_id is None else f" (entity_id={self.entity_id})"
        return f"[{self.domain}] {self.operation}: {self.message}{suffix}"


class GovernanceUnavailable(GovernanceError):  # noqa: N818 — the public face names it so
    """comptroller itself could not decide; never to be mistaken for "over the limit"."""
