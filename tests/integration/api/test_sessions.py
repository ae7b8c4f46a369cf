"""Keys and browsers' sessions over HTTP: what opens, what does not, and what another site can do."""

from datetime import UTC, datetime, timedelta

import pytest

from comptroller.api import door
from comptroller.api.door import COOKIE
from served import Served

PASSWORD = "correct horse battery"  # noqa: S105 — of a test
OWN = {"Sec-Fetch-Site": "same-origin"}


class Browser:
    """A person at a browser: a cookie and a token."""

    def __init__(self, served, response):
        self.served = served
        self.cookie = response.headers["set-cookie"].split(";")[0].split("=", 1)[1]
        self.attributes = response.headers["set-cookie"]
        self.token = response.json()["csrf_token"]

    def ask(self, method, path, *, token=True, headers=(), **more):
        said = {"Cookie": f"{COOKIE}={self.cookie}", **({"X-CSRF-Token": self.token} if token else {}), **dict(headers)}
        return self.served.ask(method, path, headers=said, **more)


@pytest.fixture
def known_for_no_time(monkeypatch):
    monkeypatch.setattr(door, "KNOWN_SECONDS", 0.0)


@pytest.fixture
def browser(served_on_sqlite, known_for_no_time):
    served = served_on_sqlite
    response = served.ask("POST", "/v1/password", json={"token": served.token, "password": PASSWORD}, headers=OWN)
    assert response.status_code == 201, response.text
    return Browser(served, response)


def log_in(served, password=PASSWORD, **headers):
    body = {"email": "admin", "password": password}
    return served.ask("POST", "/v1/session", json=body, headers={**OWN, **headers})


def test_the_cookie_is_bound_to_the_host_and_hidden_from_scripts(browser):
    for attribute in ("__Host-", "Path=/", "Secure", "HttpOnly", "SameSite=Lax"):
        assert attribute in browser.attributes
    assert "Domain" not in browser.attributes


def test_a_person_reads_and_writes_with_the_token_of_the_session(browser):
    assert browser.ask("GET", "/v1/session").json()["actor"] == "user:admin"
    made = browser.ask("POST", "/v1/limits", json={"name": "cap", "ceiling": "5 USD"}, headers=OWN)
    assert made.status_code == 201


FORGED = [
    {"token": False},
    {"token": False, "headers": {"X-CSRF-Token": "wrong"}},
    {"headers": {"Sec-Fetch-Site": "cross-site"}},
    {"headers": {"Sec-Fetch-Site": "same-site"}},
    {"headers": {"Origin": "https://evil.example"}},
    {"headers": {"Origin": "null"}},
    {"headers": {"Origin": "http://testserver.evil.example"}},
]


@pytest.mark.parametrize("forged", FORGED, ids=str)
def test_another_site_changes_nothing(browser, forged):
    response = browser.ask("POST", "/v1/limits", json={"name": "cap", "ceiling": "5 USD"}, **forged)
    assert response.status_code == 403
    assert response.json()["type"].endswith("cross-site")
    assert browser.ask("GET", "/v1/limits").json()["items"] == []


def test_another_session_s_token_is_no_token(browser):
    other = Browser(browser.served, log_in(browser.served))
    browser.token = other.token
    assert browser.ask("POST", "/v1/limits", json={"name": "cap", "ceiling": "5 USD"}).status_code == 403


def test_another_site_cannot_log_a_person_in(browser):
    response = log_in(browser.served, **{"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 403
    assert "set-cookie" not in response.headers


def test_a_plain_form_cannot_log_in(served):
    response = served.ask("POST", "/v1/session", data={"email": "admin", "password": PASSWORD}, headers=OWN)
    assert response.status_code == 415


def test_a_session_that_was_planted_before_is_none_after(browser):
    planted = "0" * 37
    response = log_in(browser.served, Cookie=f"{COOKIE}={planted}")
    assert Browser(browser.served, response).cookie != planted
    assert browser.served.ask("GET", "/v1/session", headers={"Cookie": f"{COOKIE}={planted}"}).status_code == 401


def test_an_ended_session_opens_nothing(browser):
    ended = browser.ask("DELETE", "/v1/session")
    assert ended.status_code == 204
    assert "Max-Age=0" in ended.headers["set-cookie"]
    assert browser.ask("GET", "/v1/session").status_code == 401


@pytest.mark.parametrize("changed", ["", "x", "a; b=c", '"', "%00", "0" * 5000])
def test_a_changed_cookie_opens_nothing(browser, changed):
    browser.cookie = browser.cookie[:-1] + changed if changed == "x" else changed
    assert browser.ask("GET", "/v1/session").status_code == 401


def test_a_session_cannot_be_used_as_a_key_nor_a_key_as_a_session(browser):
    assert browser.served.ask("GET", "/v1/session", browser.cookie).status_code == 401
    key = browser.served.key()
    assert browser.served.ask("GET", "/v1/session", headers={"Cookie": f"{COOKIE}={key}"}).status_code == 401


def test_a_wrong_key_beside_a_good_cookie_opens_nothing(browser):
    assert browser.ask("GET", "/v1/session", headers={"Authorization": "Bearer no"}).status_code == 401


def test_brute_force_is_stopped_over_two_processes(database_url, known_for_no_time):
    with Served(database_url) as one, Served(database_url) as other:
        set_once = {"token": other.token, "password": PASSWORD}
        assert one.ask("POST", "/v1/password", json=set_once, headers=OWN).status_code == 201
        answers = [log_in(served, f"guess number {n}") for n, served in enumerate([one, other] * 3)]
        assert [answer.status_code for answer in answers] == [401] * 5 + [429]
        locked = log_in(one)
        assert locked.status_code == 429
        assert 0 < int(locked.headers["retry-after"]) <= 901


def test_a_revoked_key_stops_within_the_time_it_is_known(served, known_for_no_time):
    key, admin = served.key("viewer"), served.key()
    key_id = next(one["id"] for one in served.ask("GET", "/v1/keys", admin).json()["items"] if one["role"] == "viewer")
    assert served.ask("GET", "/v1/limits", key).status_code == 200
    served.ask("POST", f"/v1/keys/{key_id}/revoke", admin)
    assert served.ask("GET", "/v1/limits", key).status_code == 401


def test_a_key_that_ends_stops(sqlite_url, known_for_no_time):
    now = [datetime(2026, 11, 24, tzinfo=UTC)]
    with Served(sqlite_url, clock=lambda: now[0]) as served:
        end = (now[0] + timedelta(hours=1)).isoformat()
        made = served.ask("POST", "/v1/keys", served.key(), json={"name": "k", "role": "viewer", "expires_at": end})
        secret = made.json()["secret"]
        assert served.ask("GET", "/v1/limits", secret).status_code == 200
        now[0] += timedelta(hours=1)
        assert served.ask("GET", "/v1/limits", secret).status_code == 401


def test_a_new_tenant_gets_its_first_key_from_the_home_tenant(served):
    admin = served.key()
    assert served.ask("POST", "/v1/tenants", admin, json={"tenant_id": "rival"}).status_code == 201
    made = served.ask("POST", "/v1/tenants/rival/keys", admin, json={"name": "first", "role": "admin"})
    assert made.status_code == 201
    who = served.ask("GET", "/v1/session", made.json()["secret"]).json()
    assert (who["tenant"], who["role"], who["is_home"]) == ("rival", "admin", False)
    absent = served.ask("POST", "/v1/tenants/nowhere/keys", admin, json={"name": "first", "role": "admin"})
    assert absent.status_code == 404


@pytest.mark.parametrize(
    "path", ["/v1/keys/../limits", "//v1/limits", "/v1//limits", "/V1/LIMITS", "/v1/limits;a=b", "/v1/limits%00"]
)
def test_a_crooked_path_opens_nothing(served_on_sqlite, path):
    assert served_on_sqlite.ask("GET", path).status_code in {401, 404}


def test_a_method_in_a_header_changes_nothing(served_on_sqlite):
    headers = {"X-HTTP-Method-Override": "DELETE", "X-Method-Override": "DELETE"}
    response = served_on_sqlite.ask("GET", "/v1/session", served_on_sqlite.key(), headers=headers)
    assert response.status_code == 200


def test_one_key_that_calls_too_fast_is_slowed_and_others_are_not(sqlite_url):
    with Served(sqlite_url, rate=2) as served:
        fast, other = served.key("viewer"), served.key()
        statuses = [served.ask("GET", "/v1/limits", fast).status_code for _ in range(8)]
        assert statuses[:4] == [200] * 4
        assert 429 in statuses
        assert served.ask("GET", "/v1/limits", other).status_code == 200
