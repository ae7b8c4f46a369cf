"""Take notices out of the outbox and bring them to their receivers; any number of relays may be at it."""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Engine

from comptroller import metrics
from comptroller.peppers import Peppers
from comptroller.spine.orchestrator import notices
from comptroller.types.caller import Caller
from comptroller.types.notices import Attempt, Claim
from comptroller.worker.sending.senders import send_all

SENDERS: Final = 8  # a slow receiver holds one of them
CHANNEL_SECONDS: Final = 5.0  # after so long a channel lets others have its sender
DISPATCH_ROUNDS: Final = 20  # batches of one tenant before the next one has its turn

Work = Callable[[], None]


class Relay:
    """Brings notices to their receivers.

    Args:
        engine: A sync engine.
        peppers: What opens the sealed targets.
        public_url: Where people reach the dashboard, for links.
        guarded: Runs a piece of work and reports what it raises.
    """

    def __init__(
        self, engine: Engine, peppers: Peppers, *, public_url: str | None, guarded: Callable[[str, Work], None]
    ) -> None:
        self._engine, self._peppers, self._public_url = engine, peppers, public_url
        self._guarded = guarded
        self._pool = ThreadPoolExecutor(SENDERS, thread_name_prefix="comptroller-send")
        self._in_flight: dict[tuple[str, str], Future[None]] = {}
        self._stopping = threading.Event()
        self._is_known = False

    def round(self, tenants: list[str]) -> int:
        """Dispatch what is in the outbox and begin to send what is due; returns how much there was."""
        done = sum(self._dispatch(Caller(tenant, "worker")) for tenant in tenants)
        if done and not self._is_known:
            notices.analyze_if_new.run(self._engine, Caller(tenants[0], "worker"))
            self._is_known = True
        self._in_flight = {key: future for key, future in self._in_flight.items() if not future.done()}
        for tenant in tenants:
            caller = Caller(tenant, "worker")
            for channel_id in notices.channels_with_due.run(self._engine, caller):
                if (tenant, channel_id) not in self._in_flight:
                    done += 1
                    work = self._pool.submit(self._guarded, "deliver", self._sending(caller, channel_id))
                    self._in_flight[tenant, channel_id] = work
        return done

    def wait(self) -> None:
        """Wait until what is being sent has been sent."""
        for future in self._in_flight.values():
            future.result()

    def close(self) -> None:
        """Send what is claimed, and no more."""
        self._stopping.set()
        self._pool.shutdown(wait=True)

    def _dispatch(self, caller: Caller) -> int:
        done = 0
        for _ in range(DISPATCH_ROUNDS):
            taken = notices.dispatch.run(self._engine, caller, public_url=self._public_url)
            metrics.comptroller_notices_dispatched_total.inc(taken)
            done += taken
            if taken < notices.DISPATCH_MAX:
                break
        return done

    def _sending(self, caller: Caller, channel_id: str) -> Work:
        def work() -> None:
            end = time.monotonic() + CHANNEL_SECONDS
            while not self._stopping.is_set() and time.monotonic() < end:
                claimed = notices.claim.run(self._engine, caller, channel_id, self._peppers)
                if claimed is None:
                    return
                self._send(caller, claimed)

        return work

    def _send(self, caller: Caller, claimed: Claim) -> None:
        attempts = send_all(claimed)
        luck = [random.random() for _ in attempts]  # noqa: S311 — spreads retries, hides nothing
        dead = notices.settle.run(self._engine, caller, claimed, attempts, luck)
        _count(claimed, attempts, dead)


def _count(claimed: Claim, attempts: list[Attempt], dead: int) -> None:
    now = datetime.now(UTC)
    outcomes = metrics.comptroller_deliveries_total
    for message, attempt in zip(claimed.messages, attempts, strict=True):
        if attempt.was_tried and attempt.error is None:
            outcomes.labels("sent").inc()
            metrics.comptroller_delivery_age_seconds.observe((now - message.created_at).total_seconds())
        elif attempt.was_tried:
            outcomes.labels("failed").inc()
    outcomes.labels("dead").inc(dead)
