from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from sessions import Governed, SessionKind, bare_engine, governed_session

CREATE = "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT NOT NULL)"
INSERT = "INSERT INTO notes (id, body) VALUES (1, 'kept')"
COUNT = "SELECT count(*) FROM notes"


@pytest.fixture
def noted(session_kind: SessionKind, empty_database_url: str) -> Iterator[Governed]:
    engine = bare_engine(empty_database_url, is_async=session_kind.is_async)
    with governed_session(session_kind, engine, empty_database_url) as session:
        session.execute(CREATE)
        session.commit()
        yield session


def count_by_twin(session: Session, *, least: int) -> int:
    return len(session.execute(text("SELECT 1 FROM notes WHERE id >= :least"), {"least": least}).all())


async def count_by_async_twin(session: AsyncSession, *, least: int) -> int:
    # SQLModel's AsyncSession warns against its own `execute`.
    rows = await AsyncSession.execute(session, text("SELECT 1 FROM notes WHERE id >= :least"), {"least": least})
    return len(rows.all())


def test_only_what_is_committed_is_seen_by_a_stranger(noted: Governed):
    noted.execute(INSERT)
    assert (noted.scalar(COUNT), noted.committed(COUNT)) == (1, [(0,)])
    noted.commit()
    assert noted.committed(COUNT) == [(1,)]


def test_rollback_takes_the_row_back(noted: Governed):
    noted.execute(INSERT)
    noted.rollback()
    assert noted.scalar(COUNT) == 0


def test_connection_commit_keeps_the_row(noted: Governed):
    noted.execute(INSERT)
    noted.commit_connection()
    noted.close()
    assert noted.committed(COUNT) == [(1,)]


def test_call_takes_the_twin_that_fits_the_session(noted: Governed):
    noted.execute(INSERT)
    assert noted.call(count_by_twin, count_by_async_twin, least=1) == 1


def test_a_failing_block_under_a_savepoint_leaves_the_rest(noted: Governed):
    noted.execute(INSERT)
    with pytest.raises(DBAPIError), noted.savepoint():
        noted.execute("INSERT INTO notes (id, body) VALUES (2, 'taken back'), (1, 'a duplicate')")
    assert noted.scalar(COUNT) == 1


def test_another_session_does_not_see_what_is_pending(noted: Governed):
    other = noted.another()
    noted.execute(INSERT)
    assert other.scalar(COUNT) == 0


def test_guarded_engine_stands_on_the_migrated_schema(governed: Governed):
    assert governed.scalar("SELECT count(*) FROM incidents") == 0


def test_bare_engine_stands_on_the_migrated_schema(plain_governed: Governed):
    assert plain_governed.scalar("SELECT count(*) FROM incidents") == 0
