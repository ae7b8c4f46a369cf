from collections.abc import Iterator

import pytest

from sites import SiteServed


@pytest.fixture(autouse=True)
def peppers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPTROLLER_PEPPERS", f"1:{'5e' * 32}")


@pytest.fixture
def site(database_url: str) -> Iterator[SiteServed]:
    with SiteServed(database_url) as one:
        yield one


@pytest.fixture
def lite_site(sqlite_url: str) -> Iterator[SiteServed]:
    with SiteServed(sqlite_url) as one:
        yield one
