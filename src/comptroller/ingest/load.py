"""From a file's text columns to checked, typed rows in the scratch database, in one statement per file."""

from collections.abc import Sequence
from typing import Final

import duckdb

from comptroller.ingest.checks import Check
from comptroller.ingest.columns import FIELDS, NONE
from comptroller.ingest.pricing import PRICE_JOIN, PRICED_ATTOS
from comptroller.ingest.reading import Reading
from comptroller.ingest.values import atto_quanta, atto_text, decimal_text, instant, quanta, whole

COSTS: Final = ("billed", "effective", "list", "contracted")
# Rows as they are kept until they are stored. Their order is the delivery's, broken lines left out; a join shuffles
# rows, so those that were joined to prices carry their number.
LINES: Final = """
create table lines (
    file_no integer, given_no bigint,
    charge_start timestamp, charge_end timestamp, charge_category varchar, charge_class varchar,
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
# Place of a row within the delivery, from 1.
ROW_NO: Final = "coalesce(given_no, lines.rowid + 1)"
# Marks in place of the number of a check: a row that is no cost, one that repeats another.
NO_COST: Final = 254
REPEATED: Final = 255
IS_BAD: Final = f"bad_check < {NO_COST}"
_COPIED: Final = {
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
_UNPRICED: Final = {
    "price_currency": "null::varchar",
    "price_provider": "null::varchar",
    "price_row_version": "null::varchar",
    "attos": "null::hugeint",
}


def line_columns() -> list[str]:
    """Return the columns of ``lines``, in order."""
    body = LINES[LINES.index("(") + 1 : LINES.rindex(")")]
    return [part.split()[0] for part in body.split(",")]


def load(
    connection: duckdb.DuckDBPyConnection,
    reading: Reading,
    *,
    relation: str,
    file_no: int,
    rows_before: int,
    checks: Sequence[Check],
) -> None:
    """Append the rows of one file to ``lines``; bad ones carry the number of the check that they failed.

    Tokens are priced by the rows of ``prices``, which must hold every model of the file.
    """
    rows = _rows(reading, relation=relation, rows_before=rows_before)
    columns = ", ".join(_final(column, checks) for column in line_columns()[1:])
    connection.execute(f"insert into lines select {file_no}, {columns} from ({rows})")


def _rows(reading: Reading, *, relation: str, rows_before: int) -> str:
    number = f"{rows_before} + row_number() over ()" if reading.is_priced_here else "null::bigint"
    raw = f"select {number} as given_no, {reading.where} as is_cost, {_raw(reading)} from {relation}"
    typed = f"select *, {_listed(_typed(reading))} from ({raw}) as raw"
    if reading.is_priced_here:
        counted = f"select *, {_listed(_counted(reading))} from ({typed}) as typed"
        priced = f"select *, {PRICED_ATTOS} as attos from ({counted}) as counted left join prices on {PRICE_JOIN}"
    else:
        priced = f"select *, {_listed(_UNPRICED)} from ({typed}) as typed"
    costed = f"select *, {_listed(_costed(reading))} from ({priced}) as priced"
    return f"select *, {_listed(_derived(reading))} from ({costed}) as costed"


def _listed(columns: dict[str, str]) -> str:
    return ", ".join(f"{sql} as {column}" for column, sql in columns.items())


def _final(column: str, checks: Sequence[Check]) -> str:
    if column == "bad_check":
        numbered = [(check.condition, str(index)) for index, check in enumerate(checks)]
        return _chain([("not is_cost", str(NO_COST)), *numbered])
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


def _typed(reading: Reading) -> dict[str, str]:
    columns = {
        "charge_start": instant("raw_time"),
        "given_end": instant("raw_end"),
        "given_period_start": f"({instant('raw_period_start')})::date",
        "given_period_end": f"({instant('raw_period_end')})::date",
        "charge_category": "coalesce(raw_category, 'Usage')",
        "charge_class": "raw_class",
        "billing_account": f"coalesce(raw_billing_account, '{NONE}')",
        "account": f"coalesce(raw_account, raw_billing_account, '{NONE}')",
        "tags": "raw_tags",
        "consumed_quantity": decimal_text("raw_quantity", is_float=True, has_thousands=reading.has_thousands),
        "input_tokens": whole("raw_input_tokens"),
        "output_tokens": whole("raw_output_tokens"),
        "cache_read_tokens": f"coalesce({whole('raw_cache_read_tokens')}, 0)",
        "cache_write_tokens": f"coalesce({whole('raw_cache_write_tokens')}, 0)",
    }
    for name in COSTS:
        columns[f"given_{name}"] = decimal_text(
            f"raw_{name}", is_float=reading.is_float, has_thousands=reading.has_thousands
        )
    return columns | {column: f"raw_{name}" for name, column in _COPIED.items()}


def _counted(reading: Reading) -> dict[str, str]:
    """How many requests a row stands for, and how long one was: what long-context prices go by.

    A row that covers an hour or a day without saying how many requests it sums has the price of short ones.
    """
    requests = whole("raw_quantity") if reading.counts_requests else "null::bigint"
    is_one = "false" if reading.step in ("day", "hour") else "length(raw_time) > 10"
    return {
        "uses": f"greatest(coalesce({requests}, 1), 1)",
        "tier_tokens": f"case when {requests} is not null then coalesce(input_tokens, 0) // greatest({requests}, 1) "
        f"when {is_one} then coalesce(input_tokens, 0) else 0 end",
    }


def _costed(reading: Reading) -> dict[str, str]:
    """What a price decides, if the row has no cost of its own; else what the row says."""
    provider = f"coalesce(raw_provider, price_provider, '{NONE}')"
    fallback = provider if reading.is_priced_here else f"'{NONE}'"
    return {
        "currency": "coalesce(price_currency, upper(raw_currency)" + (", 'USD')" if reading.is_priced_here else ")"),
        "provider": provider,
        "service": f"coalesce(raw_service, {fallback})",
        "price_version": "case when attos is not null then price_row_version end",
        "billed_cost": f"coalesce(given_billed, {atto_text('attos')})",
        "effective_cost": f"coalesce(given_effective, {atto_text('attos')})",
        "list_cost": "given_list",
        "contracted_cost": "given_contracted",
    }


def _derived(reading: Reading) -> dict[str, str]:
    step = f"interval 1 {'second' if reading.step == 'instant' else reading.step}"
    step = f"case when length(raw_time) <= 10 then interval 1 day else {step} end"
    priced = atto_quanta("attos", "currency")
    columns = {
        "charge_end": f"case when given_end = charge_start then charge_start + {step} "
        f"else coalesce(given_end, charge_start + {step}) end",
        "period_start": "coalesce(given_period_start, date_trunc('month', charge_start)::date)",
        "period_end": "coalesce(given_period_end, (date_trunc('month', charge_start) + interval 1 month)::date)",
    }
    for name in COSTS:
        billed = quanta(f"{name}_cost", "currency")
        is_priced = reading.is_priced_here and name in ("billed", "effective")
        columns[f"{name}_quanta"] = (
            f"case when attos is not null then {priced} else {billed} end" if is_priced else billed
        )
    return columns
