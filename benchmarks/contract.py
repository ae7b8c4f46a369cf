"""How much the contract's functions cost beside the raw driver's prepared INSERTs of all the rows that they write.

Run: ``uv run --locked python -m benchmarks contract``. Both sides work inside an open transaction, in blocks by turns, on
the same database; each block is committed (untimed: psycopg forgets what it prepared at a rollback). The raw side knows its parameters beforehand and checks
nothing. ``--existing N`` then fills the tables with N rows each and compares with the cost at 1,000.
"""

import argparse
import asyncio
import gc
import json
import platform
import sqlite3
import statistics
import tempfile
import time
import uuid
from contextlib import ExitStack, closing
from decimal import Decimal
from pathlib import Path

import aiosqlite
import psycopg
import sqlalchemy
from benchmarks.server import durable_server, native, server_version
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from comptroller.clock import utc_now
from comptroller.database import create_async_engine, create_engine, upgrade
from comptroller.ids import uuid7
from comptroller.spine.drivers.cross_domain import (
    create_incident_from_cost_anomaly,
    create_incident_from_cost_anomaly_sync,
    record_limit_breach,
    record_limit_breach_sync,
)

TENANT = "bench"
LIMITS = {("postgresql", "sync"): 1.8, ("postgresql", "async"): 2.5, ("sqlite", "sync"): 8.0, ("sqlite", "async"): 5.0}
GROWTH_LIMIT = 1.8
FEW = 1_000
COLUMNS = {
    "incidents": "tenant_id, id, source_type, anomaly_id, anomaly_type, severity, status, suppressed_reason, title, "
    "description, current_value_cents, expected_value_cents, currency, entity_type, entity_id, opened_at, updated_at",
    "incident_events": "tenant_id, id, incident_id, kind, actor, at, detail, content_hash",
    "outbox": "tenant_id, id, kind, subject_id, severity, payload, created_at",
    "limit_breaches": "tenant_id, id, limit_id, breach_type, value_at_breach, limit_value, run_id, incident_id, details, "
    "occurrences, recorded_at, last_at",
}
JSON_COLUMNS = ("detail", "payload", "details")


def raw_statement(table, backend):
    names = COLUMNS[table].split(", ")
    mark = "?" if backend == "sqlite" else "%s"
    marks = [f"{mark}::jsonb" if backend == "postgresql" and name in JSON_COLUMNS else mark for name in names]
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(marks)})"


def anomaly():
    """Return what a caller says of an anomaly that was never reported."""
    return {
        "tenant_id": TENANT,
        "anomaly_id": uuid.uuid4().hex,
        "anomaly_type": "USER_SPIKE",
        "severity": "HIGH",
        "current_value_cents": 15_000,
        "expected_value_cents": 10_000,
        "entity_type": "user",
        "entity_id": "user-17",
        "description": "spent half as much again as on the same weekday before",
    }


def crossing():
    """Return what a caller says of a crossing."""
    return {
        "tenant_id": TENANT,
        "limit_id": "limit-1",
        "breach_type": "BREACHED",
        "value_at_breach": Decimal("150.00"),
        "limit_value": Decimal("100.00"),
        "run_id": "run-17",
        "details": {"model": "a-model", "input_tokens": 1200},
    }


def stored(value, backend):
    if backend == "sqlite" and isinstance(value, Decimal):
        return str(value)
    return value.strftime("%Y-%m-%d %H:%M:%S.%f") if backend == "sqlite" and hasattr(value, "strftime") else value


def raw_incident(backend):
    """Return the three rows of an incident as a raw driver takes them."""
    said = anomaly()
    incident_id, detail, now = uuid7(), json.dumps(said), utc_now()
    rows = {
        "incidents": [TENANT, incident_id, "cost_anomaly", said["anomaly_id"], "USER_SPIKE", "HIGH", "open", None]
        + ["user spike on user user-17", said["description"], 15_000, 10_000, "USD", "user", "user-17", now, now],
        "incident_events": [TENANT, uuid7(), incident_id, "opened", "system", now, detail, said["anomaly_id"] * 2],
        "outbox": [TENANT, uuid7(), "incident.opened", incident_id, "HIGH", detail, now],
    }
    return [(raw_statement(table, backend), [stored(v, backend) for v in row]) for table, row in rows.items()]


def raw_breach(backend):
    """Return the two rows of a breach as a raw driver takes them."""
    said = crossing()
    breach_id, detail, now = uuid7(), json.dumps(said["details"]), utc_now()
    rows = {
        "limit_breaches": [TENANT, breach_id, "limit-1", "BREACHED", said["value_at_breach"], said["limit_value"]]
        + ["run-17", None, detail, 1, now, now],
        "outbox": [TENANT, uuid7(), "limit.breached", breach_id, "HIGH", detail, now],
    }
    return [(raw_statement(table, backend), [stored(v, backend) for v in row]) for table, row in rows.items()]


FUNCTIONS = {
    "incident": (create_incident_from_cost_anomaly_sync, create_incident_from_cost_anomaly, anomaly, raw_incident),
    "breach": (record_limit_breach_sync, record_limit_breach, crossing, raw_breach),
}


def timed(body):
    gc.collect()
    gc.disable()
    began = time.perf_counter()
    body()
    seconds = time.perf_counter() - began
    gc.enable()
    return seconds


def ours_sync(session, function, calls):
    def body():
        for call in calls:
            function(session, **call)

    function(session, **calls.pop())  # begins the transaction
    seconds = timed(body)
    session.commit()
    return seconds


def raw_sync(connection, rows):
    execute = connection.cursor().execute
    options = {} if isinstance(connection, sqlite3.Connection) else {"prepare": True}

    def body():
        for row in rows:
            for statement, values in row:
                execute(statement, values, **options)

    for statement, values in rows.pop():
        execute(statement, values, **options)
    seconds = timed(body)
    connection.commit()
    return seconds


def measure_sync(url, backend, name, calls, blocks):
    """Return both sides' seconds of each block."""
    function, _, say, raw_rows = FUNCTIONS[name]
    engine = create_engine(url)
    raw = open_sqlite(url) if backend == "sqlite" else psycopg.connect(native(url))
    pairs = []
    with closing(raw), Session(engine) as session:
        for _ in range(blocks):
            said, rows = [say() for _ in range(calls + 1)], [raw_rows(backend) for _ in range(calls + 1)]
            pairs.append((ours_sync(session, function, said), raw_sync(raw, rows)))
    engine.dispose()
    return pairs


def open_sqlite(url):
    raw = sqlite3.connect(url.removeprefix("sqlite:///"))
    raw.execute("PRAGMA foreign_keys=ON")
    return raw


async def ours_async(session, function, calls):
    await function(session, **calls.pop())
    gc.collect()
    gc.disable()
    began = time.perf_counter()
    for call in calls:
        await function(session, **call)
    seconds = time.perf_counter() - began
    gc.enable()
    await session.commit()
    return seconds


async def raw_async(connection, rows):
    options = {} if isinstance(connection, aiosqlite.Connection) else {"prepare": True}
    cursor = await connection.cursor() if isinstance(connection, aiosqlite.Connection) else connection.cursor()
    for statement, values in rows.pop():
        await cursor.execute(statement, values, **options)
    gc.collect()
    gc.disable()
    began = time.perf_counter()
    for row in rows:
        for statement, values in row:
            await cursor.execute(statement, values, **options)
    seconds = time.perf_counter() - began
    gc.enable()
    await connection.commit()
    return seconds


async def measure_async(url, backend, name, calls, blocks):
    """Return both sides' seconds of each block."""
    _, function, say, raw_rows = FUNCTIONS[name]
    engine = create_async_engine(url)
    if backend == "sqlite":
        raw = await aiosqlite.connect(url.removeprefix("sqlite:///"))
        await raw.execute("PRAGMA foreign_keys=ON")
    else:
        raw = await psycopg.AsyncConnection.connect(native(url))
    pairs = []
    async with AsyncSession(engine) as session:
        for _ in range(blocks):
            said, rows = [say() for _ in range(calls + 1)], [raw_rows(backend) for _ in range(calls + 1)]
            pairs.append((await ours_async(session, function, said), await raw_async(raw, rows)))
    await raw.close()
    await engine.dispose()
    return pairs


def prepare(url, backend):
    """Make the schema and the limit."""
    upgrade(url)
    engine = create_engine(url)
    boolean = "false" if backend == "postgresql" else "0"
    with engine.begin() as connection:
        table = sqlalchemy.Table("limits", sqlalchemy.MetaData(), autoload_with=connection)
        fillers = {"TEXT": "x", "VARCHAR": "x", "BIGINT": 1, "INTEGER": 1, "BOOLEAN": False, "JSON": {}, "JSONB": {}}
        row = {c.name: fillers.get(type(c.type).__name__, utc_now()) for c in table.columns if not c.nullable}
        assert boolean
        row |= {"tenant_id": TENANT, "id": "limit-1", "name": "limit-1", "every": "month", "mode": "block"}
        connection.execute(table.insert().values(row))
    engine.dispose()


OLD_ID = {
    "postgresql": "'01900000-' || lpad(to_hex(n), 12, '0') || '-' || {suffix}",
    "sqlite": "'01900000-' || printf('%012x', n) || '-' || {suffix}",
}
NUMBERS = {
    "postgresql": "SELECT n FROM generate_series({first}, {last}) AS n",
    "sqlite": "WITH RECURSIVE s(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM s WHERE n < {last}) SELECT n FROM s",
}


def fill(url, backend, first, last):
    """Put rows number ``first`` to ``last`` into each table that the functions write: old ids, random anomaly ids."""
    old = {table: OLD_ID[backend].format(suffix=f"'{table[0]}'") for table in COLUMNS}
    random_id = "md5(n::text)" if backend == "postgresql" else "lower(hex(randomblob(16)))"
    now = "'2026-01-01 00:00:00.000000'" + ("::timestamptz" if backend == "postgresql" else "")
    detail = '\'{"any": "thing"}\'' + ("::jsonb" if backend == "postgresql" else "")
    number = "'1'::numeric" if backend == "postgresql" else "'1'"
    values = {
        "incidents": f"'{TENANT}', {old['incidents']}, 'cost_anomaly', {random_id}, 'SPIKE', 'HIGH', 'open', NULL, "
        f"'a title', 'a text', 15000, 10000, 'USD', 'user', 'user-17', {now}, {now}",
        "incident_events": f"'{TENANT}', {old['incident_events']}, {old['incidents']}, 'opened', 'system', {now}, "
        f"{detail}, {random_id}",
        "outbox": f"'{TENANT}', {old['outbox']}, 'incident.opened', {old['incidents']}, 'HIGH', {detail}, {now}",
        "limit_breaches": f"'{TENANT}', {old['limit_breaches']}, 'limit-1', 'BREACHED', {number}, {number}, 'run-17', "
        f"NULL, {detail}, 1, {now}, {now}",
    }
    numbers = NUMBERS[backend].format(first=first, last=last)
    connection = open_sqlite(url) if backend == "sqlite" else psycopg.connect(native(url))
    with closing(connection):
        for table, row in values.items():
            connection.execute(f"INSERT INTO {table} ({COLUMNS[table]}) SELECT {row} FROM ({numbers}) AS numbers")
        connection.commit()
        connection.execute("ANALYZE")
        connection.commit()


def microseconds(pairs, calls):
    ours, raw = (statistics.median(side) / calls * 1e6 for side in zip(*pairs, strict=True))
    return ours, raw


def report(backend, mode, name, pairs, calls):
    ours, raw = microseconds(pairs, calls)
    limit = LIMITS[backend, mode]
    print(
        f"| {backend} | {mode} | {name} | {ours:.0f} | {raw:.0f} | {ours / raw:.2f} | {limit} "
        f"| {'met' if ours / raw <= limit else 'MISSED'} |",
        flush=True,
    )
    return ours


def compare(url, backend, options):
    """Compare all functions on one database, and then their cost when it has grown."""
    few = {}
    for name in FUNCTIONS:
        pairs = measure_sync(url, backend, name, options.calls, options.blocks)
        few[name] = report(backend, "sync", name, pairs, options.calls)
        pairs = asyncio.run(measure_async(url, backend, name, options.calls, options.blocks))
        report(backend, "async", name, pairs, options.calls)
    if options.existing:
        fill(url, backend, FEW + 1, options.existing)
        return few, {
            name: microseconds(measure_sync(url, backend, name, options.calls, options.blocks), options.calls)[0]
            for name in FUNCTIONS
        }
    return few, {}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=200, help="calls in a block")
    parser.add_argument("--blocks", type=int, default=15, help="blocks of each side")
    parser.add_argument("--existing", type=int, default=0, help="rows to fill each table with, such as 2000000")
    parser.add_argument("--only", choices=["sqlite", "postgresql"], help="one database")
    options = parser.parse_args()
    print(f"{platform.platform()}, Python {platform.python_version()}, SQLAlchemy {sqlalchemy.__version__}, ", end="")
    print(f"psycopg {psycopg.__version__}, SQLite {sqlite3.sqlite_version}, aiosqlite {aiosqlite.__version__}")
    grown = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="comptroller-bench-")))
        urls = {"sqlite": f"sqlite:///{folder / 'bench.db'}"}
        if options.only != "sqlite":
            urls["postgresql"] = stack.enter_context(durable_server())
            print(f"PostgreSQL {server_version(urls['postgresql'])}")
        print("\n| database | kind | function | comptroller, µs | raw driver, µs | ratio | limit | |")
        print("|---|---|---|---:|---:|---:|---:|---|")
        for backend, url in urls.items():
            if options.only in (None, backend):
                prepare(url, backend)
                fill(url, backend, 1, FEW)
                grown.append((backend, *compare(url, backend, options)))
    if options.existing:
        print(f"\n| database | function | at {FEW:,} rows, µs | at {options.existing:,} rows, µs | ratio | limit | |")
        print("|---|---|---:|---:|---:|---:|---|")
        for backend, few, many in grown:
            for name in FUNCTIONS:
                ratio = many[name] / few[name]
                told = "met" if ratio <= GROWTH_LIMIT else "MISSED"
                print(
                    f"| {backend} | {name} | {few[name]:.0f} | {many[name]:.0f} | {ratio:.2f} | {GROWTH_LIMIT} | {told} |"
                )


if __name__ == "__main__":
    main()
