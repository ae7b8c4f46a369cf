"""What a model call used, and what that costs."""

from dataclasses import dataclass

from comptroller.errors import InvalidInputError
from comptroller.money import Money

_TOKENS_MAX = 10**12


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens of one call.

    Args:
        model: As the provider names it.
        input_tokens: All input tokens, those read from and written to a cache included.
        output_tokens: All output tokens, reasoning included.
    """

    model: str
    provider: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.model, str) or not self.model:
            raise InvalidInputError(f"model {self.model!r} must be the model's name")
        for name in ("input_tokens", "output_tokens", "cached_input_tokens", "cache_write_tokens"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _TOKENS_MAX:
                raise InvalidInputError(f"{name} must be an int from 0 on: {value!r}")
        if self.cached_input_tokens + self.cache_write_tokens > self.input_tokens:
            raise InvalidInputError("cached tokens are part of input_tokens, which must be at least as many")


@dataclass(frozen=True, slots=True)
class Priced:
    """What a usage costs, by which version of which price."""

    cost: Money
    tokens: int
    version: str
