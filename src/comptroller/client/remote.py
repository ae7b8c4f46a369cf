"""``comptroller.connect``: the library's names, answered by a server."""

from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from comptroller.api.call import sealed_cursor
from comptroller.api.route import PAGE_MAX, Route
from comptroller.api.table import BY_USE_CASE, ROUTES
from comptroller.api.wire import from_wire
from comptroller.client.doors import RemoteDoors, RemoteRun
from comptroller.client.http import Connection
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
from comptroller.face.binding import RemotePlace
from comptroller.face.limits import LimitVerbs
from comptroller.face.runs import KillVerbs, RunVerbs
from comptroller.face.spend import SeeVerbs, charge_of
from comptroller.runtime.amounts import Spend, reserve_amounts
from comptroller.runtime.progress import DEFAULT_LIFE_SECONDS, hold_id, outside_scope
from comptroller.runtime.run import Hold
from comptroller.types.costs import IngestReport
from comptroller.types.runs import RunLimits
from comptroller.types.sight import Explanation
from comptroller.types.spend import Ended, Reserve

_NAMED: Final = {route.name: route for route in ROUTES}


class Place(RemotePlace):
    """Asks one server."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def call(self, use_case: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Have a use case run at the server and return its answer."""
        route = BY_USE_CASE.get(use_case)
        if route is None:
            raise InvalidInputError(f"{use_case.__name__} is not offered over HTTP: open the database itself")
        bound = use_case.__signature__.bind(*args, **kwargs)
        said = {name: value for name, value in bound.arguments.items() if value is not None}
        path = {name: str(said.pop(name)) for name in route.parameters}
        if route.paging is not None:
            bound.apply_defaults()
            return self._pages(route, path, said, bound.arguments)
        query, body = (None, said) if route.body is not None else (_texts(said), None)
        return from_wire_or_none(route.answer, self._connection.ask(route, path, query=query, body=body))

    def _pages(self, route: Route, path: dict[str, str], said: dict[str, Any], all_said: dict[str, Any]) -> list[Any]:
        paging = route.paging
        assert paging is not None  # noqa: S101 — asked by the caller
        left = said.pop(paging.size, None) or (all_said.get(paging.size) if paging.place is not None else None)
        start = said.pop(paging.argument, None) if paging.place is not None else None
        cursor = None if start is None else sealed_cursor(start)
        items: list[Any] = []
        while left is None or len(items) < left:
            count = PAGE_MAX if left is None else min(PAGE_MAX, left - len(items))
            query = {**_texts(said), "count": str(count), **({} if cursor is None else {"cursor": cursor})}
            page = self._connection.ask(route, path, query=query)
            items += [from_wire(route.answer, item) for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        return items


class RemoteCosts(CostVerbs, Place):
    """Cost files in."""

    def ingest(self, *paths: str | Path, column_map: dict[str, str] | None = None, **said: Any) -> IngestReport:  # type: ignore[override]  # a file at a time
        """Send one cost file; the arguments are those of the library's ``ingest``."""
        if len(paths) != 1 or not Path(paths[0]).is_file():
            raise InvalidInputError("over HTTP cost files are sent one by one: give one file")
        said.pop("progress", None)
        query = _texts({"name": Path(paths[0]).name, **{k: v for k, v in said.items() if v is not None}})
        if column_map:
            query["map"] = ",".join(f"{name}={column}" for name, column in column_map.items())
        with Path(paths[0]).open("rb") as file:
            answer = self._connection.ask(_NAMED["upload_costs"], {}, query=query, file=file)
        report: IngestReport = from_wire(IngestReport, answer)
        return report


class RemoteOwners(OwnerVerbs, Place):
    """Who owns what."""

    def apply(self, path: str | Path) -> int:
        """Replace the rules by a file's."""
        with Path(path).open("rb") as file:
            answer = self._connection.ask(_NAMED["apply_owners"], {}, query={"name": Path(path).name}, file=file)
        return int(answer["rules"])


class RemoteLimits(LimitVerbs, Place):
    """Rules with a ceiling."""


class RemoteAnomalies(AnomalyVerbs, Place):
    """Cost against a baseline."""


class RemoteIncidents(IncidentVerbs, Place):
    """What people act on."""


class RemotePrices(PriceVerbs, Place):
    """What tokens cost."""


class RemoteRuns(RunVerbs, Place):
    """What is running."""


class RemoteBreaches(BreachVerbs, Place):
    """Refusals and crossings."""


class RemoteAudit(AuditVerbs, Place):
    """Who changed what."""


class Remote(KillVerbs, SeeVerbs, Place):
    """Governance by a server; close it, or use it as a context manager."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._doors = RemoteDoors(connection)
        self.limits = RemoteLimits(connection)
        self.runs = RemoteRuns(connection)
        self.costs = RemoteCosts(connection)
        self.anomalies = RemoteAnomalies(connection)
        self.incidents = RemoteIncidents(connection)
        self.prices = RemotePrices(connection)
        self.owners = RemoteOwners(connection)
        self.breaches = RemoteBreaches(connection)
        self.audit = RemoteAudit(connection)

    def run(self, *, limits: RunLimits | None = None, id: str | None = None, **dimensions: str) -> RemoteRun:  # noqa: A002 — the face's word
        """Return a run of these dimensions, to be entered by ``with``; it ends with its block."""
        return RemoteRun(self._doors, dimensions, limits=limits, run_id=id)

    def reserve(
        self,
        amount: Spend,
        requests: int = 1,
        tokens: int | None = None,
        key: str | None = None,
        *,
        seconds: int = DEFAULT_LIFE_SECONDS,
        **dimensions: str,
    ) -> Hold:
        """Hold an amount outside a run.

        Raises:
            LimitExceeded: If a limit or a kill refuses; the breach is on record.
            GovernanceUnavailable: If the server could not be reached, or could not decide.
        """
        currency, amounts, has_tokens = reserve_amounts(amount, requests, tokens)
        scope = outside_scope(dimensions, currency)
        return self._doors.reserve(Reserve(hold_id(), scope, amounts, has_tokens, key, seconds))

    def charge(
        self, amount: Spend, requests: int = 1, tokens: int | None = None, key: str | None = None, **dimensions: str
    ) -> Ended:
        """Book what is gone already, also past a ceiling, which is then on record."""
        ended: Ended = self._doors.submit(charge_of(amount, requests, tokens, key, dimensions))
        return ended

    def explain(self, **dimensions: str) -> Explanation:
        """Return every limit that would apply to a spend of these dimensions, and why."""
        answer = self._doors.ask("explain", body={"dimensions": dimensions})
        explanation: Explanation = from_wire(Explanation, answer)
        return explanation

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def connect(url: str, key: str) -> Remote:
    """Connect to a server; the names are those of ``comptroller.open``.

    Args:
        url: The server's, such as ``https://comptroller.example``.
        key: An API key; its tenant and its role are what one has here.
    """
    return Remote(Connection(url, key))


def from_wire_or_none(kind: Any, value: Any) -> Any:
    """Return an answer's value; None where there is none."""
    return None if kind is None or value is None else from_wire(kind, value)


def _texts(said: dict[str, Any]) -> dict[str, str]:
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in said.items()}
