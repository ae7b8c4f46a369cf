import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text

from comptroller.database import create_engine
from desks import TurnedClock, opened

Rows = Callable[..., list[Any]]


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture(params=["sync", "async"])
def is_async(request: pytest.FixtureRequest) -> bool:
    return request.param == "async"


@pytest.fixture
def ct(*, is_async: bool, database_url: str, clock: TurnedClock) -> Iterator[Any]:
    """The library's face: threads and coroutines, SQLite and PostgreSQL, under a clock that the test turns."""
    with asyncio.Runner() as runner:
        face = opened(database_url, runner, is_async=is_async, clock=clock)
        yield face
        face.close()


@pytest.fixture
def rows(database_url: str) -> Iterator[Rows]:
    """Reads what is committed."""
    engine = create_engine(database_url)

    def read(statement: str, **parameters: Any) -> list[Any]:
        with engine.connect() as connection:
            return list(connection.execute(text(statement), parameters).all())

    yield read
    engine.dispose()
