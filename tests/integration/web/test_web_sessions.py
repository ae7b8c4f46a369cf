import re
from typing import Any

from comptroller.spine.drivers.cross_domain import create_incident_from_cost_anomaly_sync
from comptroller.spine.orchestrator import kills
from comptroller.spine.orchestrator.operation import operation
from comptroller.web.serving import PAGES
from sites import PASSWORD, SiteServed, Visitor

SESSION = "__Host-comptroller"
KILL = {"where": "agent=crawler", "why": "from another site"}


@operation
def open_one(session: Any, caller: Any) -> str:
    return create_incident_from_cost_anomaly_sync(session, caller.tenant, "a1", "SPIKE", "HIGH", 2, 1)


def concrete(path: str) -> str:
    return re.sub(r"\{(\w+):str\}", lambda match: "resolve" if match[1] == "step" else "x", path)


def test_nobody_sees_or_does_anything_without_a_session(lite_site: SiteServed):
    stranger = Visitor(lite_site)
    closed = [page for page in PAGES if page.policy != "public"]
    assert len(closed) >= 20
    for page in closed:
        answer = stranger.get(concrete(page.path)) if page.method == "GET" else stranger.post(concrete(page.path))
        assert answer.status_code == 303, page
        assert answer.headers["location"].startswith("/login")
        assert answer.text == ""


def test_a_form_without_the_sessions_token_is_refused(lite_site: SiteServed):
    visitor, other = lite_site.visitor(), lite_site.visitor("operator")
    visitor.get("/")
    other.get("/")
    for page in PAGES:
        if page.method == "POST" and page.policy != "public":
            path = concrete(page.path)
            assert visitor.post(path, token=False).status_code == 403, page
            assert visitor.post(path, {"csrf": "x" * 43}, token=False).status_code == 403
            assert visitor.post(path, {"csrf": other.csrf}, token=False).status_code == 403


FOREIGN = [
    {"sec_fetch_site": "cross-site"},
    {"sec_fetch_site": "same-site"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
]


def test_a_form_from_another_site_is_refused_even_with_a_token(lite_site: SiteServed):
    visitor = lite_site.visitor()
    visitor.get("/")
    for headers in FOREIGN:
        assert visitor.post("/kill", KILL, **headers).status_code == 403
        assert visitor.post("/login", {"email": "admin-acme", "password": PASSWORD}, **headers).status_code == 403
    assert lite_site.do(kills.list_kills, "acme") == []


def test_cookies_are_bound_to_the_host_and_hidden_from_scripts(lite_site: SiteServed):
    lite_site.visitor()
    answer = Visitor(lite_site).post("/login", {"email": "admin-acme", "password": PASSWORD}, token=False)
    lines = answer.headers.get_list("set-cookie")
    assert len(lines) == 2
    for line in lines:
        assert line.startswith("__Host-")
        assert {"Secure", "HttpOnly", "Path=/"} <= {part.strip() for part in line.split(";")}
        assert "samesite=lax" in line.lower()
        assert "domain" not in line.lower()


def test_a_session_is_new_at_each_login_and_dead_after_logout(lite_site: SiteServed):
    visitor = lite_site.visitor()
    first = visitor.cookies[SESSION]
    visitor.post("/login", {"email": "admin-acme", "password": PASSWORD}, token=False)
    assert visitor.cookies[SESSION] != first
    visitor.get("/")
    kept = dict(visitor.cookies)
    assert visitor.post("/logout").status_code == 303
    assert SESSION not in visitor.cookies
    visitor.cookies = kept
    assert visitor.get("/").status_code == 303


def test_a_session_id_that_a_stranger_chose_is_not_taken_over(lite_site: SiteServed):
    lite_site.visitor()
    visitor = Visitor(lite_site)
    visitor.cookies[SESSION] = "chosen" * 8
    visitor.post("/login", {"email": "admin-acme", "password": PASSWORD}, token=False)
    assert visitor.cookies[SESSION] != "chosen" * 8


def test_login_leads_to_no_other_site(lite_site: SiteServed):
    lite_site.visitor()
    for target in ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", ""):
        form = {"email": "admin-acme", "password": PASSWORD, "next": target}
        assert Visitor(lite_site).post("/login", form, token=False).headers["location"] == "/"


def test_a_wrong_password_says_nothing_of_which_is_wrong(lite_site: SiteServed):
    lite_site.visitor()
    told = set()
    for email in ("admin-acme", "nobody"):
        page = Visitor(lite_site).post("/login", {"email": email, "password": "wrong"}, token=False).text
        told.add(page.partition('role="alert">')[2][:60])
    assert len(told) == 1


def test_a_viewer_sees_no_buttons_and_may_not_press_them(lite_site: SiteServed):
    incident_id = lite_site.do(open_one, "acme")
    viewer = lite_site.visitor("viewer")
    page = viewer.get(f"/incidents/{incident_id}").text
    assert "Acknowledge" not in page
    assert viewer.post(f"/incidents/{incident_id}/acknowledge").status_code == 403
    assert viewer.post("/kill", KILL).status_code == 403
    assert viewer.get("/kill").status_code == 403


def test_another_tenants_incident_is_not_there(site: SiteServed):
    incident_id = site.do(open_one, "acme")
    other = site.visitor("admin", "other")
    assert other.get(f"/incidents/{incident_id}").status_code == 404
    assert incident_id not in other.get("/incidents").text
    assert other.post(f"/incidents/{incident_id}/acknowledge").status_code == 404


def test_events_are_for_those_who_are_logged_in(lite_site: SiteServed):
    assert lite_site.ask("GET", "/events").status_code == 401


def test_the_first_admin_sets_a_password_once(lite_site: SiteServed):
    visitor = Visitor(lite_site)
    assert lite_site.token in visitor.get(f"/welcome?token={lite_site.token}").text
    weak = visitor.post("/welcome", {"token": lite_site.token, "password": "short"}, token=False)
    assert weak.status_code == 400
    assert visitor.post("/welcome", {"token": lite_site.token, "password": PASSWORD}, token=False).status_code == 303
    assert visitor.get("/").status_code == 200
    again = Visitor(lite_site).post("/welcome", {"token": lite_site.token, "password": PASSWORD}, token=False)
    assert again.status_code == 400


def test_each_answer_carries_the_requests_id(lite_site: SiteServed):
    made = lite_site.ask("GET", "/login").headers["x-request-id"]
    assert len(made) == 36
    assert (
        lite_site.ask("GET", "/login", headers={"x-request-id": "given-12345"}).headers["x-request-id"] == "given-12345"
    )
    forged = lite_site.ask("GET", "/login", headers={"x-request-id": "a b\tc-------"}).headers["x-request-id"]
    assert len(forged) == 36
