"""Model calls through a client's transport: held before they are sent, settled from their answer, refused at once."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from comptroller.database import create_engine
from comptroller.errors import LimitExceeded
from comptroller.face.library import Comptroller
from comptroller.integrations.transport import governed_transport
from comptroller.types.caller import Caller

URL = "https://api.openai.com/v1/chat/completions"
ASK = {"model": "gpt-4o", "max_tokens": 100, "messages": [{"role": "user", "content": "hello"}]}
USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 400}}
Answer = Callable[[httpx2.Request], httpx2.Response]


@pytest.fixture
def face(sqlite_url: str) -> Iterator[Comptroller]:
    with Comptroller(create_engine(sqlite_url), Caller("acme")) as face:
        face.limits.create("total", ceiling="1 USD")
        yield face


def ask(face: Comptroller, answer: Answer, body: dict[str, Any] | None = None, url: str = URL) -> httpx2.Response:
    with face.run(agent="tester") as run:
        transport = governed_transport(httpx2, run, httpx2.MockTransport(answer))
        with httpx2.Client(transport=transport) as client:
            return client.post(url, json=ASK if body is None else body)


def spent(face: Comptroller) -> tuple[str, str]:
    (standing,) = face.explain().standings
    return str(standing.spent), str(standing.held)


def test_a_call_is_settled_from_the_usage_of_its_answer(face: Comptroller):
    assert ask(face, lambda _: httpx2.Response(200, json={"usage": USAGE})).status_code == 200
    # 600 input at 2.50, 400 cached at 1.25, 100 output at 10 USD for a million.
    assert spent(face) == ("0.003 USD", "0 USD")


def test_a_call_is_held_before_it_is_sent(face: Comptroller):
    seen = []

    def answer(_: httpx2.Request) -> httpx2.Response:
        seen.append(spent(face)[1])
        return httpx2.Response(200, json={"usage": USAGE})

    ask(face, answer)
    assert seen != ["0 USD"]


def test_a_refusal_is_402_after_no_attempt_and_tells_not_to_try_again(face: Comptroller):
    attempts = []
    response = ask(
        face, lambda request: attempts.append(request) or httpx2.Response(200), ASK | {"max_tokens": 200_000}
    )
    assert attempts == []
    assert (response.status_code, response.headers["x-should-retry"]) == (402, "false")
    assert response.json()["error"]["type"] == "limit_exceeded"
    assert spent(face) == ("0 USD", "0 USD")


def test_a_model_without_a_price_is_refused(face: Comptroller):
    response = ask(face, lambda _: httpx2.Response(200), ASK | {"model": "no-such-model"}, "https://llm.example/v1/x")
    assert response.status_code == 402
    assert "has no price" in response.json()["error"]["message"]


def test_what_the_provider_refused_costs_nothing_and_what_it_broke_costs_the_hold(face: Comptroller):
    ask(face, lambda _: httpx2.Response(429))
    assert spent(face) == ("0 USD", "0 USD")
    ask(face, lambda _: httpx2.Response(500))
    assert spent(face)[0] != "0 USD"
    assert spent(face)[1] == "0 USD"


def test_an_answer_without_usage_costs_the_hold(face: Comptroller):
    ask(face, lambda _: httpx2.Response(200, text="no JSON"))
    assert spent(face)[0] != "0 USD"


@pytest.mark.parametrize(("failure", "is_free"), [(httpx2.ConnectError, True), (httpx2.ReadTimeout, False)])
def test_only_a_call_that_never_left_is_free(face: Comptroller, failure: type[Exception], is_free: bool):
    def answer(_: httpx2.Request) -> httpx2.Response:
        raise failure("as if")

    with pytest.raises(failure):
        ask(face, answer)
    assert (spent(face)[0] == "0 USD") is is_free
    assert spent(face)[1] == "0 USD"


def events(*said: dict[str, Any]) -> bytes:
    return b"".join(f"data: {json.dumps(each)}\n\n".encode() for each in said) + b"data: [DONE]\n\n"


def test_a_stream_is_settled_by_what_its_events_say_together(face: Comptroller):
    body = events(
        {"type": "message_start", "message": {"usage": {"input_tokens": 600, "cache_read_input_tokens": 400}}},
        {"type": "content_block_delta"},
        {"type": "message_delta", "usage": {"output_tokens": 100}},
    )
    headers = {"content-type": "text/event-stream; charset=utf-8"}
    response = ask(face, lambda _: httpx2.Response(200, headers=headers, content=body))
    assert response.content == body
    assert spent(face) == ("0.003 USD", "0 USD")


def test_a_stream_that_is_cut_off_costs_the_hold(face: Comptroller):
    headers = {"content-type": "text/event-stream"}

    def chunks() -> Iterator[bytes]:
        yield b'data: {"choices": []}\n\n'
        yield events({"usage": USAGE})

    with face.run() as run:
        inner = httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, content=chunks()))
        with (
            httpx2.Client(transport=governed_transport(httpx2, run, inner)) as client,
            client.stream("POST", URL, json=ASK | {"stream": True}) as response,
        ):
            next(response.iter_raw())
    assert spent(face)[0] not in {"0 USD", "0.003 USD"}
    assert spent(face)[1] == "0 USD"


def test_what_is_no_model_call_passes(face: Comptroller):
    assert ask(face, lambda _: httpx2.Response(204), {"name": "a file"}).status_code == 204
    assert face.runs.list()
    with pytest.raises(LimitExceeded):
        face.reserve("2 USD")
