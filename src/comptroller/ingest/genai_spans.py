"""Usage from OTLP traces and logs (OpenTelemetry's GenAI conventions, in development): pure, bytes to typed rows.

Source: opentelemetry-proto 1.45, semantic-conventions-genai of 2026-11; older names of the same things are accepted.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from comptroller.errors import InvalidInputError
from comptroller.types.usage import Usage
from comptroller.types.usage_in import ReportedUsage

DEPTH_MAX: Final = 32
_MODEL: Final = ("gen_ai.response.model", "gen_ai.request.model")
_PROVIDER: Final = ("gen_ai.provider.name", "gen_ai.system")
_TOKENS: Final = {
    "input_tokens": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
    "output_tokens": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
    "cached_input_tokens": ("gen_ai.usage.cache_read.input_tokens",),
    "cache_write_tokens": ("gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_write.input_tokens"),
}
_DIMENSIONS: Final = {
    "agent": ("gen_ai.agent.name",),
    "user": ("user.id", "enduser.id"),
    "service": ("service.name",),
    "model": _MODEL,
    "provider": _PROVIDER,
}
_OWN_DIMENSION: Final = "comptroller.dimension."

Attributes = Mapping[str, Any]


def traces_usage(body: bytes, *, is_protobuf: bool) -> list[ReportedUsage]:
    """Return the usage of the spans that have any.

    Raises:
        InvalidInputError: If the body is no trace export, or a span's usage is not acceptable.
    """
    request = _decoded(ExportTraceServiceRequest(), body, is_protobuf=is_protobuf)
    found: list[ReportedUsage] = []
    for group in request.resource_spans:
        resource = _attributes(group.resource.attributes)
        for scope in group.scope_spans:
            for span in scope.spans:
                own = f"{span.trace_id.hex()}:{span.span_id.hex()}"
                found += _usage({**resource, **_attributes(span.attributes)}, own)
    return found


def logs_usage(body: bytes, *, is_protobuf: bool) -> list[ReportedUsage]:
    """Return the usage of the log records (events) that have any.

    Raises:
        InvalidInputError: If the body is no log export, or a record's usage is not acceptable.
    """
    request = _decoded(ExportLogsServiceRequest(), body, is_protobuf=is_protobuf)
    found: list[ReportedUsage] = []
    for group in request.resource_logs:
        resource = _attributes(group.resource.attributes)
        for scope in group.scope_logs:
            for record in scope.log_records:
                own = f"{record.trace_id.hex()}:{record.span_id.hex()}:{record.time_unix_nano}"
                found += _usage({**resource, **_attributes(record.attributes)}, own)
    return found


def _decoded(message: Message, body: bytes, *, is_protobuf: bool) -> Any:
    if not is_protobuf and not body.lstrip().startswith(b"{"):
        raise InvalidInputError("the body is no OTLP export: JSON must be an object")
    try:
        if is_protobuf:
            message.ParseFromString(body)
        else:
            json_format.Parse(body, message, ignore_unknown_fields=True, max_recursion_depth=DEPTH_MAX)
    except (DecodeError, json_format.ParseError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInputError(f"the body is no OTLP export: {str(error)[:200]}") from error
    return message


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    return getattr(value, kind) if kind in {"string_value", "int_value", "double_value", "bool_value"} else None


def _usage(said: Attributes, own_id: str) -> Iterator[ReportedUsage]:
    tokens = {name: _first(said, keys) for name, keys in _TOKENS.items()}
    model = _first(said, _MODEL)
    if model is None or all(value is None for value in tokens.values()):
        return
    counted = {name: _count(name, value) for name, value in tokens.items() if value is not None}
    provider = _first(said, _PROVIDER)
    usage = Usage(str(model), None if provider is None else str(provider), **counted)
    yield ReportedUsage(str(said.get("gen_ai.response.id") or own_id), _dimensions(said), usage)


def _first(said: Attributes, names: tuple[str, ...]) -> Any:
    return next((said[name] for name in names if said.get(name) not in {None, ""}), None)


def _count(name: str, value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidInputError(f"{name} of a span is no whole number: {value!r}")
    return value


def _dimensions(said: Attributes) -> tuple[tuple[str, str], ...]:
    known = {name: _first(said, keys) for name, keys in _DIMENSIONS.items()}
    own = {key.removeprefix(_OWN_DIMENSION): value for key, value in said.items() if key.startswith(_OWN_DIMENSION)}
    return tuple(sorted((name, str(value)) for name, value in {**known, **own}.items() if value not in {None, ""}))
