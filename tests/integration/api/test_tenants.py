"""The tenant matrix, made from the table of routes: route, role, and whose object is asked for."""

import shutil
from contextlib import suppress

import psycopg
import pytest
from sqlalchemy import make_url

from comptroller.api import policy
from comptroller.api.policy import ROLES, Policy
from comptroller.api.table import ROUTES
from comptroller.enums import Role
from comptroller.isolation import protect
from comptroller.spine.orchestrator import operation
from served import Served
from tenants import ABSENT, furnish, request, without_ids

MATRIX = [route for route in ROUTES if route.policy is not Policy.PUBLIC]
NAMES = [f"{route.method} {route.path}" for route in MATRIX]
WITH_IDS = [route for route in MATRIX if route.parameters and route.policy is not Policy.HOME]
SERVER = "comptroller_server"
HOME, RIVAL = "acme", "rival"
NO_KEYS = [None, "Bearer", "Bearer ", "Bearer ctk_live_x", "Basic YTpi", "bearer\tx", "Bearer ' OR 1=1 --"]


def bound(url):
    """Return the URL of the same database for a role that row-level security binds."""
    native = url.replace("postgresql+psycopg://", "postgresql://")
    taken = suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation)
    with psycopg.connect(native, autocommit=True) as connection, taken:
        connection.execute(f"CREATE ROLE {SERVER} LOGIN")
    assert protect(url, SERVER) > 20
    return make_url(url).set(username=SERVER).render_as_string(hide_password=False)


class House:
    """A server and two tenants with one of everything."""

    def __init__(self, url):
        self.served = Served(url, home=HOME)
        self.own, self.foreign = furnish(self.served, HOME), furnish(self.served, RIVAL)


@pytest.fixture(scope="module", params=["sqlite", "bound"])
def house(request, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPTROLLER_PEPPERS", f"1:{'5e' * 32}")
        if request.param == "sqlite":
            file = tmp_path_factory.mktemp("house") / "house.db"
            url = f"sqlite:///{shutil.copy(request.getfixturevalue('sqlite_template'), file)}"
            made = House(url)
            yield made
            made.served.close()
            return
        server, template = (request.getfixturevalue(name) for name in ("postgres_server", "postgres_template"))
        url = server.create(like=template)
        made = House(bound(url))
        yield made
        made.served.close()
        server.drop(url)


@pytest.mark.parametrize("route", MATRIX, ids=NAMES)
def test_a_role_that_may_not_is_told_so_whatever_it_asks_for(house, route):
    for role in set(Role) - ROLES[route.policy]:
        told = set()
        for ids in (house.own, house.foreign, ABSENT):
            method, path, more = request(route, ids)
            response = house.served.ask(method, path, house.served.key(role), **more)
            told.add((response.status_code, response.text))
        assert {status for status, _ in told} == {403}
        assert len(told) == 1


@pytest.mark.parametrize("route", WITH_IDS, ids=[f"{r.method} {r.path}" for r in WITH_IDS])
def test_another_tenants_object_is_as_absent_as_one_that_is_not_there(house, route):
    for role in ROLES[route.policy]:
        told = []
        for ids in (house.foreign, ABSENT):
            method, path, more = request(route, ids)
            response = house.served.ask(method, path, house.served.key(role), **more)
            told.append((response.status_code, without_ids(response.text, ids)))
        assert told[0][0] in {404, 409}, told
        assert told[0] == told[1]


@pytest.mark.parametrize("route", MATRIX, ids=NAMES)
def test_a_role_that_may_is_let_in_and_sees_nothing_of_the_other_tenant(house, route):
    for role in ROLES[route.policy]:
        method, path, more = request(route, house.own)
        response = house.served.ask(method, path, house.served.key(role), **more)
        assert response.status_code not in {401, 403}, response.text
        assert response.status_code < 500, response.text
        if route.policy is not Policy.HOME:
            assert not any(value in response.text for value in house.foreign.values())


@pytest.mark.parametrize(
    "route", [r for r in MATRIX if r.policy in policy._HOME_ONLY], ids=lambda r: f"{r.method} {r.path}"
)
def test_an_admin_of_another_tenant_is_no_admin_of_all(house, route):
    method, path, more = request(route, house.foreign)
    assert house.served.ask(method, path, house.served.key("admin", RIVAL), **more).status_code == 403


@pytest.mark.parametrize("route", MATRIX, ids=NAMES)
def test_nobody_is_let_in_without_a_key(house, route):
    method, path, more = request(route, house.own)
    for header in NO_KEYS:
        headers = {} if header is None else {"Authorization": header}
        response = house.served.ask(method, path, headers=headers, **more)
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == "Bearer"


def test_ids_in_bodies_and_queries_reach_no_other_tenant(house):
    key, foreign = house.served.key(), house.foreign
    for ids in (foreign, ABSENT):
        hold = house.served.ask("POST", "/v1/holds", key, json={"amount": "1 USD", "run_id": ids["run_id"]})
        assert hold.status_code == 404
        overrides = house.served.ask("GET", f"/v1/overrides?limit={ids['limit']}", key)
        assert overrides.status_code == 404
        kill = {"where": {"agent": "x"}, "why": "x", "incident_id": ids["incident_id"]}
        assert house.served.ask("POST", "/v1/kills", key, json=kill).status_code == 404
    audit = house.served.ask("GET", f"/v1/audit?object_type=limit&object_id={foreign['limit']}", key)
    assert audit.json()["items"] == []


@pytest.fixture
def bound_house(postgres_url):
    made = House(bound(postgres_url))
    yield made
    made.served.close()


@pytest.mark.parametrize("role", [Role.ADMIN, Role.AGENT])
def test_row_level_security_alone_keeps_the_tenants_apart(bound_house, monkeypatch, role):
    """The application asks for the other tenant; the transaction is bound to the one that calls."""
    key, really = bound_house.served.key(role, RIVAL), operation.bind_tenant
    monkeypatch.setattr(operation, "bind_tenant", lambda conn, _asked: really(conn, HOME))
    leaks = []
    for route in MATRIX:
        if role not in ROLES[route.policy] or route.policy in policy._HOME_ONLY:
            continue
        method, path, more = request(route, bound_house.foreign)
        response = bound_house.served.ask(method, path, key, **more)
        found = [value for name, value in bound_house.foreign.items() if name != "tenant_id" and value in path]
        seen = [
            value for name, value in bound_house.foreign.items()
            if name not in {"tenant_id", "email", "key_id"} and value in response.text
        ]  # fmt: skip
        if response.status_code < 300 and (seen or found):
            leaks.append((method, path, response.status_code, response.text[:200]))
    assert [leak for leak in leaks if "/v1/keys" not in leak[1] and "/v1/users" not in leak[1]] == []


def test_a_bound_role_that_says_no_tenant_sees_and_writes_nothing(postgres_url):
    url = bound(postgres_url).replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM limits").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("INSERT INTO tenant_policies VALUES ('acme', 1, false, now())")
        connection.rollback()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("TRUNCATE limits")
