"""The real SDKs, offline: what they send is held, what they get is settled, a refusal costs them one attempt."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from comptroller.database import create_async_engine, create_engine
from comptroller.face.library import AsyncComptroller, Comptroller
from comptroller.integrations.async_transport import governed_async_transport
from comptroller.integrations.transport import governed_transport
from comptroller.runtime.run import Run
from comptroller.types.caller import Caller

ASK = {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 100}
OPENAI_ANSWER = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
}
CLAUDE = "claude-haiku-4-5"
ANTHROPIC_ANSWER = {
    "id": "m1",
    "type": "message",
    "role": "assistant",
    "model": CLAUDE,
    "content": [{"type": "text", "text": "hi"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1000, "output_tokens": 100},
}


class Provider:
    """Plays the provider and counts what reaches it."""

    def __init__(self, answer: dict[str, Any], status: int = 200) -> None:
        self.answer, self.status, self.attempts = answer, status, 0

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.attempts += 1
        if json.loads(request.content).get("stream"):
            event = {**self.answer, "object": "chat.completion.chunk", "choices": []}
            body = f"data: {json.dumps(event)}\n\ndata: [DONE]\n\n"
            return httpx2.Response(200, headers={"content-type": "text/event-stream"}, text=body)
        return httpx2.Response(self.status, json=self.answer)


@pytest.fixture
def face(sqlite_url: str) -> Iterator[Comptroller]:
    with Comptroller(create_engine(sqlite_url), Caller("acme")) as face:
        face.limits.create("total", ceiling="0.02 USD")
        yield face


def client(run: Run, provider: Provider) -> httpx2.Client:
    return httpx2.Client(transport=governed_transport(httpx2, run, httpx2.MockTransport(provider)))


def spent(face: Comptroller) -> tuple[str, str]:
    (standing,) = face.explain().standings
    return str(standing.spent), str(standing.held)


def test_openai_is_settled_by_its_answer_and_refused_after_no_attempt(face: Comptroller):
    provider = Provider(OPENAI_ANSWER)
    with face.run(agent="writer") as run, openai.OpenAI(api_key="k", http_client=client(run, provider)) as sdk:
        assert sdk.chat.completions.create(model="gpt-4o", **ASK).choices[0].message.content == "hi"
        assert spent(face) == ("0.0035 USD", "0 USD")
        with pytest.raises(openai.APIStatusError) as refused:
            sdk.chat.completions.create(model="gpt-4o", **ASK | {"max_tokens": 5000})
    assert (refused.value.status_code, provider.attempts) == (402, 1)
    assert refused.value.body["type"] == "limit_exceeded"


def test_openai_streams_are_settled_by_their_last_event(face: Comptroller):
    provider = Provider(OPENAI_ANSWER)
    with face.run() as run, openai.OpenAI(api_key="k", http_client=client(run, provider)) as sdk:
        list(sdk.chat.completions.create(model="gpt-4o", stream=True, stream_options={"include_usage": True}, **ASK))
    assert spent(face) == ("0.0035 USD", "0 USD")


def test_each_retry_of_an_sdk_is_held_and_costs_what_it_held(face: Comptroller):
    provider = Provider({"error": {"message": "broken"}}, status=500)
    with (
        face.run() as run,
        openai.OpenAI(api_key="k", http_client=client(run, provider), max_retries=2) as sdk,
        pytest.raises(openai.InternalServerError),
    ):
        sdk.chat.completions.create(model="gpt-4o", **ASK)
    assert provider.attempts == 3
    assert spent(face)[1] == "0 USD"
    assert float(spent(face)[0].split()[0]) > 0


def test_anthropic_is_settled_by_its_answer_and_refused_after_no_attempt(face: Comptroller):
    provider = Provider(ANTHROPIC_ANSWER)
    with face.run() as run, anthropic.Anthropic(api_key="k", http_client=client(run, provider)) as sdk:
        assert sdk.messages.create(model=CLAUDE, **ASK).content[0].text == "hi"
        assert spent(face) == ("0.0015 USD", "0 USD")  # 1,000 at 1 and 100 at 5 USD for a million
        with pytest.raises(anthropic.APIStatusError) as refused:
            sdk.messages.create(model=CLAUDE, **ASK | {"max_tokens": 5000})
    assert (refused.value.status_code, provider.attempts) == (402, 1)


@pytest.mark.parametrize("stream", [False, True])
def test_async_sdks_are_governed_alike(face: Comptroller, sqlite_url: str, stream: bool):
    provider = Provider(OPENAI_ANSWER)

    async def main() -> None:
        async with AsyncComptroller(create_async_engine(sqlite_url), Caller("acme")) as ct, ct.run() as run:
            inner = httpx2.MockTransport(provider)
            http = httpx2.AsyncClient(transport=governed_async_transport(httpx2, run, inner))
            async with openai.AsyncOpenAI(api_key="k", http_client=http) as sdk:
                answer: Any = await sdk.chat.completions.create(model="gpt-4o", stream=stream, **ASK)
                if stream:
                    assert [event async for event in answer]
                with pytest.raises(openai.APIStatusError) as refused:
                    await sdk.chat.completions.create(model="gpt-4o", **ASK | {"max_tokens": 5000})
                assert (refused.value.status_code, provider.attempts) == (402, 1)

    asyncio.run(main())
    assert spent(face) == ("0.0035 USD", "0 USD")
