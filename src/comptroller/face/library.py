"""``comptroller.open`` and ``open_async``: the library in a caller's process, and inside the caller's transaction."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from comptroller import database, settings
from comptroller.clock import utc_now
from comptroller.errors import InvalidInputError
from comptroller.face.areas import (
    AnomalyVerbs,
    AuditVerbs,
    BreachVerbs,
    CostVerbs,
    IncidentVerbs,
    OwnerVerbs,
    PriceVerbs,
)
from comptroller.face.binding import AsyncPlace, SessionPlace, SyncPlace
from comptroller.face.limits import LimitVerbs
from comptroller.face.runs import KillVerbs, RunVerbs
from comptroller.face.spend import AsyncSpending, SeeVerbs, SessionSpending, Spending
from comptroller.types.caller import Caller

Clock = Callable[[], datetime]


class Costs(CostVerbs, SyncPlace):
    """Cost files in."""


class Breaches(BreachVerbs, SyncPlace):
    """Refusals and crossings."""


class Audit(AuditVerbs, SyncPlace):
    """Who changed what."""


class AsyncBreaches(BreachVerbs, AsyncPlace):
    """Refusals and crossings, as coroutines."""


class AsyncAudit(AuditVerbs, AsyncPlace):
    """Who changed what, as coroutines."""


class Owners(OwnerVerbs, SyncPlace):
    """Who owns what."""


class Prices(PriceVerbs, SyncPlace):
    """What tokens cost."""


class Anomalies(AnomalyVerbs, SyncPlace):
    """Cost against a baseline."""


class Incidents(IncidentVerbs, SyncPlace):
    """What people act on."""


class Limits(LimitVerbs, SyncPlace):
    """Rules with a ceiling."""


class Runs(RunVerbs, SyncPlace):
    """What is running."""


class AsyncRuns(RunVerbs, AsyncPlace):
    """What is running, as coroutines."""


class AsyncCosts(CostVerbs, AsyncPlace):
    """Cost files in, as coroutines."""


class AsyncOwners(OwnerVerbs, AsyncPlace):
    """Who owns what, as coroutines."""


class AsyncPrices(PriceVerbs, AsyncPlace):
    """What tokens cost, as coroutines."""


class AsyncAnomalies(AnomalyVerbs, AsyncPlace):
    """Cost against a baseline, as coroutines."""


class AsyncIncidents(IncidentVerbs, AsyncPlace):
    """What people act on, as coroutines."""


class AsyncLimits(LimitVerbs, AsyncPlace):
    """Rules with a ceiling, as coroutines."""


class SessionIncidents(IncidentVerbs, SessionPlace):
    """What people act on, inside the caller's transaction."""


class SessionAnomalies(AnomalyVerbs, SessionPlace):
    """Cost against a baseline, inside the caller's transaction; ``detect`` owns its own."""


class SessionLimits(LimitVerbs, SessionPlace):
    """Rules with a ceiling, inside the caller's transaction."""


class InSession(SessionSpending):
    """Writes with the caller's own session: flushes, never commits."""

    def __init__(self, session: Session, caller: Caller) -> None:
        super().__init__(session, caller)
        self.limits = SessionLimits(session, caller)
        self.incidents = SessionIncidents(session, caller)
        self.anomalies = SessionAnomalies(session, caller)


class Comptroller(Spending, KillVerbs, SeeVerbs):
    """Governance for one tenant over one database; close it, or use it as a context manager.

    Attributes:
        limits: Rules with a ceiling.
        runs: What is running.
        costs: Cost files in.
        anomalies: What is abnormal.
        incidents: What people act on.
        prices: What tokens cost.
        owners: Who owns what.
        breaches: Refusals and crossings.
        audit: Who changed what.
    """

    def __init__(self, engine: Engine, caller: Caller) -> None:
        super().__init__(engine, caller)
        self.runs = Runs(engine, caller)
        self.limits = Limits(engine, caller)
        self.costs = Costs(engine, caller)
        self.anomalies = Anomalies(engine, caller)
        self.incidents = Incidents(engine, caller)
        self.prices = Prices(engine, caller)
        self.owners = Owners(engine, caller)
        self.breaches = Breaches(engine, caller)
        self.audit = Audit(engine, caller)

    def in_session(self, session: Session) -> InSession:
        """Return limits, incidents and anomalies that write inside the caller's own transaction."""
        return InSession(session, self.caller)

    def close(self) -> None:
        """Close the connections."""
        self.stop_watching()
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncComptroller(AsyncSpending, KillVerbs, SeeVerbs):
    """The same names as ``Comptroller``, as coroutines."""

    def __init__(self, engine: AsyncEngine, caller: Caller) -> None:
        super().__init__(engine, caller)
        self.runs = AsyncRuns(engine, caller)
        self.limits = AsyncLimits(engine, caller)
        self.costs = AsyncCosts(engine, caller)
        self.anomalies = AsyncAnomalies(engine, caller)
        self.incidents = AsyncIncidents(engine, caller)
        self.prices = AsyncPrices(engine, caller)
        self.owners = AsyncOwners(engine, caller)
        self.breaches = AsyncBreaches(engine, caller)
        self.audit = AsyncAudit(engine, caller)

    async def close(self) -> None:
        """Close the connections."""
        await self.stop_watching()
        await self.engine.dispose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def open_sync(
    url: str | None = None, *, tenant: str | None = None, actor: str = "local", clock: Clock = utc_now
) -> Comptroller:
    """Open comptroller over a database.

    Args:
        url: ``postgresql+psycopg://…``, ``sqlite:///FILE`` or a file's path; ``COMPTROLLER_DATABASE`` or
            ``./comptroller.db`` unless given. A new SQLite file gets its schema here; on PostgreSQL it comes from
            ``comptroller db upgrade``.
        tenant: Who pays; ``COMPTROLLER_TENANT`` or ``default`` unless given.
        actor: Who acts, as the audit names them.
        clock: Returns the present instant; tests bring their own.

    Raises:
        SchemaBehindError: If the schema is not the one that this version needs.
        InvalidInputError: If the URL or the tenant is not acceptable.
    """
    caller = Caller(settings.tenant() if tenant is None else tenant, actor, clock)
    engine = _engine(settings.database() if url is None else url)
    with ExitStack() as unless_opened:
        unless_opened.callback(engine.dispose)
        with database.reported(engine.url):
            _prepare_schema(engine)
        unless_opened.pop_all()
    return Comptroller(engine, caller)


def open_async(
    url: str | None = None, *, tenant: str | None = None, actor: str = "local", clock: Clock = utc_now
) -> AsyncComptroller:
    """Open comptroller for asyncio; the arguments and errors are those of ``open``."""
    target = settings.database() if url is None else url
    if database.database_url(target).database in {None, "", ":memory:"} and _is_sqlite(target):
        raise InvalidInputError("an SQLite database in memory cannot be shared with asyncio: give a file")
    with open_sync(target, tenant=tenant, actor=actor, clock=clock) as opened:
        caller = opened.caller
    return AsyncComptroller(database.create_async_engine(target), caller)


def _is_sqlite(url: str) -> bool:
    return database.database_url(url).get_backend_name() == "sqlite"


def _engine(url: str) -> Engine:
    parsed = database.database_url(url)
    if not _is_sqlite(url):
        return database.create_engine(parsed)
    if parsed.database in {None, "", ":memory:"}:
        return database.create_engine(parsed, poolclass=StaticPool)
    if database.is_uri(parsed):
        return database.create_engine(parsed)
    folder = Path(str(parsed.database)).expanduser().resolve().parent
    if not folder.is_dir():
        raise InvalidInputError(f"the folder {folder} of the database does not exist: make it first")
    return database.create_engine(parsed)


def _prepare_schema(engine: Engine) -> None:
    with engine.connect() as conn:
        is_new = engine.dialect.name == "sqlite" and not database.has_tables(conn)
        if not is_new:
            database.require_head(conn)
    if is_new:
        with engine.connect() as conn:
            database.upgrade_connection(conn)
