"""What requests carry: each field is the operation's argument of that name."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from msgspec import Meta, Struct

from comptroller.api.route import PAGE_DEFAULT, PAGE_MAX
from comptroller.enums import (
    CostMetric,
    Feedback,
    IncidentStatus,
    LimitMode,
    Sensitivity,
    Severity,
    Window,
)

Amount = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{1,18}(\.[0-9]{1,18})? [A-Za-z]{3,8}$",
        max_length=64,
        description="A number, a space and a currency (ISO 4217) or `tokens`, `requests`, `runs`.",
        examples=["0.12 USD", "500 requests"],
    ),
]
Name = Annotated[str, Meta(min_length=1, max_length=255)]
Text = Annotated[str, Meta(max_length=10_000)]
Why = Annotated[str, Meta(min_length=1, max_length=1_000, description="Kept with the record and shown in the audit.")]
Instant = Annotated[datetime, Meta(tz=True)]
Seconds = Annotated[int, Meta(ge=1, le=31_622_400)]
Count = Annotated[int, Meta(ge=0, le=2**53)]
Tokens = Annotated[int, Meta(ge=0, le=10**12)]
Price = Annotated[Decimal, Meta(description="Exact decimal text, per million tokens.")]
ColumnMap = Annotated[str, Meta(max_length=2_000, description="Which column is what: `time=Day,cost=Amount`.")]
Cursor = Annotated[str, Meta(max_length=1_024, description="`next_cursor` of the page before.")]
PageSize = Annotated[int, Meta(ge=1, le=PAGE_MAX)]
Scope = Annotated[dict[Name, Name], Meta(max_length=16, description="Dimension values that must all match.")]


class Body(Struct, forbid_unknown_fields=True):
    """A JSON object of known fields."""


class PageQuery(Body):
    """Where a page begins and how long it is."""

    cursor: Cursor | None = None
    count: PageSize = PAGE_DEFAULT


class IncidentQuery(PageQuery):
    """Which incidents."""

    status: IncidentStatus | None = None
    severity: Severity | None = None


class Note(Body):
    """Words for the timeline."""

    note: Text | None = None


class Comment(Body):
    """Words for the timeline."""

    text: Annotated[str, Meta(min_length=1, max_length=10_000)]


class AnomalyQuery(PageQuery):
    """Which anomalies."""

    since: date | None = None


class FeedbackBody(Body):
    """What an anomaly was."""

    feedback: Feedback
    note: Text | None = None


class Detection(Body):
    """How to judge."""

    sensitivity: Sensitivity | None = None
    cost: CostMetric | None = None
    dry_run: bool | None = None


class Plan(Body):
    """Days of unusual spend, `end` excluded."""

    start: date
    end: date
    reason: Why
    dimension: Name | None = None
    value: Name | None = None


class Mute(Body):
    """A series whose incidents open suppressed."""

    dimension: Name
    value: Name
    reason: Why


class SeriesQuery(Body):
    """Which series."""

    dimension: Name
    value: Name


class CostQuery(PageQuery, kw_only=True):
    """Which costs."""

    start: date
    end: date
    dimension: Name | None = None
    value: Name | None = None
    cost: CostMetric | None = None


class UploadQuery(Body):
    """How a cost file is to be read."""

    name: Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")] = "upload.csv"
    source: Name | None = None
    format: Name | None = None
    arrival: Name | None = None
    skip_bad: bool | None = None
    map: (
        Annotated[str, Meta(max_length=2_000, description="Which column is what, as `time=Day,cost=Amount`.")] | None
    ) = None


class OwnersQuery(Body):
    """What the file is called: its ending says how it is read."""

    name: Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")] = "owners.toml"


class PriceQuery(PageQuery):
    """Which prices."""

    search: Name | None = None


class NewPrice(Body):
    """What a model's tokens cost."""

    model: Name
    input_per_million: Price
    output_per_million: Price
    cache_read_per_million: Price | None = None
    provider: Name | None = None
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] | None = None
    valid_from: date | None = None
    reason: Text | None = None


class LimitQuery(PageQuery):
    """Which limits."""

    archived: bool | None = None


class OverrideQuery(Body):
    """Of which limit."""

    limit: Name | None = None


class NewLimit(Body):
    """A rule with a ceiling."""

    name: Name
    ceiling: Amount
    every: Window | None = None
    timezone: Name | None = None
    where: Scope | None = None
    per: Annotated[list[Name], Meta(max_length=8)] | None = None
    require: Annotated[list[Name], Meta(max_length=8)] | None = None
    mode: LimitMode | None = None
    warn_at: Annotated[list[Name], Meta(max_length=16)] | None = None
    opens_incident: bool | None = None
    effective_from: Instant | None = None
    effective_until: Instant | None = None
    why: Why | None = None


class LimitPatch(Body):
    """What is to change of a limit; what is left out stays."""

    name: Name | None = None
    ceiling: Amount | None = None
    where: Scope | None = None
    require: Annotated[list[Name], Meta(max_length=8)] | None = None
    mode: LimitMode | None = None
    warn_at: Annotated[list[Name], Meta(max_length=16)] | None = None
    opens_incident: bool | None = None
    effective_from: Instant | None = None
    effective_until: Instant | None = None
    why: Why | None = None


class LimitFile(Body):
    """A file of limits, as `comptroller limits apply` reads it."""

    said: dict[str, Any]
    prune: bool = False


class LimitFileToApply(LimitFile):
    """A file of limits, and why it is applied."""

    why: Why | None = None


class Reason(Body):
    """Why."""

    why: Why | None = None


class NewOverride(Body):
    """A ceiling for a time."""

    ceiling: Amount
    why: Why
    expires_at: Instant | None = None
    seconds: Seconds | None = None
    starts_at: Instant | None = None


class Requirement(Body):
    """Whether every spend needs a limit."""

    required: bool = True
    why: Why | None = None


class BreachQuery(PageQuery):
    """Which breaches."""

    limit: Name | None = None


class AuditQuery(PageQuery):
    """Of which objects."""

    object_type: Name | None = None
    object_id: Name | None = None


class NewChannelBody(Body, kw_only=True):
    """Where notices go; a target inside the server's own network is not offered over HTTP."""

    name: Name
    target: Annotated[str, Meta(min_length=1, max_length=2_000)]
    severity: Severity | None = None
    kinds: Annotated[list[Name], Meta(max_length=16)] | None = None
    where: Annotated[dict[Name, list[Name]], Meta(max_length=16)] | None = None
    only: Name | None = None
    quiet: Name | None = None
    timezone: Name | None = None
    group_seconds: Annotated[int, Meta(ge=0, le=86_400)] | None = None
    repeat_seconds: Annotated[int, Meta(ge=0, le=604_800)] | None = None
    to_owner: bool | None = None
