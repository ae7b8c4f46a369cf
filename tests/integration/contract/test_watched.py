"""Whoever listens to statements sees all of ours; the way that is taken where nobody listens gives the same."""

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from comptroller.errors import GovernanceError
from contract_calls import OPENED, RECORDED, add_limit, counts, fail, open_incident, record_breach
from sessions import Governed

Listener = Callable[..., None]


def sync_engine(governed: Governed) -> Engine:
    return governed.engine.sync_engine if isinstance(governed.engine, AsyncEngine) else governed.engine


@contextmanager
def listening(target: Any, name: str, listener: Listener) -> Any:
    event.listen(target, name, listener)
    yield
    event.remove(target, name, listener)


@pytest.mark.parametrize("name", ["before_cursor_execute", "after_cursor_execute"])
def test_listener_sees_every_statement(governed: Governed, name: str):
    seen: list[str] = []

    def see(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    add_limit(governed)
    with listening(sync_engine(governed), name, see):
        open_incident(governed)
        record_breach(governed)
        governed.commit()
    for table in ("incidents", "incident_events", "limit_breaches", "outbox"):
        assert any(f"INSERT INTO {table}" in statement for statement in seen)
    assert counts(governed) == {key: OPENED[key] + RECORDED[key] for key in OPENED}


def test_listener_of_all_engines_sees_every_statement(governed: Governed):
    seen: list[str] = []

    def see(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    with listening(Engine, "after_cursor_execute", see):
        open_incident(governed)
        open_incident(governed)
        with pytest.raises(GovernanceError):
            fail(governed)
    assert any("INSERT INTO outbox" in statement for statement in seen)


def test_handler_of_errors_is_told(own_database: None, governed: Governed):
    told: list[BaseException] = []
    governed.execute("DROP TABLE outbox")
    governed.commit()

    def hear(context: Any) -> None:
        told.append(context.original_exception)

    with listening(sync_engine(governed), "handle_error", hear), pytest.raises(GovernanceError) as caught:
        open_incident(governed)
    assert isinstance(caught.value.__cause__, DBAPIError)
    assert told == [caught.value.__cause__.orig]


def test_missing_limit_is_told_also_to_the_watched(governed: Governed):
    with (
        listening(sync_engine(governed), "after_cursor_execute", lambda *_: None),
        pytest.raises(GovernanceError, match="limit 'limit-1' does not exist"),
    ):
        record_breach(governed)
