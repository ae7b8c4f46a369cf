"""Values on the wire: money as text like ``0.12 USD``, decimals as text, instants in ISO 8601."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec

from comptroller.api.bodies import Amount
from comptroller.money import Money

_LISTS: Final = {list, tuple, Sequence}
_PLAIN: Final = frozenset({str, int, bool, float})
_MAPPINGS: Final = {dict, Mapping}


def to_wire(value: Any) -> Any:
    """Return a value of an operation as JSON can carry it."""
    if value is None or value.__class__ in _PLAIN:
        return value
    if isinstance(value, Money):
        return str(value)
    names = _names_of_record(value.__class__)
    if names is not None:
        return {name: to_wire(getattr(value, name)) for name in names}
    if isinstance(value, list | tuple | frozenset):
        return [to_wire(item) for item in value]
    if isinstance(value, Mapping):
        return {key: to_wire(item) for key, item in value.items()}
    return value


def encode(value: Any) -> bytes:
    """Return a value of an operation as JSON."""
    return msgspec.json.encode(to_wire(value), enc_hook=str)


def from_wire(kind: Any, value: Any) -> Any:
    """Return the value of an operation's type that JSON carried."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {Union, UnionType}:
        return None if value is None else from_wire(next(one for one in arguments if one is not NoneType), value)
    if origin in _LISTS:
        items = [from_wire(arguments[0], item) for item in value]
        return tuple(items) if origin is tuple else items
    if origin in _MAPPINGS:
        return {key: from_wire(arguments[1], item) for key, item in value.items()}
    return _one_from_wire(kind, value)


def _one_from_wire(kind: Any, value: Any) -> Any:
    if kind is Money:
        return Money.parse(value)
    if _is_record(kind):
        return kind(**{name: from_wire(hint, value[name]) for name, hint in _hints(kind).items() if name in value})
    if kind is float and value is None:
        return math.nan  # JSON has no NaN
    return value if kind in {object, Any} else msgspec.convert(value, kind, strict=False)


@cache
def mirror(kind: Any) -> Any:
    """Return the type of what ``to_wire`` makes of a type, for the OpenAPI document."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {Union, UnionType}:
        return Union[tuple(mirror(argument) for argument in arguments)]  # noqa: UP007 — made at run time
    if origin in _LISTS:
        return list[mirror(arguments[0])]  # type: ignore[misc]  # made at run time
    if origin in _MAPPINGS:
        return dict[arguments[0], mirror(arguments[1])]  # type: ignore[misc,valid-type]  # made at run time
    return _one_mirror(kind)


def _one_mirror(kind: Any) -> Any:
    if kind is Money:
        return Amount
    if _is_record(kind):
        named = [(name, mirror(hint)) for name, hint in _hints(kind).items()]
        said = str(kind.__doc__).strip().splitlines()[0]
        return msgspec.defstruct(kind.__name__, named, namespace={"__doc__": said}, kw_only=True)
    return Any if kind is object else kind


def _is_record(kind: Any) -> bool:
    return is_dataclass(kind) or (isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields"))


@cache
def _names_of_record(kind: Any) -> tuple[str, ...] | None:
    return _names(kind) if _is_record(kind) else None


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind)) if is_dataclass(kind) else tuple(kind._fields)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {name: hints[name] for name in _names(kind)}
