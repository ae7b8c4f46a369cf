"""The dashboard without a socket, and a visitor who keeps cookies and sends forms as a browser does."""

import re
from typing import Any
from urllib.parse import urlencode

import httpx2

from comptroller.enums import Role
from comptroller.spine.orchestrator import access
from comptroller.types.access import Principal
from comptroller.web.serving import Site
from served import Served

PASSWORD = "correct horse battery staple"  # noqa: S105 — of people that live for one test
_CSRF = re.compile(r'name="csrf" (?:content|value)="([^"]+)"')


class SiteServed(Served):
    """One process of the server with the dashboard over a database."""

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(url, **options)
        self.await_(self._client.aclose())
        self.application = Site(self.service)  # type: ignore[assignment]  # the site is the application and more
        transport = httpx2.ASGITransport(self.application, raise_app_exceptions=False)
        self._client = httpx2.AsyncClient(transport=transport, base_url="https://testserver")

    def visitor(self, role: str = "admin", tenant: str | None = None) -> "Visitor":
        """Return a visitor with a session of that role."""
        name, where = f"{role}-{tenant or self.home}", tenant or self.home
        self.do(access.prepare_tenant, where)
        giver = Principal(where, "test", Role.ADMIN)
        made = self.do(access.add_user, where, giver, email=name, role=role)
        self.await_(access.set_password.run_async(self.service.engine, self.service.server, made.token, PASSWORD))
        visitor = Visitor(self)
        answer = visitor.post("/login", {"email": name, "password": PASSWORD}, token=False)
        assert answer.status_code == 303, answer.text
        return visitor


class Visitor:
    """Keeps cookies; sends each form with the token of the last page, unless told otherwise."""

    def __init__(self, site: SiteServed) -> None:
        self._site = site
        self.cookies: dict[str, str] = {}
        self.csrf = ""

    def get(self, path: str, **headers: str) -> httpx2.Response:
        """Ask for a page."""
        return self._kept(self._site.ask("GET", path, headers=self._headers(headers)))

    def post(
        self, path: str, form: dict[str, str] | None = None, *, token: bool = True, **headers: str
    ) -> httpx2.Response:
        """Send a form."""
        said = {**(form or {}), **({"csrf": self.csrf} if token else {})}
        sent = {"content_type": "application/x-www-form-urlencoded", **headers}
        return self._kept(self._site.ask("POST", path, content=urlencode(said), headers=self._headers(sent)))

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {**({"cookie": cookie} if cookie else {}), **{k.replace("_", "-"): v for k, v in more.items()}}

    def _kept(self, answer: httpx2.Response) -> httpx2.Response:
        for line in answer.headers.get_list("set-cookie"):
            name, _, rest = line.partition("=")
            value = rest.partition(";")[0].strip('"')
            if "Max-Age=0" in line:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        found = _CSRF.search(answer.text) if "html" in answer.headers.get("content-type", "") else None
        self.csrf = found[1] if found else self.csrf
        return answer
