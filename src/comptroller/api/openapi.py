"""The OpenAPI 3.1 document, made from the table of routes."""

import sys
from importlib.metadata import version
from typing import Any, Final

import msgspec

from comptroller.api.policy import Policy
from comptroller.api.problems import KINDS, MEDIA_TYPE, TYPE_PREFIX, Problem
from comptroller.api.route import KEY_PATTERN, Route
from comptroller.api.table import AREAS
from comptroller.api.wire import mirror

_REF: Final = "#/components/schemas/{name}"
_PROBLEM: Final = {"$ref": "#/components/responses/Problem"}
_SECURITY: Final = {
    "key": {"type": "http", "scheme": "bearer", "description": "An API key, `ctk_live_…`."},
    "session": {
        "type": "apiKey", "in": "cookie", "name": "__Host-comptroller",
        "description": "A browser's session; unsafe requests carry its token in `X-CSRF-Token`.",
    },
}  # fmt: skip
_KEY_PARAMETER: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Repeating a request under its key changes nothing and gets the first answer.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": KEY_PATTERN},
}
_PATH_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[A-Za-z0-9._@:-]+$"}


def document() -> dict[str, Any]:
    """Return the document."""
    schemas = _Schemas()
    paths: dict[str, dict[str, Any]] = {}
    for area, routes in AREAS.items():
        for route in routes:
            paths.setdefault(route.path, {})[route.method.lower()] = _operation(area, route, schemas)
    problem = {"description": "A problem", "content": {MEDIA_TYPE: {"schema": schemas.of(Problem)}}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "comptroller",
            "version": version("comptroller"),
            "description": "Mandatory spend governance. Problems (RFC 9457) have the types "
            + ", ".join(f"`{TYPE_PREFIX}{name}`" for name in KINDS)
            + ".",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": area} for area in AREAS],
        "paths": paths,
        "components": {
            "securitySchemes": _SECURITY,
            "responses": {"Problem": problem},
            "schemas": schemas.components(),
        },
    }


def text() -> str:
    """Return the document as it is committed: sorted and indented, so that a change shows as what it is."""
    return msgspec.json.format(msgspec.json.encode(document(), order="sorted"), indent=2).decode() + "\n"


class _Schemas:
    """The schemas of all types that were asked for; each is made once, under its name."""

    def __init__(self) -> None:
        self._components: dict[str, Any] = {}

    def of(self, kind: Any) -> dict[str, Any]:
        """Return a type's schema, by reference where it has a name."""
        (schema,), components = msgspec.json.schema_components([kind], ref_template=_REF)
        for name, component in components.items():
            known = self._components.setdefault(name, component)
            if known != component:
                raise TypeError(f"two types are called {name} in the document")
        return schema

    def components(self) -> dict[str, Any]:
        """Return the named ones, by name."""
        return dict(sorted(self._components.items()))


def _operation(area: str, route: Route, schemas: _Schemas) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [area],
        "x-policy": route.policy.value,
        "security": [] if route.policy is Policy.PUBLIC else [{"key": []}, {"session": []}],
        "parameters": _parameters(route, schemas),
        "responses": _responses(route, schemas),
    }
    if route.media_type is not None:
        content = {route.media_type: {"schema": {"type": "string", "format": "binary"}}}
        made["requestBody"] = {"required": True, "content": content}
    elif route.body is not None:
        content = {"application/json": {"schema": schemas.of(route.body)}}
        made["requestBody"] = {"required": bool(_required(route.body)), "content": content}
    return made


def _required(kind: type[msgspec.Struct]) -> list[str]:
    return [field.name for field in msgspec.structs.fields(kind) if field.required]


def _parameters(route: Route, schemas: _Schemas) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": dict(_PATH_TEXT)} for name in route.parameters
    ]
    for field in msgspec.structs.fields(route.query):
        schema = _without_null(schemas.of(field.type))
        made.append({"name": field.name, "in": "query", "required": field.required, "schema": schema})
    return [*made, _KEY_PARAMETER] if route.keeps_key else made


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    kinds = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
    return kinds[0] if len(kinds) == 1 else schema


def _responses(route: Route, schemas: _Schemas) -> dict[str, Any]:
    done: dict[str, Any] = {"description": "Done"}
    if route.answer is not None:
        kind = mirror(route.answer)
        if route.paging is not None:
            kind = _page_of(kind)
        media_type = "text/plain" if route.path == "/metrics" else "application/json"
        done["content"] = {media_type: {"schema": schemas.of(kind)}}
    statuses = {kind.status for name, kind in KINDS.items() if name not in _not_met_by(route)}
    return {str(route.status): done, **{str(status): dict(_PROBLEM) for status in sorted(statuses)}}


def _page_of(kind: Any) -> Any:
    items = list[kind]  # made at run time
    said = "A page; the next one begins at `next_cursor`, where there is one."
    named = [("items", items), ("next_cursor", str | None)]
    return msgspec.defstruct(f"{kind.__name__}Page", named, namespace={"__doc__": said})


def _not_met_by(route: Route) -> set[str]:
    """Return the problems that a route cannot have."""
    absent = {"method-not-allowed"}
    if route.policy is Policy.PUBLIC:
        absent |= {"not-allowed"}
    if "spend" not in route.policy:
        absent |= {"limit-exceeded"}
    if route.media_type is None:
        absent |= {"bad-file"}
    return absent


if __name__ == "__main__":
    sys.stdout.write(text())
