from datetime import UTC, datetime, timedelta

import pytest

from comptroller.database import create_engine
from comptroller.enums import Role
from comptroller.peppers import Peppers
from comptroller.spine.orchestrator import access
from comptroller.types.access import Principal
from comptroller.types.caller import Caller

PEPPERS = Peppers((("2", b"b" * 32), ("1", b"a" * 32)))
OLD_PEPPERS = Peppers((("1", b"a" * 32),))
ADMIN = Principal("acme", "user:ana", Role.ADMIN)


class Door:
    """Access to one database, at an instant that a test moves."""

    def __init__(self, engine):
        self.engine = engine
        self.now = datetime(2026, 11, 24, 12, tzinfo=UTC)
        self.caller = Caller("acme", "user:ana", lambda: self.now)
        self.nobody = Caller("(none)", "server", lambda: self.now)

    def do(self, use_case, /, *args, **kwargs):
        return use_case.run(self.engine, self.caller, *args, **kwargs)

    def make_key(self, role="admin", giver=ADMIN, peppers=PEPPERS, **kwargs):
        return self.do(access.create_key, giver, peppers, name="k", role=role, **kwargs)

    def who(self, secret):
        return access.authenticate_key.run(self.engine, self.nobody, access.key_digests(secret, PEPPERS))

    def log_in(self, password, email="admin", address="10.0.0.1"):
        return access.log_in.run(self.engine, self.nobody, email, password, address=address)

    def session(self, secret):
        return access.authenticate_session.run(self.engine, self.nobody, secret)

    def later(self, **kwargs):
        self.now += timedelta(**kwargs)


@pytest.fixture
def door(database_url):
    engine = create_engine(database_url)
    door = Door(engine)
    door.token = door.do(access.prepare_home)
    yield door
    engine.dispose()
