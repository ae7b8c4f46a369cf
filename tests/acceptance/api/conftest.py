import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from comptroller.client.http import Connection
from comptroller.client.remote import Remote
from comptroller.database import create_engine
from desks import TurnedClock
from served import Served

Rows = Callable[..., list[Any]]


class Wire(httpx2.BaseTransport):
    """Carries a client's requests to a server in this process."""

    def __init__(self, served: Served) -> None:
        self._served = served

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = self._served.ask(
            request.method, str(request.url.raw_path, "ascii"), content=request.read(), headers=dict(request.headers)
        )
        return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)


@pytest.fixture(autouse=True)
def peppers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPTROLLER_PEPPERS", f"1:{'5e' * 32}")


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def is_async() -> bool:
    return False


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as one:
        yield one


@pytest.fixture
def ct(database_url: str, clock: TurnedClock) -> Iterator[Remote]:
    """The client over HTTP, on the database that the embedded face's tests use."""
    with Served(database_url, clock=clock) as served:
        connection = Connection("http://testserver", served.key(), Wire(served))
        engine = create_engine(database_url)
        with engine.begin() as conn:
            conn.execute(text("DELETE FROM audit_entries"))  # how the client was let in is no part of these tests
        engine.dispose()
        yield Remote(connection)


@pytest.fixture
def rows(database_url: str) -> Iterator[Rows]:
    engine = create_engine(database_url)

    def read(statement: str, **parameters: Any) -> list[Any]:
        with engine.connect() as connection:
            return list(connection.execute(text(statement), parameters).all())

    yield read
    engine.dispose()
