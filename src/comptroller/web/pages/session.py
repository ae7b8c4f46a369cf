"""Log in, set a password, log out."""

from typing import Final

from litestar import Response
from litestar.datastructures import Cookie

from comptroller.api.door import COOKIE
from comptroller.api.policy import Policy
from comptroller.errors import InvalidInputError, NotAuthenticatedError, TooManyAttemptsError
from comptroller.spine.orchestrator import access
from comptroller.types.access import Login
from comptroller.web.visit import CSRF_COOKIE, Page, Visit, see_other


async def show_login(visit: Visit) -> Response[bytes]:
    """Show the form by which a person logs in."""
    return visit.page("login.html", title="Log in", error=None, next=visit.query.get("next", ""), email="")


async def log_in(visit: Visit) -> Response[bytes]:
    """Begin a session and go to the page that was asked for."""
    email, password = visit.form.get("email", ""), visit.form.get("password", "")
    target = visit.form.get("next", "")
    service = visit.service
    try:
        login = await access.log_in.run_async(
            service.engine, service.server, email, password, address=visit.incoming.client
        )
    except (NotAuthenticatedError, InvalidInputError) as error:
        return visit.page("login.html", status=401, title="Log in", error=str(error), next=target, email=email)
    except TooManyAttemptsError as error:
        return visit.page("login.html", status=429, title="Log in", error=str(error), next=target, email=email)
    return _entered(visit, login, target)


async def show_welcome(visit: Visit) -> Response[bytes]:
    """Show the form by which a one-time link sets a password."""
    return visit.page("welcome.html", title="Welcome", error=None, token=visit.query.get("token", ""))


async def welcome(visit: Visit) -> Response[bytes]:
    """Set a password and begin a session."""
    token, password = visit.form.get("token", ""), visit.form.get("password", "")
    service = visit.service
    try:
        login = await access.set_password.run_async(service.engine, service.server, token, password)
    except (NotAuthenticatedError, InvalidInputError) as error:
        return visit.page("welcome.html", status=400, title="Welcome", error=str(error), token=token)
    return _entered(visit, login, "")


async def log_out(visit: Visit) -> Response[bytes]:
    """End the session."""
    secret = visit.incoming.cookie(COOKIE)
    if secret is not None:
        await visit.ask(access.log_out, secret)
        visit.service.door.forget(visit.incoming)
    return see_other("/login", *(_cookie(name, "", 0) for name in (COOKIE, CSRF_COOKIE)))


def _entered(visit: Visit, login: Login, target: str) -> Response[bytes]:
    seconds = int((login.expires_at - visit.service.now()).total_seconds())
    place = target if target.startswith("/") and not target.startswith(("//", "/\\")) else "/"
    values = ((COOKIE, login.secret), (CSRF_COOKIE, login.csrf_token))
    return see_other(place, *(_cookie(name, value, seconds) for name, value in values))


def _cookie(name: str, value: str, seconds: int) -> Cookie:
    return Cookie(name, value=value, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax")


PAGES: Final = (
    Page("GET", "/login", Policy.PUBLIC, show_login),
    Page("POST", "/login", Policy.PUBLIC, log_in),
    Page("GET", "/welcome", Policy.PUBLIC, show_welcome),
    Page("POST", "/welcome", Policy.PUBLIC, welcome),
    Page("POST", "/logout", Policy.SIGNED_IN, log_out),
)
