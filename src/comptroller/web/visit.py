"""One visit of a page: who comes, what they ask, and how the page is answered."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast
from urllib.parse import parse_qsl, urlencode

from litestar import Request, Response
from litestar.datastructures import Cookie
from litestar.handlers import HTTPRouteHandler

from comptroller.api.door import CSRF_HEADER
from comptroller.api.incoming import Incoming, Scope
from comptroller.api.policy import Policy, allows
from comptroller.api.problems import RequestError, problem_of
from comptroller.api.service import Service
from comptroller.errors import ComptrollerError, GovernanceError, InvalidInputError, NotAuthenticatedError
from comptroller.spine.orchestrator import overview
from comptroller.spine.orchestrator.operation import Operation, Procedure
from comptroller.types.access import Principal
from comptroller.types.caller import Caller
from comptroller.web.rendering import render

CSRF_COOKIE: Final = "__Host-comptroller-csrf"
FORM: Final = "application/x-www-form-urlencoded"
_FIELDS_MAX: Final = 50
_HTML: Final = "text/html; charset=utf-8"
_SERVER_FAILED: Final = 500


@dataclass(slots=True)
class Visit:
    """A request for a page, with who sent it; absent on public pages."""

    service: Service
    incoming: Incoming
    principal: Principal | None
    query: Mapping[str, str]
    form: Mapping[str, str] = field(default_factory=dict)
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    pulse: str = ""

    @property
    def caller(self) -> Caller:
        """Return on whose behalf the page is read."""
        assert self.principal is not None  # noqa: S101 — the door lets nobody else in
        return Caller(self.principal.tenant, self.principal.actor, self.service.clock)

    async def ask(self, use_case: Operation[..., Any] | Procedure[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run a use case."""
        return await use_case.run_async(self.service.engine, self.caller, *args, **kwargs)

    def may(self, policy: Policy) -> bool:
        """Tell whether the visitor may do what a policy covers."""
        return self.principal is not None and allows(policy, self.principal)

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response[bytes]:
        """Return a page."""
        html = render(
            template,
            visit=self,
            csrf=self.incoming.cookie(CSRF_COOKIE) or "",
            nonce=self.nonce,
            may_operate=self.may(Policy.OPERATE),
            may_administer=self.may(Policy.ADMINISTER),
            now=self.service.now(),
            **values,
        )
        return Response(html.encode(), status_code=status, headers=page_headers(self.nonce), media_type=_HTML)

    def number(self, name: str, default: int, *, least: int, most: int) -> int:
        """Return a whole number of the query.

        Raises:
            InvalidInputError: If it is none, or out of bounds.
        """
        text = self.query.get(name) or str(default)
        if not text.isascii() or not text.isdigit() or not least <= int(text[:9]) <= most:
            raise InvalidInputError(f"{name} must be between {least} and {most}: {text[:20]!r}")
        return int(text)


Handler = Callable[..., Awaitable[Response[bytes]]]


@dataclass(frozen=True, slots=True)
class Page:
    """One method of one path of the dashboard."""

    method: Literal["GET", "POST"]
    path: str
    policy: Policy
    handler: Handler


def page_headers(nonce: str) -> dict[str, str]:
    """Return the headers of every page: what it may load, and that it is kept by nobody."""
    policy = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return {
        "content-security-policy": policy,
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    }


def see_other(place: str, *cookies: Cookie) -> Response[bytes]:
    """Return the way to another page, with cookies to set."""
    headers = {"location": place, "cache-control": "no-store"}
    return Response(b"", status_code=303, headers=headers, cookies=list(cookies))


def link(path: str, **query: Any) -> str:
    """Return a path with a query; what is absent is left out."""
    said = {name: value for name, value in query.items() if value not in {None, ""}}
    return f"{path}?{urlencode(said)}" if said else path


async def answer(service: Service, page: Page, request: Request[Any, Any, Any]) -> Response[bytes]:
    """Answer one request for a page; who must log in first is sent there."""
    path = {name: str(value) for name, value in request.path_params.items()}
    incoming = Incoming(cast("Scope", request.scope), request.receive, path)
    visit = Visit(service, incoming, None, _pairs(incoming.query_string))
    try:
        if page.method == "POST":
            visit.form = await _form(incoming)
            # A page's form carries the session's token in a field; the door reads it from the header.
            incoming.headers.setdefault(CSRF_HEADER, visit.form.get("csrf", ""))
        visit.principal = await service.door.admit(incoming, page.policy)
        if visit.principal is not None and page.method == "GET":
            visit.pulse = await visit.ask(overview.pulse)  # before the page is read: nothing in between is missed
        return await page.handler(visit, **path)
    except NotAuthenticatedError:
        return see_other(link("/login", next=request.url.path if page.method == "GET" else None))
    except (ComptrollerError, GovernanceError) as error:
        return _failed(visit, error)


def _failed(visit: Visit, error: Exception) -> Response[bytes]:
    problem, _ = problem_of(error)
    return visit.page("error.html", status=problem.status, title=problem.title, detail=problem.detail)


async def _form(incoming: Incoming) -> Mapping[str, str]:
    kind = incoming.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != FORM:
        raise RequestError("media-type", f"send {FORM}")
    return _pairs(await incoming.body())


def _pairs(raw: bytes) -> Mapping[str, str]:
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, max_num_fields=_FIELDS_MAX, errors="strict")
    except ValueError as error:
        raise RequestError("invalid-input", f"the form or query is not understood: {error}") from error
    return dict(pairs)


def handler_of(page: Page, service: Callable[[], Service]) -> HTTPRouteHandler:
    """Return a page as Litestar routes it."""

    async def handle(request: Request[Any, Any, Any]) -> Response[bytes]:
        return await answer(service(), page, request)

    return HTTPRouteHandler(
        page.path,
        http_method=page.method,
        status_code=200,
        name=f"{page.method} {page.path}",
        opt={"policy": page.policy},
    )(handle)
