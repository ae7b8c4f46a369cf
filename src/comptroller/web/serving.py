"""The server's application: API, dashboard, and the worker beside them."""

import os
import threading
from collections.abc import MutableMapping
from typing import Any, Final

from litestar import Request, Response
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler

from comptroller import database, settings
from comptroller.api.app import Application
from comptroller.api.policy import Policy
from comptroller.api.service import Service
from comptroller.web.live import live_handler
from comptroller.web.pages import acting, looking, session
from comptroller.web.pages import settings as settings_pages
from comptroller.web.rendering import static_files, static_path
from comptroller.web.requests import request_logged
from comptroller.web.visit import Page, handler_of
from comptroller.worker.loop import Worker
from comptroller.worker.process import peppers_of, set_up_logs

WORKER_VARIABLE: Final = "COMPTROLLER_EMBEDDED_WORKER"
PAGES: Final[tuple[Page, ...]] = (*session.PAGES, *looking.PAGES, *acting.PAGES, *settings_pages.PAGES)
_TYPES: Final = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml"}


class Site:
    """One process of the server: pages and API, and a worker unless told otherwise.

    Args:
        service: What it keeps; made from the environment when it starts unless given.
        works: Whether a worker runs beside it.
    """

    def __init__(self, service: Service | None = None, *, works: bool = False) -> None:
        handlers = [handler_of(page, lambda: self.application.service) for page in PAGES]
        live = live_handler(lambda: self.application.service)
        self.application: Application = Application(service, [*handlers, live, _static_handler()])
        self._works = works
        self._worker: Worker | None = None
        self._thread: threading.Thread | None = None

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Answer over ASGI; the worker lives as long as the application does."""
        if scope["type"] == "lifespan":
            await self.application(scope, self._starting(receive), self._stopping(send))
            return
        with request_logged(scope) as logged:
            await self.application(scope, receive, logged.heard(send))

    def _starting(self, receive: Any) -> Any:
        async def wrapped() -> Any:
            message = await receive()
            if message["type"] == "lifespan.startup" and self._works:
                self._start()
            return message

        return wrapped

    def _stopping(self, send: Any) -> Any:
        async def wrapped(message: Any) -> None:
            if message["type"] in {"lifespan.shutdown.complete", "lifespan.shutdown.failed"} and self._worker:
                self._worker.stop()
            await send(message)

        return wrapped

    def _start(self) -> None:
        engine = database.create_engine(settings.database())
        self._worker = Worker(engine, peppers_of(engine), public_url=settings.public_url())
        self._thread = threading.Thread(target=self._worker.run, name="comptroller-worker", daemon=True)
        self._thread.start()


def create() -> Site:
    """Return the application as a server's process starts it, told by its environment."""
    set_up_logs()
    return Site(works=os.environ.get(WORKER_VARIABLE, "1") != "0")


def _static_handler() -> HTTPRouteHandler:
    async def static(request: Request[Any, Any, Any]) -> Response[bytes]:
        version, name = str(request.path_params["version"]), str(request.path_params["name"])
        if name not in static_files() or static_path(name) != f"/static/{version}/{name}":
            raise NotFoundException
        headers = {"cache-control": "public, max-age=31536000, immutable", "x-content-type-options": "nosniff"}
        kind = _TYPES[name.rsplit(".", 1)[-1]]
        return Response(static_files()[name], media_type=kind, headers=headers)

    path = "/static/{version:str}/{name:str}"
    return HTTPRouteHandler(path, http_method="GET", opt={"policy": Policy.PUBLIC}, name=f"GET {path}")(static)
