"""Govern an HTTP client that calls a model: each attempt is held, then settled from the answer's usage.

The provider is played by a mock transport, so that the example needs no key. With a real SDK, give it the client:
``openai.OpenAI(http_client=httpx2.Client(transport=governed_transport(httpx2, run)))``.
"""

import uuid

import httpx2

import comptroller
from comptroller.integrations.transport import governed_transport


def provider(_request: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(200, json={"usage": {"prompt_tokens": 900, "completion_tokens": 100}})


with comptroller.open(tenant=f"example-{uuid.uuid4().hex[:8]}") as ct:
    ct.limits.create("daily", ceiling="0.01 USD", every="day")
    with ct.run(agent="writer") as run:
        transport = governed_transport(httpx2, run, httpx2.MockTransport(provider))
        with httpx2.Client(transport=transport, base_url="https://api.openai.com/v1") as client:
            for _ in range(4):
                ask = {"model": "gpt-4o", "max_tokens": 200, "messages": [{"role": "user", "content": "hello"}]}
                answer = client.post("/chat/completions", json=ask)
                print(answer.status_code, ct.explain().standings[0].left, "left")
