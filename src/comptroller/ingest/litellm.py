"""LiteLLM spend logs: a JSON array, JSON lines, one object, or a CSV of the proxy's table."""

from typing import Final

from comptroller.enums import BillFormat
from comptroller.ingest.reading import Reading, constant, pick
from comptroller.ingest.table import Table
from comptroller.ingest.usage import DEFAULT_CURRENCY
from comptroller.ingest.values import moment

_SIGNATURE: Final = ("request_id", "startTime", "spend")
_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "id": ("request_id",),
    "time": ("startTime",),
    "end": ("endTime",),
    "model": ("model", "model_group"),
    "provider": ("custom_llm_provider",),
    "billed": ("spend",),
    "input_tokens": ("prompt_tokens",),
    "output_tokens": ("completion_tokens",),
    "account": ("organization_id",),
}


def read_litellm(table: Table) -> Reading | None:
    """Recognise a spend log by its request id, start time and spend; None if one is missing."""
    if not all(table.find(column) for column in _SIGNATURE):
        return None
    fields, origins = pick(table, _COLUMNS)
    for field in ("time", "end"):
        if field in fields:
            fields[field] = moment(fields[field])
    fields["user"] = _first(table, ("user", "end_user"), metadata="user_api_key_user_id")
    fields["team"] = _first(table, (), metadata="user_api_key_team_alias", last="team_id")
    fields["key"] = _first(table, (), metadata="user_api_key_alias", last="api_key")
    fields["currency"] = constant(DEFAULT_CURRENCY)
    tags = table.find("request_tags")
    if tags is not None:
        fields["tags"] = _tag_object(table.text(tags))
    return Reading(
        format=BillFormat.LITELLM,
        fields=fields,
        origins=origins,
        is_float=True,
        step="instant",
        has_unique_ids=True,
    )


def _first(table: Table, columns: tuple[str, ...], *, metadata: str, last: str | None = None) -> str:
    """The first that is present: columns, a key of the metadata (JSON, often inside a text), a last column."""
    found = [table.text(name) for name in map(table.find, columns) if name is not None]
    details = table.find("metadata")
    if details is not None:
        text = table.text(details)
        found.append(f"case when json_valid({text}) then nullif({text}::json ->> '$.{metadata}', '') end")
    end = None if last is None else table.find(last)
    if end is not None:
        found.append(table.text(end))
    return f"coalesce({', '.join(found)})" if found else "null::varchar"


def _tag_object(text: str) -> str:
    """A list of tags becomes an object of tags that have no value, which FOCUS writes as true."""
    pairs = (
        f"list_transform(list_distinct(from_json({text}, '[\"VARCHAR\"]')), lambda x: {{'key': x, 'value': 'true'}})"
    )
    return (
        f"case when json_valid({text}) and json_type({text}) = 'ARRAY' then nullif(to_json(map_from_entries({pairs}))"
        f"::varchar, '{{}}') end"
    )
