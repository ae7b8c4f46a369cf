"""The public face over SQLite and PostgreSQL, sync and async."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import bills
from commands import SERVICES, Command
from faces import Face

FACES = [
    pytest.param(("sqlite", False), id="sqlite-sync"),
    pytest.param(("sqlite", True), id="sqlite-async"),
    pytest.param(("postgresql", False), id="postgresql-sync"),
    pytest.param(("postgresql", True), id="postgresql-async"),
]


def _face(request: pytest.FixtureRequest) -> Iterator[Face]:
    database, is_async = request.param
    url = str(request.getfixturevalue("sqlite_url" if database == "sqlite" else "postgres_url"))
    with asyncio.Runner() as runner:
        opened = Face(url, is_async=is_async, runner=runner)
        yield opened
        opened.close()


@pytest.fixture(params=FACES)
def every_face(request: pytest.FixtureRequest) -> Iterator[Face]:
    """Give the library sync and async, on both databases."""
    yield from _face(request)


@pytest.fixture(params=[FACES[0], FACES[3]])
def face(request: pytest.FixtureRequest) -> Iterator[Face]:
    """Give the library sync on SQLite and async on PostgreSQL."""
    yield from _face(request)


@pytest.fixture(params=[FACES[0]])
def lite(request: pytest.FixtureRequest) -> Iterator[Face]:
    """Give the library sync on SQLite, where the database cannot matter."""
    yield from _face(request)


@pytest.fixture
def bill(tmp_path: Path) -> Callable[..., Path]:
    """Write a FOCUS file: ``bill("name.csv", rows)``."""
    return lambda name, content: bills.write(tmp_path / name, content)


@pytest.fixture
def command(sqlite_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run command lines on an SQLite database of the test's own."""
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("COMPTROLLER_DATABASE", "COMPTROLLER_TENANT"):
        monkeypatch.delenv(name, raising=False)
    return Command(sqlite_url, capsys)


@pytest.fixture
def spiked_bill(tmp_path: Path) -> Path:
    """Give a bill with one burst."""
    return bills.write(tmp_path / "bill.csv", bills.rows(SERVICES))
