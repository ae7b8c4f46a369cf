"""Start the server's processes: prepare the database, name the first admin's link, serve until told to stop."""

import os
import tempfile
from dataclasses import dataclass
from typing import Final

from comptroller import database, settings
from comptroller.api.pace import per_second
from comptroller.api.service import sqlite_file
from comptroller.errors import InvalidInputError
from comptroller.face.library import open_sync
from comptroller.isolation import is_bound
from comptroller.peppers import load_peppers
from comptroller.spine.orchestrator import access

DRAIN_SECONDS: Final = 30  # longer than a request may take in the database
PROCESSES_MAX: Final = 64
_METRICS_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A database that is ready to be served.

    Attributes:
        url: The database's URL.
        token: The one-time token by which the first admin sets a password; None once somebody has one.
        is_unbound: Whether PostgreSQL's row-level security does not bind the role: one wall instead of two.
    """

    url: str
    token: str | None
    is_unbound: bool


def prepare(url: str | None = None, *, home: str | None = None) -> Prepared:
    """Check the database, make what a first start needs, and fail here rather than in every process.

    Raises:
        InvalidInputError: If a setting is missing or not acceptable.
        SchemaBehindError: If the schema is not the one that this version needs.
    """
    target = url or settings.database()
    load_peppers(sqlite_file(database.database_url(target)))
    per_second()
    with open_sync(target, tenant=home, actor="server") as ct:
        token = access.prepare_home.run(ct.engine, ct.caller)
        with ct.engine.connect() as conn:
            is_unbound = conn.dialect.name == "postgresql" and not is_bound(conn)
    return Prepared(target, token, is_unbound)


def serve(prepared: Prepared, *, host: str, port: int, processes: int) -> None:
    """Serve until SIGTERM or SIGINT; what is in flight then is answered.

    Raises:
        InvalidInputError: If several processes are asked for on SQLite, or too many.
    """
    if not 1 <= processes <= PROCESSES_MAX:
        raise InvalidInputError(f"processes must be between 1 and {PROCESSES_MAX}: {processes}")
    if processes > 1 and sqlite_file(database.database_url(prepared.url)) is not None:
        raise InvalidInputError("SQLite has one writer: serve it with one process, or use PostgreSQL")
    from granian.constants import Interfaces, Loops  # noqa: PLC0415 — heavy, needed by one verb
    from granian.server import Server  # noqa: PLC0415 — heavy, needed by one verb

    os.environ["COMPTROLLER_DATABASE"] = prepared.url
    if processes > 1 and _METRICS_VARIABLE not in os.environ:
        os.environ[_METRICS_VARIABLE] = tempfile.mkdtemp(prefix="comptroller-metrics-")
    Server(
        "comptroller.web.serving:create",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        loop=Loops.uvloop,
        workers=processes,
        websockets=False,
        backlog=1024,
        workers_kill_timeout=DRAIN_SECONDS,
        respawn_failed_workers=True,
        log_access=False,
    ).serve()
