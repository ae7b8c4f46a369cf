"""What model APIs say on the wire: the model and the most a request can use, and the usage of an answer."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from comptroller.types.usage import Usage

# Where a request does not say how much it may answer; more than any model of the catalogue writes at once.
OUTPUT_TOKENS_MAX: Final = 131_072
_OUTPUT_WORDS: Final = ("max_completion_tokens", "max_output_tokens", "max_tokens")
_REFUSAL_TYPE: Final = "limit_exceeded"


@dataclass(frozen=True, slots=True)
class ModelCall:
    """A request to a model.

    Args:
        input_tokens: A bound that cannot be passed: a token has at least one byte.
        output_tokens: The stated maximum for all choices, else the largest there is.
    """

    model: str
    provider: str | None
    input_tokens: int
    output_tokens: int
    is_stream: bool

    def at_most(self) -> dict[str, Any]:
        """Return the most that the call can use, as a reserve states it."""
        return {
            "model": self.model,
            "provider": self.provider,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
        }


def read_request(host: str, body: bytes) -> ModelCall | None:
    """Return the model call that a request is; None if it is none."""
    try:
        said = json.loads(body)
    except ValueError:
        return None
    if not isinstance(said, dict) or not isinstance(said.get("model"), str):
        return None
    stated = [count for word in _OUTPUT_WORDS if (count := _first(said, word)) > 0]
    return ModelCall(
        model=said["model"],
        provider=provider_of(host),
        input_tokens=len(body),
        output_tokens=(max(stated) if stated else OUTPUT_TOKENS_MAX) * max(1, _first(said, "n")),
        is_stream=said.get("stream") is True,
    )


def provider_of(host: str) -> str | None:
    """Return the provider that the catalogue knows a host by; None for a gateway of one's own."""
    for part, provider in (("openai", "openai"), ("anthropic", "anthropic"), ("mistral", "mistral")):
        if part in host:
            return provider
    return None


def read_usage(said: Any, call: ModelCall) -> Usage | None:
    """Return the usage of an answer or of one event of a stream; None if it does not say."""
    found = _usage_of(said)
    if found is None:
        return None
    read = found.get("cache_read_input_tokens") or 0
    written = found.get("cache_creation_input_tokens") or 0
    # Anthropic counts cached tokens beside the input, OpenAI among it.
    given = _first(found, "prompt_tokens", "input_tokens")
    detail = found.get("prompt_tokens_details") or found.get("input_tokens_details") or {}
    cached = detail.get("cached_tokens") or 0 if isinstance(detail, Mapping) else 0
    return Usage(
        model=call.model,
        provider=call.provider,
        input_tokens=given + read + written,
        output_tokens=_first(found, "completion_tokens", "output_tokens"),
        cached_input_tokens=read + cached,
        cache_write_tokens=written,
    )


def events(lines: Iterator[str]) -> Iterator[Any]:
    """Yield the JSON of a stream's ``data:`` lines."""
    for line in lines:
        if line.startswith("data:"):
            try:
                yield json.loads(line[5:])
            except ValueError:
                continue


def later(one: Usage | None, other: Usage | None) -> Usage | None:
    """Return what two events of one stream say together: counts only grow."""
    if one is None or other is None:
        return other or one
    return Usage(
        one.model,
        one.provider,
        max(one.input_tokens, other.input_tokens),
        max(one.output_tokens, other.output_tokens),
        max(one.cached_input_tokens, other.cached_input_tokens),
        max(one.cache_write_tokens, other.cache_write_tokens),
    )


def said_of(usage: Usage) -> dict[str, Any]:
    """Return a usage as a settle states it."""
    return {name: getattr(usage, name) for name in Usage.__dataclass_fields__}


def refusal_body(message: str, breach_id: str | None) -> bytes:
    """Return the body of an answer that no SDK tries again."""
    error = {"type": _REFUSAL_TYPE, "code": _REFUSAL_TYPE, "message": message, "breach_id": breach_id}
    return json.dumps({"type": "error", "error": error}).encode()


REFUSAL_STATUS: Final = 402
REFUSAL_HEADERS: Final = {"content-type": "application/json", "x-should-retry": "false"}


def _usage_of(said: Any) -> Mapping[str, Any] | None:
    if not isinstance(said, Mapping):
        return None
    for place in (said, said.get("response"), said.get("message")):
        if isinstance(place, Mapping) and isinstance(place.get("usage"), Mapping):
            return place["usage"]  # type: ignore[no-any-return]  # narrowed by the line above
    return None


def _first(found: Mapping[str, Any], *names: str) -> int:
    for name in names:
        value = found.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return max(0, value)
    return 0
