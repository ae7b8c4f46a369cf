"""Sessions on engines of ours and of the caller's: two kinds stand for all four."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncEngine

from comptroller import database
from sessions import Governed, SessionKind, bare_engine, governed_session

TWO_KINDS = [SessionKind.SQLALCHEMY, SessionKind.SQLMODEL_ASYNC]


@pytest.fixture(params=TWO_KINDS)
def session_kind(request: pytest.FixtureRequest) -> SessionKind:
    return SessionKind(request.param)


@pytest.fixture(params=["ours", "the-callers"])
def engine(request: pytest.FixtureRequest, session_kind: SessionKind, database_url: str) -> Engine | AsyncEngine:
    if request.param == "the-callers":
        return bare_engine(database_url, is_async=session_kind.is_async)
    maker = database.create_async_engine if session_kind.is_async else database.create_engine
    return maker(database_url)


@pytest.fixture
def governed(session_kind: SessionKind, engine: Engine | AsyncEngine, database_url: str) -> Iterator[Governed]:
    with governed_session(session_kind, engine, database_url) as session:
        yield session


@pytest.fixture
def second_engine(session_kind: SessionKind, sqlite_template: Path, tmp_path: Path) -> Iterator[Engine]:
    """Give the sync engine of another database; its file has no governed tables."""
    url = f"sqlite:///{tmp_path / 'second.db'}"
    engine = bare_engine(url, is_async=session_kind.is_async)
    sync_engine = engine.sync_engine if isinstance(engine, AsyncEngine) else engine
    yield sync_engine
    with asyncio.Runner() as runner:
        if isinstance(engine, AsyncEngine):
            runner.run(engine.dispose())
        else:
            engine.dispose()
