from collections.abc import Iterator
from typing import Any

import pytest

from comptroller.database import create_engine
from comptroller.peppers import Peppers
from comptroller.spine.orchestrator import notices
from comptroller.types.caller import Caller
from comptroller.types.notices import NewChannel
from comptroller.worker.sending.senders import send_all
from desks import TurnedClock
from receivers import Hook, Post, mail_receiver, webhook_receiver

PEPPERS = Peppers((("1", b"p" * 32),))


class Office:
    """A tenant whose notices are relayed: operations by name, with a clock that tests turn."""

    def __init__(self, url: str) -> None:
        self.url, self.peppers = url, PEPPERS
        self.engine = create_engine(url)
        self.clock = TurnedClock()
        self.caller = Caller("acme", "ana", self.clock)

    def __call__(self, use_case: Any, *args: Any, **kwargs: Any) -> Any:
        return use_case.run(self.engine, self.caller, *args, **kwargs)

    def channel(self, name: str, target: str, **rules: Any) -> NewChannel:
        return self(notices.add_channel, PEPPERS, name, target, allows_private=True, **rules)

    def relay(self) -> None:
        """Dispatch and send until nothing is due by the tests' clock."""
        while self(notices.dispatch):
            pass
        while self.send_due():
            pass

    def send_due(self) -> int:
        """Send one batch of each channel and return how many messages there were."""
        done = 0
        for channel_id in self(notices.channels_with_due):
            claimed = self(notices.claim, channel_id, PEPPERS)
            if claimed is not None:
                attempts = send_all(claimed)
                self(notices.settle, claimed, attempts, [0.5] * len(attempts))
                done += len(attempts)
        return done


@pytest.fixture
def office(database_url: str) -> Iterator[Office]:
    made = Office(database_url)
    yield made
    made.engine.dispose()


@pytest.fixture
def hook() -> Iterator[Hook]:
    with webhook_receiver() as made:
        yield made


@pytest.fixture
def post() -> Iterator[Post]:
    with mail_receiver() as made:
        yield made
