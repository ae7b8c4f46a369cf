"""Usage that happened elsewhere, over HTTP: priced, booked once, told when it passes a ceiling."""

import json

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

ROW = {
    "id": "chatcmpl-1",
    "model": "house-1",
    "input_tokens": 1_000_000,
    "output_tokens": 0,
    "dimensions": {"team": "a"},
}
PRICE = {"model": "house-1", "input_per_million": "2", "output_per_million": "4"}
TRACES = "/v1/otlp/v1/traces"


@pytest.fixture
def priced(served):
    key = served.key()
    assert served.ask("POST", "/v1/prices", key, json=PRICE).status_code == 201
    served.ask(
        "POST", "/v1/limits", key, json={"name": "cap", "ceiling": "3 USD", "every": "day", "where": {"team": "a"}}
    )
    return served


def spent(served, team="a"):
    standing = served.ask("POST", "/v1/explain", served.key(), json={"dimensions": {"team": team}}).json()
    return standing["standings"][0]["spent"]


def span(response_id="chatcmpl-1", tokens=1_000_000, model="house-1"):
    said = {"gen_ai.provider.name": "house", "gen_ai.response.model": model, "gen_ai.response.id": response_id}
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in said.items()]
    attributes += [
        {"key": "gen_ai.usage.input_tokens", "value": {"intValue": str(tokens)}},
        {"key": "comptroller.dimension.team", "value": {"stringValue": "a"}},
    ]
    return {"traceId": "0" * 31 + "1", "spanId": "0" * 15 + "1", "name": "chat", "attributes": attributes}


def export(*spans):
    return {"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}


def test_a_batch_is_priced_and_booked_once(priced):
    first, again = (
        priced.ask("POST", "/v1/usage", priced.key("operator"), json={"rows": [ROW]}).json() for _ in range(2)
    )
    assert first == {"booked": 1, "known": 0, "rejected": []}
    assert again == {"booked": 0, "known": 1, "rejected": []}
    assert spent(priced) == "2 USD"


def test_usage_past_the_ceiling_is_booked_and_its_breach_is_on_record(priced):
    rows = [ROW, ROW | {"id": "chatcmpl-2"}]
    assert priced.ask("POST", "/v1/usage", priced.key(), json={"rows": rows}).json()["booked"] == 2
    assert spent(priced) == "4 USD"
    assert len(priced.ask("GET", "/v1/breaches?limit=cap", priced.key()).json()["items"]) == 1


def test_usage_without_a_price_is_rejected_by_name_and_never_free(priced):
    report = priced.ask("POST", "/v1/usage", priced.key(), json={"rows": [ROW | {"model": "nobody-knows"}]}).json()
    assert report["booked"] == 0
    assert "nobody-knows has no price" in report["rejected"][0]["reason"]


def test_a_span_is_the_same_usage_as_the_row_of_its_response(priced):
    priced.ask("POST", "/v1/usage", priced.key(), json={"rows": [ROW]})
    response = priced.ask("POST", TRACES, priced.key(), json=export(span(), span("chatcmpl-2", 500_000)))
    assert (response.status_code, response.json()) == (200, {})
    assert spent(priced) == "3 USD"


def test_protobuf_is_the_same_as_json(priced):
    from google.protobuf import json_format

    body = json_format.Parse(json.dumps(export(span())), ExportTraceServiceRequest()).SerializeToString()
    headers = {"Content-Type": "application/x-protobuf"}
    for _ in range(2):
        response = priced.ask("POST", TRACES, priced.key(), content=body, headers=headers)
        assert (response.status_code, response.content) == (200, b"")
    assert spent(priced) == "2 USD"


def test_a_span_that_cannot_be_priced_is_a_partial_success(priced):
    answer = priced.ask("POST", TRACES, priced.key(), json=export(span(), span("x", model="nobody-knows"))).json()
    assert answer["partialSuccess"]["rejectedSpans"] == "1"
    assert spent(priced) == "2 USD"


def test_spans_without_usage_are_nobody_s_business(priced):
    assert priced.ask("POST", TRACES, priced.key(), json=export({"name": "SELECT"})).json() == {}


def test_a_log_event_counts_like_a_span(priced):
    record = {"attributes": span()["attributes"], "timeUnixNano": "1"}
    body = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    assert priced.ask("POST", "/v1/otlp/v1/logs", priced.key(), json=body).json() == {}
    assert spent(priced) == "2 USD"


@pytest.mark.parametrize("content", [b"\xff\xff\xff", b"{", b"[]", b'{"resourceSpans": 1}', b"[" * 100_000])
@pytest.mark.parametrize("media_type", ["application/json", "application/x-protobuf"])
def test_what_is_no_export_is_refused(served_on_sqlite, content, media_type):
    headers = {"Content-Type": media_type}
    response = served_on_sqlite.ask("POST", TRACES, served_on_sqlite.key(), content=content, headers=headers)
    assert response.status_code == 400, response.text
