"""From a request to its reply: who, what, one use case, the answer."""

import asyncio
import base64
import binascii
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from comptroller.api.incoming import JSON, Incoming, Reply
from comptroller.api.problems import MEDIA_TYPE, RequestError, problem, problem_of
from comptroller.api.route import KEY_PATTERN, PAGE_DEFAULT, Nothing, Paging, Route
from comptroller.api.service import Service
from comptroller.api.wire import encode, to_wire
from comptroller.errors import ComptrollerError, GovernanceError, NotFoundError
from comptroller.spine.orchestrator.once import once
from comptroller.spine.orchestrator.operation import Operation
from comptroller.types.access import Principal
from comptroller.types.caller import Caller

REQUEST_SECONDS: Final = 30
UPLOAD_SECONDS: Final = 600
_FIELDS_MAX: Final = 32
_KEY: Final = re.compile(KEY_PATTERN)
_CURSOR_MARK: Final = "c1"
_logger = logging.getLogger("comptroller.api")


@dataclass(slots=True)
class Call:
    """One request, checked: by whom, with which arguments."""

    service: Service
    route: Route
    incoming: Incoming
    principal: Principal | None
    query: Any
    body: Any

    @property
    def who(self) -> Principal:
        """Return who calls a route that is not public."""
        assert self.principal is not None  # noqa: S101 — the door lets nobody else in
        return self.principal

    @property
    def key(self) -> str | None:
        """Return the request's own key, where the route heeds one.

        Raises:
            RequestError: If it is no plain text.
        """
        key = self.incoming.headers.get("idempotency-key") if self.route.keeps_key else None
        if key is not None and not _KEY.fullmatch(key):
            raise RequestError("invalid-input", "Idempotency-Key must be 1 to 255 visible ASCII characters")
        return key

    @property
    def caller(self) -> Caller:
        """Return for whom the use case runs."""
        return Caller(self.who.tenant, self.who.actor, self.service.clock)


async def respond(service: Service, route: Route, incoming: Incoming) -> Reply:
    """Answer one request; whatever goes wrong is a problem, and said once."""
    try:
        async with asyncio.timeout(UPLOAD_SECONDS if route.media_type else REQUEST_SECONDS):
            return await _answered(service, route, incoming)
    except TimeoutError:
        return _problem_reply(RequestError("timed-out", "repeat it with the same Idempotency-Key to learn its outcome"))
    except (ComptrollerError, GovernanceError, SQLAlchemyError) as error:
        return _problem_reply(error)


async def _answered(service: Service, route: Route, incoming: Incoming) -> Reply:
    principal = await service.door.admit(incoming, route.policy)
    service.pace.take(incoming.client if principal is None else f"{principal.tenant} {principal.actor}")
    query = _query(route, incoming)
    body = None if route.body is None else await _body(route.body, incoming)
    call = Call(service, route, incoming, principal, query, body)
    if route.handler is not None:
        answer = await route.handler(call)
        return answer if isinstance(answer, Reply) else _reply(route, answer)
    return await _use_case(call)


def _query(route: Route, incoming: Incoming) -> Any:
    text = incoming.query_string
    if not text and route.query is Nothing:
        return None
    try:
        pairs = _pairs(text)
        query = msgspec.convert(dict(pairs), route.query, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        raise RequestError("invalid-input", f"query: {error}") from error
    for name, _ in pairs:
        if getattr(query, name) is None:  # the text "null" is read as nothing
            raise RequestError("invalid-input", f"query: {name} is not given: leave it out")
    return query


def _pairs(text: bytes) -> list[tuple[str, str]]:
    pairs = parse_qsl(
        text.decode("ascii"),
        keep_blank_values=True,
        strict_parsing=bool(text),
        max_num_fields=_FIELDS_MAX,
        errors="strict",
    )
    if len(dict(pairs)) < len(pairs):
        raise RequestError("invalid-input", "a parameter of the query is given twice")
    return pairs


async def _body(kind: type[msgspec.Struct], incoming: Incoming) -> Any:
    raw = await incoming.body()
    media_type = incoming.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    if media_type != JSON:
        raise RequestError("media-type", f"send {JSON}, not {media_type[:100]}")
    try:
        return decoder(kind).decode(raw or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError("invalid-input", f"body: {error}") from error


_decoders: dict[type[msgspec.Struct], msgspec.json.Decoder[Any]] = {}


def decoder(kind: type[msgspec.Struct]) -> msgspec.json.Decoder[Any]:
    """Return the decoder of a body, made once."""
    if kind not in _decoders:
        _decoders[kind] = msgspec.json.Decoder(kind)
    return _decoders[kind]


async def _use_case(call: Call) -> Reply:
    route, engine, caller = call.route, call.service.engine, call.caller
    arguments = _arguments(call)
    key = call.key
    if key is not None and isinstance(route.use_case, Operation):
        said: dict[str, Any] = {"use_case": route.use_case, "arguments": arguments, "encode": _encoded}
        text = await once.run_async(engine, caller, key, **said)
        return Reply(route.status, b"" if route.answer is None else text.encode())
    try:
        answer = await route.use_case.run_async(engine, caller, **arguments)
    except NotFoundError as error:
        if getattr(call.query, "cursor", None) is not None and not route.parameters:
            raise RequestError("invalid-cursor", "the cursor is not one of ours: begin with the first page") from error
        raise
    return _reply(route, answer if route.paging is None else _page(call, route.paging, answer))


def _encoded(value: Any) -> str:
    return encode(value).decode()


def _arguments(call: Call) -> dict[str, Any]:
    route = call.route
    arguments: dict[str, Any] = {**call.incoming.path, **_said(call.query), **_said(call.body)}
    if "giver" in route.gives:
        arguments["giver"] = call.who
    if "peppers" in route.gives:
        arguments["peppers"] = call.service.peppers
    if route.paging is not None:
        cursor, count = arguments.pop("cursor", None), arguments.pop("count", PAGE_DEFAULT)
        if route.paging.place is not None:
            arguments[route.paging.size] = count
            if cursor is not None:
                arguments[route.paging.argument] = opened_cursor(cursor)
    return arguments


def _said(struct: Any) -> dict[str, Any]:
    """Return what was said; what was left out is left to the operation's own default."""
    if struct is None:
        return {}
    return {name: value for name in struct.__struct_fields__ if (value := getattr(struct, name)) is not None}


def _page(call: Call, paging: Paging, answer: list[Any]) -> dict[str, Any]:
    count = call.query.count
    if paging.place is None:
        start = _start(call.query.cursor)
        items, more = answer[start : start + count], start + count < len(answer)
        place = str(start + count)
    else:
        items, more = answer, len(answer) == count
        place = paging.place(answer[-1]) if answer else ""
    return {"items": to_wire(items), "next_cursor": sealed_cursor(place) if more else None}


def _start(cursor: str | None) -> int:
    text = "0" if cursor is None else opened_cursor(cursor)
    if not (text.isascii() and text.isdigit()):
        raise RequestError("invalid-cursor", "the cursor is not one of ours")
    return min(int(text[:18]), 2**53)


def sealed_cursor(place: str) -> str:
    """Return a place in a list as an opaque text."""
    return base64.urlsafe_b64encode((_CURSOR_MARK + place).encode()).decode().rstrip("=")


def opened_cursor(cursor: str) -> str:
    """Return the place that a cursor names.

    Raises:
        RequestError: If it is not one of ours.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        text = raw.decode()
    except (binascii.Error, ValueError) as error:
        raise RequestError("invalid-cursor", "the cursor is not one of ours: begin with the first page") from error
    if not text.startswith(_CURSOR_MARK):
        raise RequestError("invalid-cursor", "the cursor is not one of ours: begin with the first page")
    return text.removeprefix(_CURSOR_MARK)


def _reply(route: Route, answer: Any) -> Reply:
    return Reply(route.status) if route.answer is None else Reply(route.status, encode(answer))


def _problem_reply(error: Exception) -> Reply:
    made, headers = problem_of(error)
    if made.status >= 500:  # noqa: PLR2004 — the server's own failures
        _logger.error("request_failed", exc_info=error)
    return Reply(made.status, msgspec.json.encode(made), MEDIA_TYPE, headers)


def problem_reply(name: str, detail: str, headers: Mapping[str, str] | None = None) -> Reply:
    """Return the reply of a problem that no route met."""
    made = problem(name, detail)
    return Reply(made.status, msgspec.json.encode(made), MEDIA_TYPE, dict(headers or {}))
