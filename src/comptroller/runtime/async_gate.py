"""The gate for an event loop: each group is a task of its own, so that no caller's cancellation ends another's."""

import asyncio
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from comptroller.enums import EntryKind
from comptroller.errors import GovernanceUnavailable
from comptroller.runtime.gate import CONNECTIONS
from comptroller.runtime.serving import FAILURES, Desk, Steps, Waiting, sent, serve, thrown
from comptroller.runtime.turns import Turns
from comptroller.types.caller import Caller
from comptroller.types.spend import Action, Admitted, End


class Ticket(Waiting):
    """A waiting coroutine: its future is done when it is answered."""

    def __init__(self, action: Action, caller: Caller, future: "asyncio.Future[None]") -> None:
        self.action = action
        self.caller = caller
        self.future = future


class AsyncGate:
    """Admission for one event loop of this process.

    Args:
        engine: A guarded engine; at most two of its connections are used at once (one on SQLite).
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self._turns: Turns[Ticket] = Turns(1 if engine.dialect.name == "sqlite" else CONNECTIONS)
        self._desks: dict[str, Desk] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    async def submit(self, caller: Caller, action: Action) -> Any:
        """Take one action together with what else is queued, and return its answer when it is durable.

        Raises:
            GovernanceUnavailable: If comptroller could not decide.
        """
        ticket = self.queue(caller, action)
        try:
            await ticket.future
        except asyncio.CancelledError:
            self.leave(ticket)
            raise
        return ticket.result()

    def queue(self, caller: Caller, action: Action) -> Ticket:
        """Queue one action; whoever awaits the ticket's future and is cancelled has to leave."""
        loop = self._loop
        if loop is None:
            loop = self._loop = asyncio.get_running_loop()
        ticket = Ticket(action, caller, loop.create_future())
        self._turns.put(caller.tenant, ticket)
        if self._turns.has_room:
            self._start(loop)
        return ticket

    async def drain(self) -> None:
        """Wait until every group in flight is answered."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        tenant = self._turns.start()
        if tenant is not None:
            task = loop.create_task(self._serve(tenant))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, tenant: str) -> None:
        group = self._turns.take(tenant)
        desk = self._desks.setdefault(tenant, Desk())
        try:
            await self._run(group[0].caller, serve(desk, list(group)))
        finally:
            self._answer(group)
            self._turns.done(tenant)
            self._start(asyncio.get_running_loop())

    async def _run(self, caller: Caller, steps: Steps) -> None:
        step = next(steps, None)
        while step is not None:
            operation, arguments = step
            try:
                outcome = await operation.run_async(self.engine, caller, *arguments)
            except FAILURES as error:
                step = thrown(steps, error)
            else:
                step = sent(steps, outcome)

    def _answer(self, group: list[Ticket]) -> None:
        for ticket in group:
            if not ticket.is_answered:
                ticket.error = GovernanceUnavailable("the group was left without an answer", "Policies", "admit")
                ticket.is_answered = True
            if not ticket.future.done():
                ticket.future.set_result(None)

    def leave(self, ticket: Ticket) -> None:
        """Take a cancelled caller out, wherever its action is; a hold that it was given is released."""
        ticket.is_abandoned = True
        if self._turns.drop(ticket.caller.tenant, ticket):
            return
        if isinstance(ticket.answer, Admitted):  # nobody will ever use this hold
            release = End(ticket.answer.hold_id, EntryKind.RELEASE, (0, 0, 0, 0), hold=ticket.answer)
            task = asyncio.get_running_loop().create_task(self.submit(ticket.caller, release))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
