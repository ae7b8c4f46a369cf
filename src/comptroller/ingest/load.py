"""From a file's text columns to checked, typed rows in the scratch database, in one statement per file."""

from collections.abc import Sequence
from typing import Final

import duckdb

from comptroller.ingest.checks import Check
from comptroller.ingest.columns import FIELDS, NONE
from comptroller.ingest.reading import Reading
from comptroller.ingest.values import decimal_text, instant, quanta, whole

_COSTS: Final = ("billed", "effective", "list", "contracted")
# Rows as they are kept until they are stored; rowid is the place within the delivery, broken lines left out.
LINES: Final = """
create table lines (
    file_no integer, charge_start timestamp, charge_end timestamp, charge_category varchar, charge_class varchar,
    provider varchar, billing_account varchar, account varchar, service varchar, region varchar, resource_id varchar,
    sku_id varchar, description varchar, model varchar, user_id varchar, team varchar, owner varchar,
    key_alias varchar, tags varchar, currency varchar,
    billed_cost varchar, effective_cost varchar, list_cost varchar, contracted_cost varchar,
    billed_quanta bigint, effective_quanta bigint, list_quanta bigint, contracted_quanta bigint,
    consumed_quantity varchar, consumed_unit varchar, input_tokens bigint, output_tokens bigint,
    price_version varchar, usage_id varchar, period_start date, period_end date,
    bad_check utinyint, bad_value varchar
)
"""
_COPIED: Final = {
    "service": "service",
    "region": "region",
    "resource": "resource_id",
    "sku": "sku_id",
    "description": "description",
    "model": "model",
    "user": "user_id",
    "team": "team",
    "owner": "owner",
    "key": "key_alias",
    "unit": "consumed_unit",
    "id": "usage_id",
}
_STEPS: Final = {"day": "interval 1 day", "hour": "interval 1 hour", "instant": "interval 1 second"}


def load(
    connection: duckdb.DuckDBPyConnection, reading: Reading, *, relation: str, file_no: int, checks: Sequence[Check]
) -> None:
    """Append the rows of one file to ``lines``; bad ones carry the number of the check that they failed."""
    connection.execute(f"insert into lines {_statement(reading, relation=relation, file_no=file_no, checks=checks)}")


def _statement(reading: Reading, *, relation: str, file_no: int, checks: Sequence[Check]) -> str:
    columns = ", ".join(_final(column, checks) for column in _lines_columns())
    return (
        f"select {file_no}, {columns} from (select *, {_derived(reading)} from "
        f"(select *, {_typed(reading)} from (select {_raw(reading)} from {relation}) as raw) as typed) as derived"
    )


def _lines_columns() -> list[str]:
    body = LINES[LINES.index("(") + 1 : LINES.rindex(")")]
    return [part.split()[0] for part in body.split(",") if part.strip()][1:]


def _final(column: str, checks: Sequence[Check]) -> str:
    if column == "bad_check":
        return _chain([(check.condition, str(index)) for index, check in enumerate(checks)])
    if column == "bad_value":
        return _chain([(check.condition, f"raw_{check.field}") for check in checks])
    return column


def _chain(branches: Sequence[tuple[str, str]]) -> str:
    return "case " + " ".join(f"when {condition} then {value}" for condition, value in branches) + " end"


def _raw(reading: Reading) -> str:
    fields = {name: reading.fields.get(name, "null::varchar") for name in FIELDS}
    billed, effective = fields["billed"], fields["effective"]
    fields["billed"], fields["effective"] = f"coalesce({billed}, {effective})", f"coalesce({effective}, {billed})"
    return ", ".join(f"{sql} as raw_{name}" for name, sql in fields.items())


def _typed(reading: Reading) -> str:
    columns = {
        "charge_start": instant("raw_time"),
        "given_end": instant("raw_end"),
        "given_period_start": f"({instant('raw_period_start')})::date",
        "given_period_end": f"({instant('raw_period_end')})::date",
        "currency": "upper(raw_currency)",
        "charge_category": "coalesce(raw_category, 'Usage')",
        "charge_class": "raw_class",
        "provider": f"coalesce(raw_provider, '{NONE}')",
        "billing_account": f"coalesce(raw_billing_account, '{NONE}')",
        "account": f"coalesce(raw_account, raw_billing_account, '{NONE}')",
        "tags": "raw_tags",
        "consumed_quantity": decimal_text("raw_quantity", is_float=True),
        "input_tokens": whole("raw_input_tokens"),
        "output_tokens": whole("raw_output_tokens"),
        "price_version": "null::varchar",
    }
    columns |= {f"{name}_cost": decimal_text(f"raw_{name}", is_float=reading.is_float) for name in _COSTS}
    columns |= {column: f"raw_{name}" for name, column in _COPIED.items()}
    columns["service"] = f"coalesce(raw_service, '{NONE}')"
    return ", ".join(f"{sql} as {column}" for column, sql in columns.items())


def _derived(reading: Reading) -> str:
    step = "case when length(raw_time) <= 10 then interval 1 day else " + _STEPS[reading.step] + " end"
    columns = {
        "charge_end": f"case when given_end > charge_start or given_end < charge_start then given_end "
        f"else charge_start + {step} end",
        "period_start": "coalesce(given_period_start, date_trunc('month', charge_start)::date)",
        "period_end": "coalesce(given_period_end, (date_trunc('month', charge_start) + interval 1 month)::date)",
    }
    columns |= {f"{name}_quanta": quanta(f"{name}_cost", "currency") for name in _COSTS}
    return ", ".join(f"{sql} as {column}" for column, sql in columns.items())
