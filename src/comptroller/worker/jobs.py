"""What is done in the background besides delivery, and how often."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine

from comptroller.errors import ComptrollerError, GovernanceError
from comptroller.ids import uuid7
from comptroller.spine.orchestrator import anomalies, background, ingestion, notices, runs, spend
from comptroller.types.background import Source
from comptroller.types.caller import Caller
from comptroller.types.costs import DeliveryOutcome
from comptroller.worker.pulling import local_copy

KEEP: Final = timedelta(days=400)
BATCHES_MAX: Final = 100  # of a sweep in one run of its job; the next run goes on

Body = Callable[[Engine, Caller], None]


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of job.

    Args:
        every: How long after its end it is due again.
        lease: How long a worker may take before another takes it up.
        after_costs: Whether it is also due when costs were delivered.
    """

    name: str
    body: Body
    every: timedelta
    lease: timedelta
    after_costs: bool = False


def sweep(engine: Engine, caller: Caller) -> None:
    """End holds whose life is over and runs that nobody hears of."""
    for _ in range(BATCHES_MAX):
        if spend.expire_holds.run(engine, caller, spend.PolicyBook()) < spend.EXPIRED_MAX:
            break
    for _ in range(BATCHES_MAX):
        if runs.end_lost_runs.run(engine, caller, spend.PolicyBook()) < runs.PAGE_MAX:
            break


def detect(engine: Engine, caller: Caller) -> None:
    """Judge what was spent and open incidents."""
    anomalies.detect.run(engine, caller)


def repeat(engine: Engine, caller: Caller) -> None:
    """Tell again the incidents that nobody has acknowledged."""
    for _ in range(BATCHES_MAX):
        if notices.repeat_unacknowledged.run(engine, caller) < notices.DISPATCH_MAX:
            break


def pull(engine: Engine, caller: Caller) -> None:
    """Pull the sources that are due; what one cannot give does not keep the others from being pulled.

    Raises:
        InvalidInputError: If one could not be pulled; it names the first.
    """
    failed: ComptrollerError | None = None
    for source in background.list_sources.run(engine, caller):
        name = f"pull:{source.name}"
        if background.claim_job.run(engine, caller, name, _WORKER, lease=timedelta(hours=1)):
            error = _pull_one(engine, caller, source, name)
            failed = failed or error
    if failed is not None:
        raise failed


def _pull_one(engine: Engine, caller: Caller, source: Source, name: str) -> ComptrollerError | None:
    begun = caller.now()
    error: ComptrollerError | None = None
    is_news = False
    try:
        with local_copy(source) as path:
            report = ingestion.ingest.run(engine, caller, path, source=source.name, format=source.format)
        is_news = any(one.outcome is not DeliveryOutcome.UNCHANGED for one in report.deliveries)
    except ComptrollerError as caught:
        error = caught
    told = None if error is None else str(error)
    background.settle_pull.run(engine, caller, source, is_news=is_news, error=told)
    due_at = caller.now() + timedelta(seconds=source.every_seconds)
    background.finish_job.run(engine, caller, name, _WORKER, took=caller.now() - begun, error=told, due_at=due_at)
    return error


def retain(engine: Engine, caller: Caller) -> None:
    """Remove told notices and deliveries that are older than what is kept, in bounded batches."""
    for _ in range(BATCHES_MAX):
        if background.remove_old.run(engine, caller, keep=KEEP) == 0:
            break


_WORKER: Final = f"puller:{uuid7()}"
_MINUTE: Final = timedelta(minutes=1)
WORKS: Final = (
    Work("sweep", sweep, timedelta(seconds=5), _MINUTE),
    Work("detect", detect, timedelta(hours=6), timedelta(hours=1), after_costs=True),
    Work("repeat", repeat, timedelta(seconds=30), _MINUTE),
    Work("pull", pull, _MINUTE, timedelta(hours=1)),
    Work("retain", retain, timedelta(hours=1), timedelta(minutes=10)),
)


def run_if_due(engine: Engine, caller: Caller, work: Work, worker: str) -> bool:
    """Run a job of a tenant if it is due and nobody is at it; tells whether it ran.

    Raises:
        ComptrollerError: What the job raised, once it is written down.
        GovernanceError: Likewise.
    """
    claim = background.claim_detection if work.after_costs else background.claim_job
    if not claim.run(engine, caller, work.name, worker, lease=work.lease):
        return False
    begun = caller.now()
    failure: ComptrollerError | GovernanceError | None = None
    try:
        work.body(engine, caller)
    except (ComptrollerError, GovernanceError) as error:
        failure = error
    _finish(engine, caller, work, worker, begun=begun, failure=failure)
    if failure is not None:
        raise failure
    return True


def _finish(
    engine: Engine, caller: Caller, work: Work, worker: str, *, begun: datetime, failure: Exception | None
) -> None:  # fmt: skip
    now = caller.now()
    told = None if failure is None else f"{type(failure).__name__}: {failure}"
    background.finish_job.run(
        engine, caller, work.name, worker, took=now - begun, error=told, due_at=now + work.every
    )  # fmt: skip
