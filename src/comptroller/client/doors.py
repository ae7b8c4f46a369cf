"""Runs and holds over HTTP: the library's own, with a server in the place of the gate."""

import time
from typing import Any, Final

from comptroller.api.table import ROUTES
from comptroller.api.wire import from_wire
from comptroller.client.http import Connection
from comptroller.enums import EntryKind
from comptroller.errors import RunHalted
from comptroller.money import Money
from comptroller.runtime.amounts import admitted
from comptroller.runtime.run import Hold, Run
from comptroller.types.runs import HaltReason, RunLimits, Verdict
from comptroller.types.spend import Admitted, Charge, End, Ended, EndRun, Extend, HoldFacts, Reserve, Scope, StartRun
from comptroller.types.usage import Priced, Usage

POLL_SECONDS: Final = 0.1  # a kill is heard of at the first checkpoint after so long
_BY_NAME: Final = {route.name: route for route in ROUTES}


class RemoteDoors:
    """What runs and holds of one key need of a server."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def ask(self, name: str, *, body: Any = None, key: str | None = None, **path: str) -> Any:
        """Ask one route by its operation's name."""
        return self._connection.ask(_BY_NAME[name], path, body=body, key=key)

    def reserve(self, action: Reserve, run_id: str | None = None) -> Hold:
        """Return the hold, or raise the refusal."""
        return Hold(self, admitted(self.submit(action), run_id))  # type: ignore[arg-type]  # it asks the same of its doors

    def price(self, said: dict[str, Any], run_id: str | None) -> Priced:
        """Return what a usage costs, or raise the refusal of a model without a price."""
        used = {name: said.get(name) for name in Usage.__dataclass_fields__ if said.get(name) is not None}
        answer = self.ask("quote", body={**said, **used, "run_id": run_id})
        priced: Priced = from_wire(Priced, answer)
        return priced

    def submit(self, action: Any) -> Any:
        """Take an action at the server."""
        if isinstance(action, StartRun):
            self.ask("start_run", body=_run(action))
            return Admitted(action.hold_id, action.amounts, HoldFacts("", (("", 0),), None, action.run_id))
        if isinstance(action, EndRun):
            body = {"state": action.state, "why": action.why or None, "iterations": action.iterations}
            return self.ask("end_run", body=body, run_id=action.run_id)
        if isinstance(action, Reserve):
            made = self.ask("reserve", body=_reserve(action), key=action.key or action.hold_id)
            facts = HoldFacts("", (), action.scope.currency, action.scope.run.id if action.scope.run else None)
            return Admitted(made["id"], action.amounts, facts)
        if isinstance(action, Charge):
            return _ended(self.ask("charge", body=_spend(action), key=action.key or action.hold_id), action.amounts)
        return self._end(action)

    def _end(self, action: Any) -> Any:
        if isinstance(action, Extend):
            sent = None if action.is_unsent is None else not action.is_unsent
            return self.ask("extend", body={"seconds": action.seconds, "sent": sent}, hold_id=action.hold_id)
        assert isinstance(action, End)  # noqa: S101 — there is no other action
        if action.kind is EntryKind.RELEASE:
            return _ended(self.ask("release", hold_id=action.hold_id), action.amounts)
        return _ended(self.ask("settle", body=_settlement(action), hold_id=action.hold_id), action.amounts)


class RemoteRun(Run):
    """One execution of an agent or job whose limits are kept elsewhere."""

    def __init__(
        self, doors: RemoteDoors, dimensions: dict[str, str], *, limits: RunLimits | None, run_id: str | None
    ) -> None:
        super().__init__(doors, dimensions, limits=limits, run_id=run_id)  # type: ignore[arg-type]  # see RemoteDoors
        self._remote = doors
        self._asked_at = -POLL_SECONDS

    def checkpoint(self) -> None:
        """Go on, or raise; a worker calls it between its steps."""
        at = self._progress
        at.require_running()
        reason = at.exhausted()
        try:
            if reason is not None:
                self._remote.ask("exhaust_run", body={"why": reason}, run_id=self.id)
            if time.monotonic() - self._asked_at >= POLL_SECONDS:
                self._asked_at = time.monotonic()
                body = {"iterations": at.iterations}
                at.halt(from_wire(Verdict, self._remote.ask("beat", body=body, run_id=self.id)))
        except RunHalted as halted:
            at.halted = RunHalted(self.id, HaltReason(halted.reason), halted.why, halted.breach_id, halted.over)
            raise at.halted from None


def _spend(action: Reserve | Charge) -> dict[str, Any]:
    money, requests, tokens, _ = action.amounts
    scope: Scope = action.scope
    unit = scope.currency
    amount = f"{requests} requests" if unit is None else str(Money.of_quanta(money, unit))
    states_tokens = action.has_tokens if isinstance(action, Reserve) else tokens > 0
    run_id = None if scope.run is None else scope.run.id
    return {
        "amount": amount, "requests": requests, "tokens": tokens if states_tokens else None, "run_id": run_id,
        "dimensions": None if run_id else dict(scope.dimensions),
    }  # fmt: skip


def _reserve(action: Reserve) -> dict[str, Any]:
    return {**_spend(action), "seconds": action.seconds, "unsent": action.is_unsent}


def _settlement(action: End) -> dict[str, Any]:
    money, requests, tokens, _ = action.amounts
    if action.is_estimated:
        return {}
    calls, used = (None if count < 0 else count for count in (requests, tokens))
    if action.currency is not None:
        amount = str(Money.of_quanta(money, action.currency))
        return {"amount": amount, "requests": calls, "tokens": used, "price_version": action.price_version}
    return {"amount": f"{used} tokens" if calls is None else f"{calls} requests", "tokens": used}


def _run(action: StartRun) -> dict[str, Any]:
    names = {"tokens": "tokens", "requests": "calls", "seconds": "seconds", "iterations": "iterations"}
    limits: dict[str, Any] = {}
    for unit, quanta in action.ceilings:
        limits[names.get(unit, "cost")] = quanta if unit in names else str(Money.of_quanta(quanta, unit))
    return {"id": action.run_id, "dimensions": dict(action.scope.dimensions), "limits": limits or None}


def _ended(said: dict[str, Any], amounts: Any) -> Ended:
    return Ended(said["id"], EntryKind(said["kind"]), amounts, said["is_estimated"])
