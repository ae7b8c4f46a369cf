"""What requests about runs, holds and kills carry."""

from typing import Annotated

from msgspec import Meta

from comptroller.api.bodies import Amount, Body, Count, Name, PageQuery, Scope, Seconds, Text, Tokens, Why
from comptroller.enums import RunState


class RunQuery(PageQuery):
    """Which runs."""

    state: RunState | None = None


class KillBody(Body):
    """A scope to shut."""

    where: Scope
    why: Why
    seconds: Seconds | None = None
    incident_id: Name | None = None


class LiftBody(Body):
    """A scope to open again."""

    where: Scope
    why: Why | None = None
    incident_id: Name | None = None


class KillQuery(Body):
    """Which kills."""

    history: bool | None = None


class ScopeBody(Body):
    """A scope."""

    where: Scope


class RunLimits(Body):
    """Limits of a run's own."""

    cost: Amount | None = None
    tokens: Count | None = None
    calls: Count | None = None
    seconds: Count | None = None
    iterations: Count | None = None


class NewRun(Body):
    """One execution of an agent or job."""

    dimensions: Scope
    id: Name | None = None
    limits: RunLimits | None = None


class Beat(Body):
    """A sign of life."""

    iterations: Count = 0


class RunEnd(Body):
    """How a run ended."""

    state: RunState
    why: Text | None = None
    iterations: Count = 0


class NewHold(Body):
    """Money to hold for one call."""

    amount: Amount
    dimensions: Scope | None = None
    run_id: Name | None = None
    requests: Count = 1
    tokens: Count | None = None
    seconds: Annotated[int, Meta(ge=1, le=86_400)] | None = None
    unsent: bool = False


class NewCharge(Body):
    """What is gone already."""

    amount: Amount
    dimensions: Scope | None = None
    run_id: Name | None = None
    requests: Count = 1
    tokens: Count | None = None


class Exhaustion(Body):
    """Which of a run's own clocks ran out."""

    why: Why


class Settlement(Body):
    """What it really cost; without an amount what was held is charged, as an estimate."""

    amount: Amount | None = None
    requests: Count | None = None
    tokens: Count | None = None
    price_version: Name | None = None


class UsageBody(Body):
    """The tokens of one call."""

    model: Name
    provider: Name | None = None
    input_tokens: Tokens = 0
    output_tokens: Tokens = 0
    cached_input_tokens: Tokens = 0
    cache_write_tokens: Tokens = 0
    run_id: Name | None = None


class UsageRow(Body, kw_only=True):
    """The tokens of one call that happened elsewhere; `id` is the provider's id of the response."""

    id: Annotated[str, Meta(min_length=1, max_length=200)]
    dimensions: Scope | None = None
    model: Name
    provider: Name | None = None
    input_tokens: Tokens = 0
    output_tokens: Tokens = 0
    cached_input_tokens: Tokens = 0
    cache_write_tokens: Tokens = 0


class UsageBatch(Body):
    """Usage of many calls."""

    rows: Annotated[list[UsageRow], Meta(max_length=1_000)]


class TopQuery(Body):
    """By which dimension, and how many values."""

    by: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_.-]{0,63}$")] | None = None
    count: Annotated[int, Meta(ge=1, le=100)] = 20


class Subject(Body):
    """Who spends."""

    dimensions: Scope


class Extension(Body):
    """How long a hold lives from now."""

    seconds: Annotated[int, Meta(ge=1, le=86_400)] | None = None
    sent: bool | None = None
