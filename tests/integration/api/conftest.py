import pytest

from served import Served


@pytest.fixture(autouse=True)
def peppers(monkeypatch):
    monkeypatch.setenv("COMPTROLLER_PEPPERS", f"1:{'5e' * 32}")


@pytest.fixture
def served(database_url):
    with Served(database_url) as one:
        yield one


@pytest.fixture
def served_on_sqlite(sqlite_url):
    with Served(sqlite_url) as one:
        yield one
