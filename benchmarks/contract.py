"""How much the contract's functions cost beside the raw driver's prepared INSERTs of all the rows that they write.

Run: ``uv run --locked python -m benchmarks contract``. Both sides work inside an open transaction, in blocks by turns,
on the same database; each block is committed, untimed (psycopg forgets what it prepared at a rollback). The raw side
knows its parameters beforehand and checks nothing. Figures are medians over the blocks; the best block stands beside
them, since a busy machine troubles it least.
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
from contextlib import ExitStack, closing, contextmanager
from decimal import Decimal
from importlib.metadata import version
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
# A raw block has more calls on SQLite, so that blocks of both sides last about as long: fair on a busy machine.
RAW_TIMES = {"sqlite": 5, "postgresql": 1}
COLUMNS = {
    "incidents": "tenant_id, id, source_type, anomaly_id, anomaly_type, severity, status, suppressed_reason, title, "
    "description, current_value_cents, expected_value_cents, currency, entity_type, entity_id, opened_at, updated_at",
    "incident_events": "tenant_id, id, incident_id, kind, actor, at, detail, content_hash",
    "outbox": "tenant_id, id, kind, subject_id, severity, payload, created_at",
    "limit_breaches": "tenant_id, id, limit_id, breach_type, value_at_breach, limit_value, run_id, incident_id, "
    "details, occurrences, recorded_at, last_at",
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
    what = ["cost_anomaly", said["anomaly_id"], "USER_SPIKE", "HIGH", "open", None, "user spike on user user-17"]
    rows = {
        "incidents": [TENANT, incident_id, *what, said["description"], 15000, 10000, "USD", "user", "u-17", now, now],
        "incident_events": [TENANT, uuid7(), incident_id, "opened", "system", now, detail, said["anomaly_id"] * 2],
        "outbox": [TENANT, uuid7(), "incident.opened", incident_id, "HIGH", detail, now],
    }
    return [(raw_statement(table, backend), [stored(v, backend) for v in row]) for table, row in rows.items()]


def raw_breach(backend):
    """Return the two rows of a breach as a raw driver takes them."""
    said = crossing()
    breach_id, detail, now = uuid7(), json.dumps(said["details"]), utc_now()
    values = [said["value_at_breach"], said["limit_value"]]
    rows = {
        "limit_breaches": [TENANT, breach_id, "limit-1", "BREACHED", *values, "run-17", None, detail, 1, now, now],
        "outbox": [TENANT, uuid7(), "limit.breached", breach_id, "HIGH", detail, now],
    }
    return [(raw_statement(table, backend), [stored(v, backend) for v in row]) for table, row in rows.items()]


FUNCTIONS = {
    "incident": (create_incident_from_cost_anomaly_sync, create_incident_from_cost_anomaly, anomaly, raw_incident),
    "breach": (record_limit_breach_sync, record_limit_breach, crossing, raw_breach),
}


@contextmanager
def clock():
    """Yield a list that holds the seconds of the block when it is over; no garbage is collected in it."""
    gc.collect()
    gc.disable()
    seconds = []
    began = time.perf_counter()
    yield seconds
    seconds.append(time.perf_counter() - began)
    gc.enable()


def ours_sync(session, function, calls):
    function(session, **calls.pop())  # begins the transaction
    with clock() as seconds:
        for call in calls:
            function(session, **call)
    session.commit()
    return seconds[0]


def raw_sync(connection, rows):
    execute = connection.cursor().execute
    options = {} if isinstance(connection, sqlite3.Connection) else {"prepare": True}
    for statement, values in rows.pop():
        execute(statement, values, **options)
    with clock() as seconds:
        for row in rows:
            for statement, values in row:
                execute(statement, values, **options)
    connection.commit()
    return seconds[0]


def measure_sync(url, backend, name, calls, blocks):
    """Return both sides' seconds for so many calls, block by block."""
    function, _, say, raw_rows = FUNCTIONS[name]
    engine = create_engine(url)
    raw = open_sqlite(url) if backend == "sqlite" else psycopg.connect(native(url))
    pairs = []
    with closing(raw), Session(engine) as session:
        for _ in range(blocks):
            said = [say() for _ in range(calls + 1)]
            rows = [raw_rows(backend) for _ in range(calls * RAW_TIMES[backend] + 1)]
            pairs.append((ours_sync(session, function, said), raw_sync(raw, rows) / RAW_TIMES[backend]))
    engine.dispose()
    return pairs


def open_sqlite(url):
    raw = sqlite3.connect(url.removeprefix("sqlite:///"))
    raw.execute("PRAGMA foreign_keys=ON")
    return raw


async def ours_async(session, function, calls):
    await function(session, **calls.pop())
    with clock() as seconds:
        for call in calls:
            await function(session, **call)
    await session.commit()
    return seconds[0]


async def raw_async(connection, rows):
    options = {} if isinstance(connection, aiosqlite.Connection) else {"prepare": True}
    cursor = await connection.cursor() if isinstance(connection, aiosqlite.Connection) else connection.cursor()
    for statement, values in rows.pop():
        await cursor.execute(statement, values, **options)
    with clock() as seconds:
        for row in rows:
            for statement, values in row:
                await cursor.execute(statement, values, **options)
    await connection.commit()
    return seconds[0]


async def measure_async(url, backend, name, calls, blocks):
    """Return both sides' seconds for so many calls, block by block."""
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
            said = [say() for _ in range(calls + 1)]
            rows = [raw_rows(backend) for _ in range(calls * RAW_TIMES[backend] + 1)]
            pairs.append((await ours_async(session, function, said), await raw_async(raw, rows) / RAW_TIMES[backend]))
    await raw.close()
    await engine.dispose()
    return pairs


def prepare(url):
    """Make the schema and the limit."""
    upgrade(url)
    engine = create_engine(url)
    with engine.begin() as connection:
        table = sqlalchemy.Table("limits", sqlalchemy.MetaData(), autoload_with=connection)
        fillers = {"TEXT": "x", "VARCHAR": "x", "BIGINT": 1, "INTEGER": 1, "BOOLEAN": False, "JSON": {}, "JSONB": {}}
        row = {c.name: fillers.get(type(c.type).__name__, utc_now()) for c in table.columns if not c.nullable}
        row |= {"tenant_id": TENANT, "id": "limit-1", "name": "limit-1", "every": "month", "mode": "block"}
        connection.execute(table.insert().values(row))
    engine.dispose()


def microseconds(seconds, calls, of=statistics.median):
    return of(seconds) / calls * 1e6


def report(backend, mode, name, pairs, calls):
    ours, raw = (microseconds(side, calls) for side in zip(*pairs, strict=True))
    best, best_raw = (microseconds(side, calls, min) for side in zip(*pairs, strict=True))
    limit = LIMITS[backend, mode]
    figures = f"{ours:.0f} | {raw:.0f} | {ours / raw:.2f} | {best / best_raw:.2f} | {limit}"
    print(f"| {backend} | {mode} | {name} | {figures} | {'met' if ours / raw <= limit else 'MISSED'} |", flush=True)


def compare(url, backend, options):
    """Compare all functions on one database."""
    for name in FUNCTIONS:
        pairs = measure_sync(url, backend, name, options.calls, options.blocks)
        report(backend, "sync", name, pairs, options.calls)
        pairs = asyncio.run(measure_async(url, backend, name, options.calls, options.blocks))
        report(backend, "async", name, pairs, options.calls)


def print_versions():
    print(f"{platform.platform()}, Python {platform.python_version()}, SQLAlchemy {sqlalchemy.__version__}, ", end="")
    print(f"psycopg {psycopg.__version__}, SQLite {sqlite3.sqlite_version}, aiosqlite {version('aiosqlite')}")


@contextmanager
def databases(only):
    """Yield the URL of an empty database of each kind."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="comptroller-bench-")))
        urls = {} if only == "postgresql" else {"sqlite": f"sqlite:///{folder / 'bench.db'}"}
        if only != "sqlite":
            urls["postgresql"] = stack.enter_context(durable_server())
            print(f"PostgreSQL {server_version(urls['postgresql'])}")
        yield urls


def options_of(description):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=100, help="calls in a block")
    parser.add_argument("--blocks", type=int, default=31, help="blocks of each side")
    parser.add_argument("--only", choices=["sqlite", "postgresql"], help="one database")
    return parser


def main():
    options = options_of(__doc__).parse_args()
    print_versions()
    with databases(options.only) as urls:
        print("\n| database | kind | function | comptroller, µs | raw driver, µs | ratio | of the best | limit | |")
        print("|---|---|---|---:|---:|---:|---:|---:|---|")
        for backend, url in urls.items():
            prepare(url)
            compare(url, backend, options)


if __name__ == "__main__":
    main()
