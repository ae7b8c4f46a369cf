"""Real statements of real sessions on PostgreSQL, one at a time, in an order that a seed decides.

Every worker stops before each of its statements and before its commit. The seed picks who goes on; a worker that waits
for a lock of another's is seen in ``pg_stat_activity`` and left waiting while the others are served.
"""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg
from sqlalchemy import Engine, NullPool, event

from comptroller.database import create_engine
from postgres_keeper import native

PATIENCE_SECONDS = 30.0
Body = Callable[[Engine], Any]


@dataclass(eq=False)
class Worker:
    """One session: its thread, where it stands, and what it returned."""

    name: str
    engine: Engine
    go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    stopped: threading.Event = field(default_factory=threading.Event)
    is_over: bool = False
    pid: int = 0
    result: Any = None
    error: BaseException | None = None


class Interleaver:
    """Runs bodies against one database in a seeded order of their statements.

    Args:
        url: A PostgreSQL database.
        seed: The same seed gives the same order.
    """

    def __init__(self, url: str, seed: int) -> None:
        self.url = url
        self.order: list[str] = []
        self._random = random.Random(seed)  # noqa: S311 — an order, not a secret
        self._commits: list[str] = []

    def run(self, **bodies: Body) -> dict[str, Any]:
        """Run every body to its end and return what each returned; an error of one is raised."""
        workers = [self._worker(name) for name in bodies]
        threads = [
            threading.Thread(target=self._work, args=(worker, bodies[worker.name]), daemon=True) for worker in workers
        ]
        for thread in threads:
            thread.start()
        with psycopg.connect(native(self.url), autocommit=True) as watcher:
            self._schedule(workers, watcher)
        for thread, worker in zip(threads, workers, strict=True):
            thread.join(PATIENCE_SECONDS)
            worker.engine.dispose()
            if worker.error is not None:
                raise worker.error
        return {worker.name: worker.result for worker in workers}

    @property
    def commits(self) -> list[str]:
        """Return the workers in the order in which they committed."""
        return self._commits

    def _worker(self, name: str) -> Worker:
        worker = Worker(name, create_engine(self.url, poolclass=NullPool))

        def before_statement(conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
            worker.pid = conn.connection.driver_connection.info.backend_pid
            self._stop(worker, statement.split(maxsplit=1)[0])

        event.listen(worker.engine, "before_cursor_execute", before_statement)
        event.listen(worker.engine, "commit", lambda _: self._before_commit(worker))
        return worker

    def _before_commit(self, worker: Worker) -> None:
        self._stop(worker, "COMMIT")
        self._commits.append(worker.name)

    def _stop(self, worker: Worker, what: str) -> None:
        self.order.append(f"{worker.name}:{what}")
        worker.stopped.set()
        if not worker.go.acquire(timeout=PATIENCE_SECONDS):
            raise TimeoutError(f"nobody let {worker.name} go on")

    def _work(self, worker: Worker, body: Body) -> None:
        try:
            worker.result = body(worker.engine)
        except BaseException as error:  # noqa: BLE001 — told by the main thread
            worker.error = error
        worker.is_over = True
        worker.stopped.set()

    def _schedule(self, workers: list[Worker], watcher: psycopg.Connection[Any]) -> None:
        for worker in workers:
            worker.stopped.wait(PATIENCE_SECONDS)
        running: list[Worker] = []
        while not all(worker.is_over for worker in workers):
            ready = [worker for worker in workers if worker.stopped.is_set() and not worker.is_over]
            if ready:
                chosen = self._random.choice(ready)
                chosen.stopped.clear()
                chosen.go.release()
                running.append(chosen)
            self._settle(running, watcher)
            running = [worker for worker in running if not worker.stopped.is_set()]

    def _settle(self, running: list[Worker], watcher: psycopg.Connection[Any]) -> None:
        """Wait until each running worker has stopped again, or waits for a lock."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while moving := [worker for worker in running if not worker.stopped.wait(0.002)]:
            waiting = watcher.execute(
                "SELECT pid FROM pg_stat_activity WHERE pid = ANY (%s) AND cardinality(pg_blocking_pids(pid)) > 0",
                [[worker.pid for worker in moving]],
            ).fetchall()
            if {pid for (pid,) in waiting} == {worker.pid for worker in moving}:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"stuck after {self.order[-5:]}")
