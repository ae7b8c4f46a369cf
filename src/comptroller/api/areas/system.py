"""What tells whether the server lives, and what it does."""

from typing import Any, Final

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest, multiprocess, values

from comptroller.api.call import Call
from comptroller.api.incoming import Reply
from comptroller.api.policy import Policy
from comptroller.api.route import Route
from comptroller.spine.orchestrator.readiness import require_schema


class Health(msgspec.Struct):
    """That it answers."""

    status: str


async def healthz(_call: Call) -> Any:
    """Tell that the process lives; asks no database."""
    return {"status": "ok"}


async def readyz(call: Call) -> Any:
    """Tell that the database answers and has the schema that this version needs."""
    await require_schema.run_async(call.service.engine, call.service.server)
    return {"status": "ok"}


async def metrics(_call: Call) -> Any:
    """Return the counters of all processes of this server in Prometheus' text format."""
    if values.ValueClass is values.MutexValue:
        return Reply(200, generate_latest(), CONTENT_TYPE_LATEST)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library has no types for it
    return Reply(200, generate_latest(registry), CONTENT_TYPE_LATEST)


ROUTES: Final = (
    Route(method="GET", path="/healthz", policy=Policy.PUBLIC, handler=healthz, answer=Health),
    Route(method="GET", path="/readyz", policy=Policy.PUBLIC, handler=readyz, answer=Health),
    Route(method="GET", path="/metrics", policy=Policy.WATCH, handler=metrics, answer=str),
)  # fmt: skip
