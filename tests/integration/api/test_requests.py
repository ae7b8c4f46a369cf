# ruff: noqa: E501 — a case reads best on one line
import asyncio

import pytest

LIMIT = {"name": "cap", "ceiling": "5 USD", "every": "day"}


def problem(response, status, name):
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] == f"urn:comptroller:problem:{name}"
    assert response.json()["status"] == status
    return response.json()


def test_a_hold_is_admitted_settled_and_counted(served):
    key = served.key()
    served.ask("POST", "/v1/limits", key, json=LIMIT)
    hold = served.ask("POST", "/v1/holds", served.key("agent"), json={"amount": "2 USD", "dimensions": {"team": "a"}})
    assert hold.status_code == 201
    settled = served.ask("POST", f"/v1/holds/{hold.json()['id']}/settle", key, json={"amount": "1.5 USD"})
    assert settled.json() | {"id": ""} == {
        "id": "", "kind": "settle", "amount": "1.5 USD", "requests": 1, "tokens": 0, "is_estimated": False
    }  # fmt: skip
    refused = problem(served.ask("POST", "/v1/holds", key, json={"amount": "4 USD"}), 402, "limit-exceeded")
    assert refused["over"][0]["left"] == "3.5 USD"
    assert refused["breach_id"]


def test_a_repeated_settlement_changes_nothing_and_another_amount_contradicts(served):
    key = served.key()
    hold = served.ask("POST", "/v1/holds", key, json={"amount": "2 USD"}).json()["id"]
    first, again = (served.ask("POST", f"/v1/holds/{hold}/settle", key, json={"amount": "1 USD"}) for _ in range(2))
    assert first.json() == again.json()
    problem(served.ask("POST", f"/v1/holds/{hold}/settle", key, json={"amount": "2 USD"}), 409, "conflict")
    problem(served.ask("POST", f"/v1/holds/{hold}/release", key), 409, "conflict")


def test_a_repeated_reserve_under_its_key_is_the_same_hold(served):
    key, headers = served.key(), {"Idempotency-Key": "call-1"}
    first, again = (served.ask("POST", "/v1/holds", key, json={"amount": "2 USD"}, headers=headers) for _ in range(2))
    assert first.json()["id"] == again.json()["id"]
    problem(served.ask("POST", "/v1/holds", key, json={"amount": "3 USD"}, headers=headers), 409, "conflict")


def test_a_hold_is_extended_and_released(served):
    key = served.key("agent")
    hold = served.ask("POST", "/v1/holds", key, json={"amount": "2 USD", "seconds": 5, "unsent": True}).json()["id"]
    assert served.ask("POST", f"/v1/holds/{hold}/extend", key, json={"seconds": 60, "sent": True}).status_code == 204
    assert served.ask("POST", f"/v1/holds/{hold}/release", key).json()["kind"] == "release"


def test_a_run_lives_under_its_own_limit_and_a_kill(served):
    agent, key = served.key("agent"), served.key()
    run = served.ask(
        "POST", "/v1/runs", agent, json={"dimensions": {"agent": "c"}, "limits": {"cost": "1 USD"}}
    ).json()["id"]
    assert served.ask("POST", "/v1/holds", agent, json={"amount": "0.5 USD", "run_id": run}).status_code == 201
    over = served.ask("POST", "/v1/holds", agent, json={"amount": "0.6 USD", "run_id": run})
    assert problem(over, 409, "run-halted")["reason"] == "limit_exhausted"
    assert served.ask("POST", f"/v1/runs/{run}/heartbeat", agent).json() == {"reason": None, "why": ""}
    served.ask("POST", "/v1/kills", key, json={"where": {"agent": "c"}, "why": "burning"})
    assert served.ask("POST", f"/v1/runs/{run}/heartbeat", agent).json()["reason"] == "killed"
    killed = served.ask("POST", "/v1/holds", agent, json={"amount": "0.1 USD", "run_id": run})
    assert problem(killed, 409, "run-halted")["run_id"] == run
    served.ask("POST", "/v1/kills/lift", key, json={"where": {"agent": "c"}})
    ended = served.ask("POST", f"/v1/runs/{run}/end", agent, json={"state": "completed", "iterations": 3})
    assert (ended.json()["state"], ended.json()["iterations"]) == ("completed", 3)


def test_a_keyed_change_is_made_once_and_answered_the_same(served):
    key, headers = served.key(), {"Idempotency-Key": "k"}
    first, again = (served.ask("POST", "/v1/limits", key, json=LIMIT, headers=headers) for _ in range(2))
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    other = served.ask("POST", "/v1/limits", key, json=LIMIT | {"name": "other"}, headers=headers)
    problem(other, 409, "key-reused")
    problem(served.ask("POST", "/v1/limits", key, json=LIMIT), 409, "conflict")


def test_pages_hold_every_item_once(served):
    key = served.key()
    for number in range(5):
        served.ask("POST", "/v1/limits", key, json=LIMIT | {"name": f"cap-{number}"})
    names, cursor = [], None
    while True:
        query = {"count": 2} | ({"cursor": cursor} if cursor else {})
        page = served.ask("GET", "/v1/limits", key, params=query).json()
        names += [one["name"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert names == [f"cap-{number}" for number in range(5)]


@pytest.mark.parametrize("cursor", ["x", "YzE", "!!!", "Zm9v", "YzHDKA"])
def test_a_cursor_that_is_not_ours_is_refused(served_on_sqlite, cursor):
    response = served_on_sqlite.ask("GET", "/v1/incidents", served_on_sqlite.key(), params={"cursor": cursor})
    problem(response, 400, "invalid-cursor")


BAD_BODIES = [
    b"", b"{", b"[]", b"null", b'{"name":1}', b'{"name":"a","ceiling":5,"every":"day"}', b'{"name":"a\\u0000","ceiling":"5 USD"}',
    b'{"name":"a","ceiling":"5 USD","nope":1}', b'{"name":"a","ceiling":"NaN USD"}', b'{"name":"a","ceiling":"1e9 USD"}',
    b'{"name":"a","ceiling":"5 USD","every":"eon"}', b'{"name":"\\ud800","ceiling":"5 USD"}', b"\xff\xfe", b"[" * 100_000,
]  # fmt: skip


@pytest.mark.parametrize("body", BAD_BODIES, ids=range(len(BAD_BODIES)))
def test_a_body_that_is_not_acceptable_is_refused_with_the_place(served_on_sqlite, body):
    headers = {"Content-Type": "application/json"}
    response = served_on_sqlite.ask("POST", "/v1/limits", served_on_sqlite.key(), content=body, headers=headers)
    problem(response, 400, "invalid-input")


BAD_QUERIES = [
    "count=0",
    "count=501",
    "count=x",
    "nope=1",
    "count=1&count=2",
    "status=%ff",
    "cursor=%00",
    "a" * 9000,
    "=&=",
    "&" * 40,
]


@pytest.mark.parametrize("query", BAD_QUERIES)
def test_a_query_that_is_not_acceptable_is_refused(served_on_sqlite, query):
    response = served_on_sqlite.ask("GET", f"/v1/incidents?{query}", served_on_sqlite.key())
    assert response.status_code == 400


def test_a_body_of_another_type_is_refused(served_on_sqlite):
    headers = {"Content-Type": "text/plain"}
    response = served_on_sqlite.ask("POST", "/v1/limits", served_on_sqlite.key(), content=b"{}", headers=headers)
    problem(response, 415, "media-type")


def test_a_body_past_its_bound_is_refused_declared_or_not(served_on_sqlite):
    key, headers = served_on_sqlite.key(), {"Content-Type": "application/json"}
    big = b" " * (1024 * 1024 + 1)
    problem(served_on_sqlite.ask("POST", "/v1/limits", key, content=big, headers=headers), 413, "too-large")

    async def parts():
        for _ in range(20):
            yield b" " * 65_536

    problem(served_on_sqlite.ask("POST", "/v1/limits", key, content=parts(), headers=headers), 413, "too-large")


def test_paths_and_methods_that_do_not_exist_are_problems(served_on_sqlite):
    key = served_on_sqlite.key()
    problem(served_on_sqlite.ask("GET", "/v1/nothing", key), 404, "not-found")
    response = served_on_sqlite.ask("PUT", "/v1/limits", key)
    problem(response, 405, "method-not-allowed")
    assert "POST" in response.headers["allow"]


def test_every_reply_forbids_caching_sniffing_and_framing(served_on_sqlite):
    headers = served_on_sqlite.ask("GET", "/v1/limits", served_on_sqlite.key()).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_it_is_ready_once_the_schema_is_there(served):
    assert served.ask("GET", "/readyz").json() == {"status": "ok"}


def test_the_price_list_is_loaded_once_by_many_who_ask_first(served):
    key = served.key()

    async def ask_all():
        headers = {"Authorization": f"Bearer {key}"}
        return await asyncio.gather(*(served._client.get("/v1/prices?count=1", headers=headers) for _ in range(8)))

    assert {response.status_code for response in served.await_(ask_all())} == {200}
