"""Fixtures over real databases: SQLite files and a PostgreSQL server, both with the migrated schema.

A test that asks for ``governed`` runs eight times: four kinds of session on two databases.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from postgres import PostgresServer
    from sessions import Governed, SessionKind

# The same examples everywhere, so that a red run is red again; `thorough` looks further, by hand.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, max_examples=50, print_blob=True)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=2_000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

RUN_FOLDER = pytest.StashKey[Path]()
DATABASES = ["sqlite", "postgresql"]
SESSION_KINDS = ["session", "sqlmodel", "async-session", "sqlmodel-async"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a person leave PostgreSQL out, by name."""
    parser.addoption("--no-postgres", action="store_true", help="skip the tests that need PostgreSQL")


def pytest_configure(config: pytest.Config) -> None:
    """Give all processes of one run one folder."""
    from postgres import run_folder

    given = getattr(config, "workerinput", {}).get("run_folder")
    config.stash[RUN_FOLDER] = Path(given) if given else run_folder()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where the run's folder is."""
    node.workerinput["run_folder"] = str(node.config.stash[RUN_FOLDER])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the run's folder, unless a keeper owns it, which does so itself."""
    folder = config.stash.get(RUN_FOLDER, None)
    if folder is not None and not hasattr(config, "workerinput") and not (folder / "state.json").exists():
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> Iterator["PostgresServer"]:
    """Give the run's PostgreSQL server; it fails, and does not skip, where there is none."""
    from postgres import PostgresServer

    if request.config.getoption("--no-postgres"):
        pytest.skip("left out by --no-postgres")
    with closing(PostgresServer(request.config.stash[RUN_FOLDER])) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres_server: "PostgresServer") -> str:
    """Give the name of the migrated database that the others are copied from."""
    return postgres_server.migrated_template()


@pytest.fixture
def postgres_url(postgres_server: "PostgresServer", postgres_template: str) -> Iterator[str]:
    """Give a PostgreSQL database of the test's own, with the migrated schema."""
    url = postgres_server.create(like=postgres_template)
    yield url
    postgres_server.drop(url)


@pytest.fixture
def empty_postgres_url(postgres_server: "PostgresServer") -> Iterator[str]:
    """Give a PostgreSQL database of the test's own, without tables."""
    url = postgres_server.create()
    yield url
    postgres_server.drop(url)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the migrated file that the others are copied from."""
    from comptroller.database import upgrade

    file = tmp_path_factory.mktemp("template") / "template.db"
    upgrade(f"sqlite:///{file}")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """Give an SQLite file of the test's own, with the migrated schema."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'comptroller.db')}"


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    """Name an SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'empty.db'}"


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest) -> str:
    """Give a migrated database of the test's own, SQLite and PostgreSQL in turn."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))


@pytest.fixture(params=DATABASES)
def empty_database_url(request: pytest.FixtureRequest) -> str:
    """Give a database without tables, SQLite and PostgreSQL in turn."""
    return str(request.getfixturevalue("empty_sqlite_url" if request.param == "sqlite" else "empty_postgres_url"))


@pytest.fixture(params=SESSION_KINDS)
def session_kind(request: pytest.FixtureRequest) -> "SessionKind":
    """Give each kind of session in turn."""
    from sessions import SessionKind

    return SessionKind(request.param)


@pytest.fixture
def governed(session_kind: "SessionKind", database_url: str) -> Iterator["Governed"]:
    """Give a session on an engine of comptroller's own, every kind on both databases."""
    from comptroller.database import create_async_engine, create_engine
    from sessions import governed_session

    engine = create_async_engine(database_url) if session_kind.is_async else create_engine(database_url)
    with governed_session(session_kind, engine, database_url) as session:
        yield session


@pytest.fixture
def plain_governed(session_kind: "SessionKind", database_url: str) -> Iterator["Governed"]:
    """Give a session on an engine that an application made by itself, every kind on both databases."""
    from sessions import bare_engine, governed_session

    engine = bare_engine(database_url, is_async=session_kind.is_async)
    with governed_session(session_kind, engine, database_url) as session:
        yield session


@pytest.fixture
def plain_engine(database_url: str) -> Iterator["Engine"]:
    """Give a sync engine that an application made by itself."""
    from sqlalchemy import create_engine

    engine = create_engine(database_url)
    yield engine
    engine.dispose()
