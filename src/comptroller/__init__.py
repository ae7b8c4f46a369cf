"""comptroller: mandatory spend governance for AI agents and cloud bills."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from comptroller.errors import (
    BadFileError,
    ComptrollerError,
    ConflictError,
    GovernanceError,
    GovernanceUnavailable,
    InvalidInputError,
    LimitExceeded,
    NotFoundError,
    RunHalted,
    SchemaBehindError,
)

if TYPE_CHECKING:
    from comptroller.client.remote import connect
    from comptroller.face.library import AsyncComptroller, Comptroller, open_async
    from comptroller.face.library import open_sync as open  # noqa: A004 — the face's word
    from comptroller.money import Money
    from comptroller.types.runs import RunLimits

    __version__: str

# Loaded at first use: a command's help must not wait for SQLAlchemy.
_LAZY = {
    "open": ("comptroller.face.library", "open_sync"),
    "open_async": ("comptroller.face.library", "open_async"),
    "connect": ("comptroller.client.remote", "connect"),
    "Comptroller": ("comptroller.face.library", "Comptroller"),
    "AsyncComptroller": ("comptroller.face.library", "AsyncComptroller"),
    "Money": ("comptroller.money", "Money"),
    "RunLimits": ("comptroller.types.runs", "RunLimits"),
}


def __getattr__(name: str) -> Any:
    """Load a name of the public face at its first use."""
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 — takes as long as all the rest of a command's help

        return version("comptroller")
    if name not in _LAZY:
        raise AttributeError(f"module 'comptroller' has no attribute {name!r}")
    module, attribute = _LAZY[name]
    return getattr(import_module(module), attribute)


__all__ = [
    "AsyncComptroller",
    "BadFileError",
    "Comptroller",
    "ComptrollerError",
    "ConflictError",
    "GovernanceError",
    "GovernanceUnavailable",
    "InvalidInputError",
    "LimitExceeded",
    "Money",
    "NotFoundError",
    "RunHalted",
    "RunLimits",
    "SchemaBehindError",
    "__version__",
    "connect",
    "open",
    "open_async",
]
