"""The table that routes, policies, the OpenAPI document and the client are made from."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec

from comptroller.api.policy import Policy

if TYPE_CHECKING:
    from comptroller.api.call import Call

KEY_PATTERN: Final = "^[!-~]{1,255}$"
PAGE_DEFAULT: Final = 100
PAGE_MAX: Final = 500  # a page is read whole; more is a report
_PARAMETER: Final = re.compile(r"\{(\w+)\}")


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """No parameters."""


@dataclass(frozen=True, slots=True)
class Paging:
    """How an operation's list becomes pages.

    Args:
        place: Gives the text from which the next page goes on after an item; None counts items instead, for lists
            that are small and come whole.
        argument: The operation's argument for that text.
        size: The operation's argument for how many.
    """

    place: Callable[[Any], str] | None
    argument: str = "before"
    size: str = "count"


WHOLE: Final = Paging(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method of one path.

    Args:
        answer: The type that is answered; of each item, where there is paging; None for no content.
        use_case: The operation or procedure, whose arguments are those of path, query and body by name.
        handler: What answers instead of a use case.
        gives: Further arguments of the use case: ``giver`` (who calls), ``peppers``.
        keeps_key: Heeds ``Idempotency-Key``: done once, answered the same.
        media_type: What the body is, where it is no JSON.
        tag: The area it belongs to.
    """

    method: str
    path: str
    policy: Policy
    answer: Any
    use_case: Any = None
    handler: "Callable[[Call], Awaitable[Any]] | None" = None
    body: type[msgspec.Struct] | None = None
    query: type[msgspec.Struct] = Nothing
    status: int = 200
    paging: Paging | None = None
    gives: tuple[str, ...] = ()
    keeps_key: bool = False
    media_type: str | None = None
    tag: str = ""
    parameters: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        if not isinstance(self.policy, Policy):
            raise TypeError(f"{self.method} {self.path} declares no policy")
        if (self.use_case is None) == (self.handler is None):
            raise TypeError(f"{self.method} {self.path} needs either a use case or a handler")
        object.__setattr__(self, "parameters", tuple(_PARAMETER.findall(self.path)))

    @property
    def name(self) -> str:
        """Return the operation's name, unique in the document."""
        return str(self._does.__name__)

    @property
    def summary(self) -> str:
        """Return the first sentence of what it does."""
        return str(self._does.__doc__).strip().splitlines()[0]

    @property
    def _does(self) -> Any:
        return self.handler if self.use_case is None else self.use_case
