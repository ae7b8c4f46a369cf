"""The worker's outer loop: it goes on whatever a job raises, and says so."""

import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import structlog
from sqlalchemy import Engine

from comptroller import metrics
from comptroller.ids import uuid7
from comptroller.peppers import Peppers
from comptroller.spine.orchestrator import access, background, notices
from comptroller.types.caller import Caller
from comptroller.worker.jobs import WORKS, Work, run_if_due
from comptroller.worker.relay import Relay

IDLE_SECONDS: Final = 1.0
TENANTS_SECONDS: Final = 10.0  # how long a new tenant may wait to be known
_logger = structlog.get_logger("comptroller.worker")


class Worker:
    """Does the work in the background until it is told to stop; any number of copies may run.

    Args:
        engine: A sync engine of its own.
        peppers: What opens the sealed targets of channels.
        public_url: Where people reach the dashboard, for links in notices.
    """

    def __init__(self, engine: Engine, peppers: Peppers, *, public_url: str | None = None) -> None:
        self.name = f"{socket.gethostname()}:{uuid7()[-12:]}"
        self._engine = engine
        self._stopping = threading.Event()
        self._relay = Relay(engine, peppers, public_url=public_url, guarded=self.guarded)
        self._tenants: list[str] = []
        self._tenants_at = float("-inf")
        self._looked: dict[tuple[str, str], float] = {}

    def run(self) -> None:
        """Work until ``stop`` is called; what is being sent then is sent and written down."""
        _logger.info("worker_started", worker=self.name)
        while not self._stopping.is_set():
            if not self.turn():
                self._stopping.wait(IDLE_SECONDS)
        self._relay.close()
        _logger.info("worker_stopped", worker=self.name)

    def stop(self) -> None:
        """Have ``run`` return soon."""
        self._stopping.set()

    def turn(self) -> bool:
        """Look once at everything; tells whether there was something to do."""
        self.guarded("tenants", self._learn_tenants)
        found: list[int] = []
        self.guarded("deliver", lambda: found.append(self._relay.round(self._tenants)))
        for tenant in self._tenants:
            for work in WORKS:
                if self._stopping.is_set():
                    return False
                self.guarded(work.name, self._job(Caller(tenant, "worker"), work))
        self.guarded("age", self._measure)
        return any(found)

    def drain(self) -> None:
        """Look until nothing is left to send; for tests and one-off runs."""
        while self.turn():
            self._relay.wait()
        self._relay.wait()

    def guarded(self, job: str, work: Callable[[], None]) -> None:
        """Run a piece of work; what it raises is counted and logged, and the loop goes on."""
        try:
            work()
        except Exception as error:
            metrics.comptroller_job_runs_total.labels(job, "failed").inc()
            _logger.exception("job_failed", job=job, worker=self.name, error=type(error).__name__)

    def _job(self, caller: Caller, work: Work) -> Callable[[], None]:
        def run() -> None:
            key = (caller.tenant, work.name)
            pause = min(work.every.total_seconds(), TENANTS_SECONDS)
            if time.monotonic() - self._looked.get(key, float("-inf")) < pause:
                return
            self._looked[key] = time.monotonic()
            if run_if_due(self._engine, caller, work, self.name):
                metrics.comptroller_job_runs_total.labels(work.name, "done").inc()
                metrics.comptroller_job_success_timestamp_seconds.labels(work.name).set(time.time())

        return run

    def _learn_tenants(self) -> None:
        if time.monotonic() - self._tenants_at < TENANTS_SECONDS:
            return
        self._tenants = background.tenants_at_work.run(self._engine, Caller(access.NOBODY.tenant, "worker"))
        self._tenants_at = time.monotonic()

    def _measure(self) -> None:
        ages = [notices.oldest_waiting.run(self._engine, Caller(tenant, "worker")) for tenant in self._tenants]
        oldest = min((age for age in ages if age is not None), default=None)
        now = datetime.now(UTC)
        metrics.comptroller_oldest_notice_seconds.set(0 if oldest is None else (now - oldest).total_seconds())
