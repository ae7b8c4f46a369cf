"""Usage that happened elsewhere: batches, OTLP traces and logs; priced, booked once, past a ceiling if it must."""

import asyncio
from typing import Any, Final

from comptroller.api import spend_bodies
from comptroller.api.call import Call
from comptroller.api.incoming import JSON, Reply
from comptroller.api.policy import Policy
from comptroller.api.problems import RequestError
from comptroller.api.route import Route
from comptroller.api.wire import encode
from comptroller.errors import ComptrollerError, ConflictError
from comptroller.runtime.amounts import dimension_pairs, reserve_amounts
from comptroller.runtime.progress import hold_id
from comptroller.spine.orchestrator import usage_in
from comptroller.types.spend import Charge, Ended, Scope
from comptroller.types.usage import Usage
from comptroller.types.usage_in import Rejected, ReportedUsage, UsageReport

BODY_MAX: Final = 8 * 1024 * 1024  # a collector's batch
ROWS_MAX: Final = 10_000
PROTOBUF: Final = "application/x-protobuf"
_KEY: Final = "usage:"


async def report_usage(call: Call) -> UsageReport:
    """Book a batch of usage rows; a row whose id is known changes nothing."""
    rows = []
    for row in call.body.rows:
        said = {name: getattr(row, name) for name in Usage.__dataclass_fields__}
        rows.append(ReportedUsage(row.id, dimension_pairs(row.dimensions or {}), Usage(**said)))
    return await _book(call, rows)


async def export_traces(call: Call) -> Any:
    """Take an OTLP/HTTP trace export (`gen_ai.*` spans, protobuf or JSON)."""
    return await _export(call, usage_in.traces_usage, "rejectedSpans")


async def export_logs(call: Call) -> Any:
    """Take an OTLP/HTTP log export (`gen_ai.*` events, protobuf or JSON)."""
    return await _export(call, usage_in.logs_usage, "rejectedLogRecords")


async def _export(call: Call, read: Any, counted: str) -> Reply:
    media_type = call.incoming.headers.get("content-type", PROTOBUF).partition(";")[0].strip().lower()
    if media_type not in {PROTOBUF, JSON}:
        raise RequestError("media-type", f"send {PROTOBUF} or {JSON}, not {media_type[:100]}")
    body = b"".join([chunk async for chunk in call.incoming.chunks(BODY_MAX)])
    rows = await asyncio.to_thread(read, body, is_protobuf=media_type == PROTOBUF)
    if len(rows) > ROWS_MAX:
        raise RequestError("too-large", f"an export may have {ROWS_MAX} rows of usage")
    report = await _book(call, rows)
    if not report.rejected:
        # An empty message is a whole success, in protobuf no byte at all.
        return Reply(200, b"" if media_type == PROTOBUF else b"{}", media_type)
    words = f"{report.rejected[0].id}: {report.rejected[0].reason}"
    partial = {counted: str(len(report.rejected)), "errorMessage": words}
    return Reply(200, encode({"partialSuccess": partial}))


async def _book(call: Call, rows: list[ReportedUsage]) -> UsageReport:
    priced = [await _charge(call, row) for row in rows]  # one after the other: the first one reads the price list
    outcomes = await asyncio.gather(*(_submit(call, row, charge) for row, charge in zip(rows, priced, strict=True)))
    rejected = tuple(one for one in outcomes if isinstance(one, Rejected))
    booked = sum(one is True for one in outcomes)
    return UsageReport(booked, len(rows) - booked - len(rejected), rejected)


async def _charge(call: Call, row: ReportedUsage) -> Charge | Rejected:
    said = {name: getattr(row.usage, name) for name in Usage.__dataclass_fields__}
    try:
        priced = await call.service.doors(call.caller).price(said, None)
    except ComptrollerError as error:
        return Rejected(row.id, str(error))
    currency, amounts, _ = reserve_amounts(priced.cost, 1, priced.tokens)
    scope = Scope(row.dimensions, currency)
    return Charge(hold_id(), scope, amounts, _KEY + row.id, price_version=priced.version)


async def _submit(call: Call, row: ReportedUsage, charge: Charge | Rejected) -> bool | Rejected:
    """Return whether it was booked just now; False if it was known."""
    if isinstance(charge, Rejected):
        return charge
    try:
        ended: Ended = await call.service.gate.submit(call.caller, charge)
    except ConflictError:
        return False  # booked before, at the price of that time
    except ComptrollerError as error:
        return Rejected(row.id, str(error))
    return ended.hold_id == charge.hold_id


ROUTES: Final = (
    Route(method="POST", path="/v1/usage", policy=Policy.OPERATE, handler=report_usage, body=spend_bodies.UsageBatch,
          answer=UsageReport),
    Route(method="POST", path="/v1/otlp/v1/traces", policy=Policy.OPERATE, handler=export_traces, answer=Any,
          media_type=PROTOBUF),
    Route(method="POST", path="/v1/otlp/v1/logs", policy=Policy.OPERATE, handler=export_logs, answer=Any,
          media_type=PROTOBUF),
)  # fmt: skip
