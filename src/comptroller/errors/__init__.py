"""Errors a caller can meet; each class exists because someone handles it differently."""

from comptroller.errors.governance import GovernanceError, GovernanceUnavailable
from comptroller.errors.refusals import LimitExceeded, RunHalted
from comptroller.errors.root import ComptrollerError


class InvalidInputError(ComptrollerError, ValueError):
    """A value given by the caller is not acceptable; the message names it and the mend."""


class NotFoundError(ComptrollerError, LookupError):
    """No such thing for this tenant."""


class ConflictError(ComptrollerError):
    """The request contradicts what is on record."""


class SchemaBehindError(ComptrollerError):
    """The database's schema is older or newer than this version needs."""


class StorageError(ComptrollerError):
    """The database cannot be reached, read or written; nothing of the transaction is stored."""


class NotAuthenticatedError(ComptrollerError):
    """No valid key or session came with the request."""


class NotAllowedError(ComptrollerError):
    """The key or the person may not do this."""


class TooManyAttemptsError(ComptrollerError):
    """Too many attempts; the message says when the next one is heard.

    Args:
        message: What was attempted too often.
        seconds: How long to wait.
    """

    def __init__(self, message: str, seconds: int) -> None:
        super().__init__(message)
        self.seconds = seconds


class KeyReusedError(ConflictError):
    """The idempotency key belongs to a request with other content."""


class BadFileError(ComptrollerError, ValueError):
    """A cost file cannot be taken in; the message names the file, the place and the mend."""


__all__ = [
    "BadFileError",
    "ComptrollerError",
    "ConflictError",
    "GovernanceError",
    "GovernanceUnavailable",
    "InvalidInputError",
    "KeyReusedError",
    "LimitExceeded",
    "NotAllowedError",
    "NotAuthenticatedError",
    "NotFoundError",
    "RunHalted",
    "SchemaBehindError",
    "StorageError",
    "TooManyAttemptsError",
]
