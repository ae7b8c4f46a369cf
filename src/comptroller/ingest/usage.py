"""Rows of model usage: time, model, input and output tokens, who; under the many names that logs give them.

Names are compared by their letters and digits alone, so ``gen_ai.usage.input_tokens`` (OpenTelemetry, "Semantic
conventions for generative AI") reads as ``genaiusageinputtokens``. Cached tokens are part of the input tokens, as
OpenTelemetry and OpenAI count them.
"""

import re
from typing import Final

from comptroller.enums import BillFormat
from comptroller.ingest.reading import Reading, constant
from comptroller.ingest.table import Table
from comptroller.ingest.values import moment

DEFAULT_CURRENCY: Final = "USD"
ALIASES: Final[dict[str, tuple[str, ...]]] = {
    "time": (
        *("time", "timestamp", "ts", "datetime", "date", "day", "createdat", "created", "starttime", "startedat"),
        *("requesttime", "eventtime", "starttimeunixnano", "timeunixnano"),
    ),
    "end": ("endtime", "endedat", "completedat", "endtimeunixnano"),
    "model": ("genairesponsemodel", "genairequestmodel", "model", "modelname", "modelid"),
    "provider": ("genaiprovidername", "genaisystem", "provider", "customllmprovider"),
    "input_tokens": (
        *("genaiusageinputtokens", "genaiusageprompttokens", "inputtokens", "prompttokens", "tokensin"),
        *("usageinputtokens", "usageprompttokens", "contexttokens", "promptlength", "inputlength"),
    ),
    "output_tokens": (
        *("genaiusageoutputtokens", "genaiusagecompletiontokens", "outputtokens", "completiontokens", "tokensout"),
        *("usageoutputtokens", "usagecompletiontokens", "generatedtokens", "outputlength"),
    ),
    "cache_read_tokens": (
        *("genaiusagecachereadinputtokens", "cachereadinputtokens", "cachereadtokens", "cachedtokens"),
        "inputcachedtokens",
    ),
    "cache_write_tokens": (
        *("genaiusagecachecreationinputtokens", "genaiusagecachewriteinputtokens", "cachecreationinputtokens"),
        *("cachewriteinputtokens", "cachewritetokens"),
    ),
    "user": ("user", "userid", "enduser", "enduserid", "username", "useremail", "client", "clientid", "who"),
    "team": ("team", "teamid", "teamname", "teamalias", "group"),
    "owner": ("owner",),
    "key": ("keyalias", "apikeyalias", "apikeyname", "apikeyid", "key", "apikey"),
    "account": ("account", "accountid", "project", "projectid", "organization", "organizationid", "org"),
    "service": ("service", "servicename", "application", "app", "agent"),
    "region": ("region",),
    "id": ("genairesponseid", "requestid", "responseid", "callid", "id", "spanid"),
    "quantity": ("requests", "requestcount", "numrequests"),
    "billed": ("cost", "costusd", "totalcost", "spend", "amount"),
    "currency": ("currency",),
    "tags": ("tags", "labels"),
}


def spelled(name: str) -> str:
    """Return a column's name by its letters and digits alone."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def read_usage(table: Table) -> Reading | None:
    """Recognise usage by a column of input or output tokens; None if it has neither."""
    found = find_spelled(table)
    if not {"input_tokens", "output_tokens"} & found.keys():
        return None
    fields = {field: table.text(column) for field, column in found.items()}
    for field in ("time", "end"):
        if field in fields:
            fields[field] = moment(fields[field])
    if "quantity" in fields:
        fields["unit"] = constant("Requests")
    is_span = any(spelled(column).startswith("genai") for column in found.values())
    return Reading(
        format=BillFormat.USAGE,
        fields=fields,
        origins=found,
        is_float=True,
        step="instant",
        where=_is_use(fields) if is_span else "true",
        has_unique_ids="id" in found,
        counts_requests="quantity" in found,
    )


def find_spelled(table: Table) -> dict[str, str]:
    """Return, per field, the column of the table that goes by one of its names."""
    columns = {spelled(name): name for name in reversed(table.names)}
    found = {
        field: next((columns[word] for word in words if word in columns), None) for field, words in ALIASES.items()
    }
    return {field: column for field, column in found.items() if column is not None}


def _is_use(fields: dict[str, str]) -> str:
    """Spans of tools and agents carry no tokens of their own; they are no cost."""
    tokens = [fields[field] for field in ("input_tokens", "output_tokens") if field in fields]
    return f"coalesce({', '.join(tokens)}) is not null"
