import asyncio
from collections.abc import Iterator

import pytest

from desks import Desk


@pytest.fixture(params=["sync", "async"])
def desk(request: pytest.FixtureRequest, database_url: str) -> Iterator[Desk]:
    with asyncio.Runner() as runner:
        desk = Desk(database_url, is_async=request.param == "async", runner=runner)
        yield desk
        desk.close()
