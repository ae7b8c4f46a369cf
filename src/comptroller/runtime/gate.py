"""The gate for threads: whoever finds nobody at work leads the next group, in its own thread.

A lone caller is a group of one. What the same tenant queues while a group is in flight is the next group; its
longest waiter leads it. Every caller is answered after the commit of its group.
"""

import os
import threading
from typing import Any, Final

from sqlalchemy import Engine

from comptroller.errors import GovernanceUnavailable
from comptroller.runtime.serving import FAILURES, Desk, Steps, Waiting, sent, serve, thrown
from comptroller.runtime.turns import Turns
from comptroller.types.caller import Caller
from comptroller.types.spend import Action, Admitted

CONNECTIONS: Final = 2  # a group of one tenant commits while one of another is written


class _Seat(Waiting):
    """A waiting thread: its lock is opened when it is answered, or has to lead."""

    leads = False

    def __init__(self, action: Action, caller: Caller) -> None:
        super().__init__(action, caller)
        self.lock = threading.Lock()
        self.lock.acquire()


class Gate:
    """Admission for the threads of this process.

    Args:
        engine: A guarded engine; at most two of its connections are used at once (one on SQLite).
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._turns: Turns[_Seat] = Turns(1 if self.engine.dialect.name == "sqlite" else CONNECTIONS)
        self._desks: dict[str, Desk] = {}

    def submit(self, caller: Caller, action: Action) -> Any:
        """Take one action together with what else is queued, and return its answer when it is durable.

        Raises:
            GovernanceUnavailable: If comptroller could not decide.
        """
        if os.getpid() != self._pid:
            self.engine.dispose(close=False)  # a fork: the connections are the parent's
            self._reset()
        seat = _Seat(action, caller)
        with self._lock:
            self._turns.put(caller.tenant, seat)
            leader = self._next_leader()
        if leader is not None and leader is not seat:
            leader.lock.release()
        self._wait(seat)
        return seat.result()

    def _wait(self, seat: _Seat) -> None:
        is_through = False
        try:
            if not seat.leads:
                seat.lock.acquire()
            if seat.leads:
                self._lead(seat.caller.tenant)
            is_through = True
        finally:
            if not is_through:
                self._leave(seat)
        if not seat.is_answered:
            seat.error = GovernanceUnavailable("the group was left without an answer", "Policies", "admit")

    def _lead(self, tenant: str) -> None:
        with self._lock:
            group = self._turns.take(tenant)
            desk = self._desks.setdefault(tenant, Desk())
        try:
            self._run(group[0].caller, serve(desk, list(group)))
        finally:
            self._pass_on(tenant, group)

    def _run(self, caller: Caller, steps: Steps) -> None:
        step = next(steps, None)
        while step is not None:
            operation, arguments = step
            try:
                outcome = operation.run(self.engine, caller, *arguments)
            except FAILURES as error:
                step = thrown(steps, error)
            else:
                step = sent(steps, outcome)

    def _pass_on(self, tenant: str, group: list[_Seat]) -> None:
        """Answer the group, and have the next one led by its longest waiter."""
        others = group[1:]  # the first one is the leader itself
        with self._lock:
            self._turns.done(tenant)
            for seat in others:
                if not seat.is_answered:  # the leader was interrupted; what it did for them is not known
                    seat.is_repeat = True
                    self._turns.put(tenant, seat)
            leader = self._next_leader()
        for seat in others:
            if seat.is_answered:
                seat.lock.release()
        if leader is not None:
            leader.lock.release()

    def _next_leader(self) -> _Seat | None:
        tenant = self._turns.start()
        if tenant is None:
            return None
        leader = self._turns.first(tenant)
        leader.leads = True
        return leader

    def _leave(self, seat: _Seat) -> None:
        """Take an interrupted caller out, wherever its action is."""
        tenant = seat.caller.tenant
        with self._lock:
            seat.is_abandoned = True
            leader = None
            if self._turns.drop(tenant, seat):
                if seat.leads:
                    self._turns.done(tenant)
                    leader = self._next_leader()
            elif isinstance(seat.answer, Admitted):
                self._desks[tenant].orphans.append(seat.answer.hold_id)
        if leader is not None:
            leader.lock.release()
