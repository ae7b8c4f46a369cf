"""What a list costs the database: the same few statements for a page of one and of many, each along an index."""

import re

import pytest
from sqlalchemy import event, text

from comptroller.api.policy import Policy
from comptroller.api.table import ROUTES
from comptroller.database import create_engine
from served import Served
from tenants import ABSENT, furnish, request

LISTS = [route for route in ROUTES if route.paging and route.paging.place and route.policy is not Policy.HOME]
TABLES = ("incidents", "anomalies", "limit_breaches", "audit_entries", "runs", "api_keys", "users", "limits")


@pytest.fixture(scope="module")
def furnished(request, tmp_path_factory):
    server, template = (request.getfixturevalue(name) for name in ("postgres_server", "postgres_template"))
    url = server.create(like=template)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPTROLLER_PEPPERS", f"1:{'5e' * 32}")
        with Served(url) as served:
            ids = furnish(served, "acme")
            yield served, ids, url
    server.drop(url)


def statements_of(served, route, count):
    """Return the SELECT statements that one page needs."""
    seen = []

    def note(_conn, _cursor, statement, parameters, _context, _many):
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            seen.append((statement, parameters))

    engine = served.service.engine.sync_engine
    method, path, more = request(route, ABSENT)
    key = served.key()
    served.ask(method, path, key, **more)
    event.listen(engine, "before_cursor_execute", note)
    try:
        response = served.ask(method, f"{path}{'&' if '?' in path else '?'}count={count}", key, **more)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert response.status_code == 200, response.text
    return seen


@pytest.mark.parametrize("route", LISTS, ids=lambda route: route.path)
def test_a_page_of_many_takes_as_many_statements_as_a_page_of_one(furnished, route):
    served, _, _ = furnished
    one, many = statements_of(served, route, 1), statements_of(served, route, 500)
    assert len(many) <= len(one) + 2
    assert len(many) <= 8


@pytest.mark.parametrize("route", LISTS, ids=lambda route: route.path)
def test_no_page_reads_a_table_from_end_to_end(furnished, route):
    served, _, url = furnished
    engine = create_engine(url)
    try:
        with engine.connect() as conn:
            conn.execute(text("SET enable_seqscan = off"))  # the tables are small: ask whether there is another way
            for statement, parameters in statements_of(served, route, 50):
                if re.search(r"\bcomptroller_version\b|set_config|row_security", statement):
                    continue
                plan = "\n".join(row[0] for row in conn.exec_driver_sql(f"EXPLAIN {statement}", parameters))
                assert "Seq Scan" not in plan, plan
    finally:
        engine.dispose()
