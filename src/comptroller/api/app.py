"""The ASGI application: Litestar's frame around the table of routes, and a short way to the hot ones."""

import logging
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, cast

import msgspec
from litestar import Litestar, Request, Response
from litestar.enums import HttpMethod
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.types import ControllerRouterHandler

from comptroller import settings
from comptroller.api.areas import spend
from comptroller.api.call import problem_reply, respond
from comptroller.api.incoming import Incoming, Receive, Reply, Scope, Send
from comptroller.api.openapi import document
from comptroller.api.route import Route
from comptroller.api.service import Service
from comptroller.api.table import ROUTES

_logger = logging.getLogger("comptroller.api")
_HOLDS: Final = "/v1/holds"
_HOT: Final = {route.path: route for route in spend.ROUTES if route.path.startswith(_HOLDS)}
_HOT_PATH: Final = re.compile(r"/v1/holds/([^/]{1,255})/(settle|release|extend)")


class Application:
    """One process of the server.

    Args:
        service: What it keeps; made from the environment when it starts unless given.
        pages: Further handlers of Litestar's: the dashboard.
    """

    def __init__(self, service: Service | None = None, pages: Sequence[ControllerRouterHandler] = ()) -> None:
        self._given = service
        self._service = service
        self._litestar = Litestar(
            [*map(self._handler, ROUTES), self._document_handler(), *pages],
            lifespan=[self._lifespan],
            exception_handlers={HTTPException: _not_routed, Exception: _failed},
            openapi_config=None,
            debug=False,
            logging_config=None,
            request_max_body_size=None,
        )

    @property
    def service(self) -> Service:
        """Return what the process keeps, once it has started."""
        if self._service is None:
            raise RuntimeError("the application has not started")
        return self._service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer over ASGI; reserve and settle go past the router."""
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"].startswith(_HOLDS):
            found = _hot(scope["path"])
            if found is not None:
                await self._answer_hot(found, scope, receive, send)
                return
        await self._litestar(scope, receive, send)  # type: ignore[arg-type]  # Litestar types the scope by its kind

    async def _answer_hot(
        self, found: "tuple[Route, dict[str, str]]", scope: Scope, receive: Receive, send: Send
    ) -> None:
        route, path = found
        reply = await respond(self.service, route, Incoming(scope, receive, path))
        await reply.send(send)

    def _handler(self, route: Route) -> HTTPRouteHandler:
        async def handle(request: Request[Any, Any, Any]) -> Response[bytes]:
            path = {name: str(request.path_params[name]) for name in route.parameters}
            incoming = Incoming(cast("Scope", request.scope), request.receive, path)
            return _as_response(await respond(self.service, route, incoming))

        path = re.sub(r"\{(\w+)\}", r"{\1:str}", route.path)
        return HTTPRouteHandler(
            path,
            http_method=HttpMethod(route.method),
            status_code=200,  # each reply brings its own
            opt={"policy": route.policy},
            name=f"{route.method} {route.path}",
        )(handle)

    def _document_handler(self) -> HTTPRouteHandler:
        raw = msgspec.json.encode(document())

        async def openapi_document() -> Response[bytes]:
            return _as_response(Reply(200, raw))

        return HTTPRouteHandler("/v1/openapi.json", http_method="GET")(openapi_document)

    @asynccontextmanager
    async def _lifespan(self, _app: Litestar) -> AsyncIterator[None]:
        if self._service is None:
            self._service = Service(settings.database())
        try:
            yield
        finally:
            await self._service.close()
            self._service = self._given


def create() -> Application:
    """Return the application as a server's process starts it, told by its environment."""
    return Application()


def _hot(path: str) -> tuple[Route, dict[str, str]] | None:
    if path == _HOLDS:
        return _HOT[_HOLDS], {}
    match = _HOT_PATH.fullmatch(path)
    return None if match is None else (_HOT[f"{_HOLDS}/{{hold_id}}/{match[2]}"], {"hold_id": match[1]})


def _as_response(reply: Reply) -> Response[bytes]:
    headers = {name.decode(): value.decode("latin-1") for name, value in reply.raw_headers()}
    headers.pop("content-length", None)
    return Response(reply.body, status_code=reply.status, headers=headers, media_type=reply.media_type)


def _not_routed(_request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    if isinstance(error, NotFoundException):
        return _as_response(problem_reply("not-found", "there is no such path"))
    if isinstance(error, MethodNotAllowedException):
        return _as_response(problem_reply("method-not-allowed", "the path has no such method", error.headers))
    return _as_response(problem_reply("invalid-input", str(error.detail)))


def _failed(_request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    _logger.error("request_failed", exc_info=error)
    return _as_response(problem_reply("internal", "the server failed; its log says why"))
