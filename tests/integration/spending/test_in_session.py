from collections.abc import Iterator
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from comptroller.database import create_engine
from comptroller.errors import GovernanceError, LimitExceeded
from comptroller.face.library import Comptroller
from comptroller.types.caller import Caller


@pytest.fixture
def face(database_url: str) -> Iterator[Comptroller]:
    with Comptroller(create_engine(database_url), Caller("acme")) as face:
        face.limits.create("total", ceiling="5 USD")
        yield face


def count(face: Comptroller, table: str) -> int:
    with face.engine.connect() as conn:
        return int(conn.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_what_is_written_in_the_callers_transaction_is_durable_with_it(face: Comptroller):
    for is_kept in (False, True):
        with Session(face.engine) as session:
            inside = face.in_session(session)
            inside.charge("7 USD", user="ana", key="bill-1")
            inside.kill(where={"user": "bob"}, why="a lost key")
            limit = inside.limits.create("mine", ceiling="1 USD")
            inside.record_breach(limit.id, breach_type="BREACHED", value_at_breach=Decimal(2), limit_value=Decimal(1))
            if is_kept:
                session.commit()
        found = [count(face, table) for table in ("entries", "kill_switches", "limit_breaches", "limits")]
        assert found == ([1, 1, 2, 2] if is_kept else [0, 0, 0, 1])
    assert str(face.explain().standings[0].spent) == "7 USD"
    with pytest.raises(LimitExceeded, match="a lost key"):
        face.reserve("0 USD", user="bob")


def test_a_breach_that_cannot_be_recorded_cannot_be_committed_around(face: Comptroller):
    with Session(face.engine) as session:
        inside = face.in_session(session)
        inside.charge("1 USD")
        with pytest.raises(GovernanceError):
            inside.record_breach("absent", breach_type="BREACHED", value_at_breach=Decimal(2), limit_value=Decimal(1))
        with pytest.raises(GovernanceError):
            session.commit()
    assert count(face, "entries") == 0
