"""Reserve, settle, release, extend, and runs whose workers are elsewhere: all through the process's gate."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from comptroller.api import bodies, spend_bodies
from comptroller.api.call import Call
from comptroller.api.policy import Policy
from comptroller.api.route import Paging, Route
from comptroller.enums import EntryKind, RunState
from comptroller.errors import InvalidInputError, RunHalted
from comptroller.ids import uuid7
from comptroller.money import Money
from comptroller.runtime.amounts import admitted, dimension_pairs, reserve_amounts, run_ceilings, settle_amounts
from comptroller.runtime.progress import hold_id
from comptroller.spine.orchestrator import breaches, kills, remote, runs, see
from comptroller.types.breaches import Breach
from comptroller.types.runs import Kill, Run, RunLimits, Verdict
from comptroller.types.sight import Complaint, Explanation, Forecast, HoldExplanation, TopRow
from comptroller.types.spend import (
    DEFAULT_LIFE_SECONDS,
    MONEY,
    Amounts,
    Charge,
    End,
    EndRun,
    Extend,
    Reserve,
    Scope,
    StartRun,
)
from comptroller.types.usage import Priced

_NOTHING: Final = (0, 0, 0, 0)
_AS_HELD: Final = (-1, -1, -1, 0)


@dataclass(frozen=True, slots=True)
class HoldMade:
    """A hold that is durable; it lives so many seconds."""

    id: str
    seconds: int


@dataclass(frozen=True, slots=True)
class HoldEnded:
    """How a hold ended: what was charged, and whether that is an estimate."""

    id: str
    kind: EntryKind
    amount: Money | None
    requests: int
    tokens: int
    is_estimated: bool


@dataclass(frozen=True, slots=True)
class RunBegun:
    """A run that was started."""

    id: str
    started_at: datetime


async def reserve(call: Call) -> HoldMade:
    """Hold an amount under every limit that applies, all or none; `Idempotency-Key` makes a repeat the same hold."""
    said, key = call.body, call.key
    scope, amounts, has_tokens = await _scope(call, said)
    seconds = DEFAULT_LIFE_SECONDS if said.seconds is None else said.seconds
    action = Reserve(hold_id(), scope, amounts, has_tokens, key, seconds, said.unsent)
    answer = admitted(await call.service.gate.submit(call.caller, action), said.run_id)
    call.service.keep_hold(call.who.tenant, answer)
    return HoldMade(answer.hold_id, seconds)


async def charge(call: Call) -> HoldEnded:
    """Book what is gone already, also past a ceiling, which is then on record."""
    said, key = call.body, call.key
    scope, amounts, _ = await _scope(call, said)
    ended = await call.service.gate.submit(call.caller, Charge(hold_id(), scope, amounts, key))
    return _ended(ended, scope.currency)


async def settle(call: Call) -> HoldEnded:
    """Book what a call really cost; repeating it with the same amount changes nothing."""
    said, known = call.body, _hold_id(call)
    hold = call.service.take_hold(call.who.tenant, known)
    if said.amount is None:
        action = End(known, EntryKind.SETTLE, _AS_HELD, is_estimated=True, hold=hold)
        currency = None if hold is None else hold.facts.currency
    else:
        currency, amounts = settle_amounts(said.amount, said.requests, said.tokens)
        action = End(known, EntryKind.SETTLE, amounts, currency, price_version=said.price_version, hold=hold)
    return _ended(await call.service.gate.submit(call.caller, action), currency)


async def release(call: Call) -> HoldEnded:
    """Give a hold back: nothing ran."""
    known = _hold_id(call)
    action = End(known, EntryKind.RELEASE, _NOTHING, hold=call.service.take_hold(call.who.tenant, known))
    return _ended(await call.service.gate.submit(call.caller, action), None)


async def extend(call: Call) -> None:
    """Have an open hold live some seconds from now, and say whether the call is on its way."""
    if call.body.seconds is None and call.body.sent is None:
        raise InvalidInputError("say seconds, or sent, or both")
    unsent = None if call.body.sent is None else not call.body.sent
    await call.service.gate.submit(call.caller, Extend(_hold_id(call), call.body.seconds, unsent))


async def quote(call: Call) -> Priced:
    """Return what a call's tokens cost at the price list; a model without a price is refused, on record."""
    said = _fields(call.body)
    run_id = said.pop("run_id")
    return await call.service.doors(call.caller).price(said, run_id)


async def explain(call: Call) -> Explanation:
    """Return every limit that would apply to a spend of these dimensions: its window, spent, held, left, and why."""
    return await see.explain.run_async(call.service.engine, call.caller, **dict(dimension_pairs(call.body.dimensions)))


async def forecast(call: Call) -> list[Forecast]:
    """Return when each balance of a subject will run out at its present pace, with a band, the soonest first."""
    said = dict(dimension_pairs(call.body.dimensions))
    return await see.forecast.run_async(call.service.engine, call.caller, **said)


async def start_run(call: Call) -> RunBegun:
    """Begin a run of an agent or job; what it reserves names it as `run_id`."""
    said = call.body
    limits = None if said.limits is None else RunLimits(**_fields(said.limits))
    run_id = uuid7() if said.id is None else said.id
    action = StartRun(
        hold_id(), Scope(dimension_pairs(said.dimensions), "runs"), (0, 0, 0, 1), seconds=None, run_id=run_id,
        ceilings=run_ceilings(limits),
    )  # fmt: skip
    admitted(await call.service.gate.submit(call.caller, action), None)
    return RunBegun(run_id, call.service.now())


async def end_run(call: Call) -> Run:
    """End a run; who halted it before has the last word on how."""
    said, run_id = call.body, call.incoming.path["run_id"]
    if said.state in {RunState.RUNNING, RunState.LOST}:
        raise InvalidInputError(f"a run does not end as {said.state}: say completed, failed, halted or limit_exhausted")
    held = await remote.find_run_hold.run_async(call.service.engine, call.caller, run_id)
    await call.service.gate.submit(call.caller, EndRun(held, run_id, said.state, said.why or "", said.iterations))
    return await runs.get_run.run_async(call.service.engine, call.caller, run_id)


async def beat(call: Call) -> Verdict:
    """Say that a run is alive, and learn whether it may go on."""
    run_id, engine = call.incoming.path["run_id"], call.service.engine
    verdict = await runs.run_verdict.run_async(engine, call.caller, run_id)
    if verdict.reason is None:
        await runs.beat.run_async(engine, call.caller, run_id, call.body.iterations)
    return verdict


async def exhaust_run(call: Call) -> None:
    """Say that a run used up its time or its iterations; it must stop, and the breach is on record."""
    run_id, engine = call.incoming.path["run_id"], call.service.engine
    await runs.get_run.run_async(engine, call.caller, run_id)
    breach_id = await runs.exhaust_run.run_async(engine, call.caller, run_id, call.body.why)
    raise RunHalted(run_id, "limit_exhausted", call.body.why, breach_id)


async def _scope(call: Call, said: Any) -> tuple[Scope, Amounts, bool]:
    currency, amounts, has_tokens = reserve_amounts(said.amount, said.requests, said.tokens)
    if said.run_id is None:
        return Scope(dimension_pairs(said.dimensions or {}), currency), amounts, has_tokens
    if said.dimensions:
        raise InvalidInputError("a run has its dimensions already: give either run_id or dimensions")
    pairs, run = await call.service.run_scope(call.caller, said.run_id)
    return Scope(pairs, currency, run), amounts, has_tokens


def _hold_id(call: Call) -> str:
    known: str = call.incoming.path["hold_id"]
    return known.replace("-", "").lower()


def _ended(ended: Any, currency: str | None) -> HoldEnded:
    quanta, requests, tokens, _ = ended.amounts
    amount = None if currency is None or quanta < 0 else Money.of_quanta(ended.amounts[MONEY], currency)
    return HoldEnded(ended.hold_id, ended.kind, amount, max(requests, 0), max(tokens, 0), ended.is_estimated)


def _fields(struct: Any) -> dict[str, Any]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


_HOLD: Final = "/v1/holds/{hold_id}"
_RUN: Final = "/v1/runs/{run_id}"
_BY_ID: Final = Paging(lambda one: str(one.id))

ROUTES: Final = (
    Route(method="POST", path="/v1/holds", policy=Policy.SPEND, handler=reserve, body=spend_bodies.NewHold,
          answer=HoldMade, status=201, keeps_key=True),
    Route(method="GET", path=_HOLD, policy=Policy.READ, use_case=see.explain_hold, answer=HoldExplanation),
    Route(method="POST", path="/v1/explain", policy=Policy.READ, handler=explain, body=spend_bodies.Subject,
          answer=Explanation),
    Route(method="POST", path="/v1/forecast", policy=Policy.READ, handler=forecast, body=spend_bodies.Subject,
          answer=list[Forecast]),
    Route(method="GET", path="/v1/top", policy=Policy.READ, use_case=see.top, query=spend_bodies.TopQuery,
          answer=list[TopRow]),
    Route(method="GET", path="/v1/doctor", policy=Policy.READ, use_case=see.doctor, answer=list[Complaint]),
    Route(method="POST", path="/v1/prices/quote", policy=Policy.SPEND, handler=quote, body=spend_bodies.UsageBody,
          answer=Priced),
    Route(method="GET", path="/v1/breaches", policy=Policy.READ, use_case=breaches.list_breaches,
          query=bodies.BreachQuery, answer=Breach, paging=_BY_ID),
    Route(method="GET", path="/v1/breaches/{breach_id}", policy=Policy.READ, use_case=breaches.get_breach,
          answer=Breach),
    Route(method="POST", path=f"{_HOLD}/settle", policy=Policy.SPEND, handler=settle, body=spend_bodies.Settlement,
          answer=HoldEnded),
    Route(method="POST", path=f"{_HOLD}/release", policy=Policy.SPEND, handler=release, answer=HoldEnded),
    Route(method="POST", path=f"{_HOLD}/extend", policy=Policy.SPEND, handler=extend, body=spend_bodies.Extension,
          answer=None, status=204),
    Route(method="POST", path="/v1/charges", policy=Policy.OPERATE, handler=charge, body=spend_bodies.NewCharge,
          answer=HoldEnded, status=201, keeps_key=True),
    Route(method="GET", path="/v1/runs", policy=Policy.READ, use_case=runs.list_runs, query=spend_bodies.RunQuery,
          answer=Run, paging=_BY_ID),
    Route(method="POST", path="/v1/runs", policy=Policy.SPEND, handler=start_run, body=spend_bodies.NewRun,
          answer=RunBegun, status=201),
    Route(method="GET", path=_RUN, policy=Policy.READ, use_case=runs.get_run, answer=Run),
    Route(method="POST", path=f"{_RUN}/heartbeat", policy=Policy.SPEND, handler=beat, body=spend_bodies.Beat,
          answer=Verdict),
    Route(method="POST", path=f"{_RUN}/exhaust", policy=Policy.SPEND, handler=exhaust_run, body=spend_bodies.Exhaustion,
          answer=None, status=204),
    Route(method="POST", path=f"{_RUN}/end", policy=Policy.SPEND, handler=end_run, body=spend_bodies.RunEnd,
          answer=Run),
    Route(method="POST", path=f"{_RUN}/halt", policy=Policy.OPERATE, use_case=runs.halt_run, body=bodies.Reason,
          answer=Run, keeps_key=True),
    Route(method="GET", path="/v1/kills", policy=Policy.READ, use_case=kills.list_kills, query=spend_bodies.KillQuery,
          answer=list[Kill]),
    Route(method="POST", path="/v1/kills", policy=Policy.OPERATE, use_case=kills.kill, body=spend_bodies.KillBody,
          answer=Kill, status=201, keeps_key=True),
    Route(method="POST", path="/v1/kills/preview", policy=Policy.READ, use_case=kills.preview_kill,
          body=spend_bodies.ScopeBody, answer=Kill),
    Route(method="POST", path="/v1/kills/lift", policy=Policy.OPERATE, use_case=kills.lift, body=spend_bodies.LiftBody,
          answer=list[Kill], keeps_key=True),
)  # fmt: skip
