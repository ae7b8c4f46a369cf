"""Durable reserve and settle pairs a second, beside one plain transaction for each, in one run.

Run: ``uv run --locked python -m benchmarks admission [--seconds 2] [--rounds 3]``. A pair is one durable reserve and
one durable settle. The plain way is what most teams write: a conditional UPDATE and an INSERT in one transaction for
the reserve, two UPDATEs in one for the settle, over the pool size that is best for it. Both sides run by turns on the
same server with ``fsync`` on; the table gives medians of rounds and their ratio.
"""

import argparse
import asyncio
import multiprocessing
import os
import platform
import sqlite3
import statistics
import tempfile
import time
from dataclasses import dataclass

import psycopg
from benchmarks.server import durable_server, native, server_version

from comptroller.database import create_async_engine, create_engine, upgrade
from comptroller.errors import LimitExceeded
from comptroller.face.library import AsyncComptroller, Comptroller
from comptroller.spine.orchestrator import limits
from comptroller.types.caller import Caller

POOLS = (1, 2, 4, 8, 16, 32)
PLAIN = """CREATE TABLE IF NOT EXISTS plain_budgets (id int PRIMARY KEY, ceiling bigint, spent bigint, held bigint);
CREATE TABLE IF NOT EXISTS plain_holds (id bigserial PRIMARY KEY, budget_id int, amount bigint, spent bigint,
  state text, created_at timestamptz DEFAULT now());
INSERT INTO plain_budgets SELECT n, 1000000000000000, 0, 0 FROM generate_series(0, 999) AS n ON CONFLICT DO NOTHING;"""
RESERVE = (
    "UPDATE plain_budgets SET held = held + 3000 WHERE id = %s AND spent + held + 3000 <= ceiling RETURNING 1",
    "INSERT INTO plain_holds (budget_id, amount, state) VALUES (%s, 3000, 'open') RETURNING id",
)
SETTLE = (
    "UPDATE plain_holds SET state = 'settled', spent = 2000 WHERE id = %s AND state = 'open'",
    "UPDATE plain_budgets SET held = held - 3000, spent = spent + 2000 WHERE id = %s",
)


@dataclass(frozen=True)
class Load:
    """How many callers, in how many processes, over how many limits."""

    callers: int
    processes: int = 1
    limits: int = 1


def percentile(values, part):
    return sorted(values)[int(len(values) * part)] if values else float("nan")


async def plain_callers(url, load, seconds, pool):
    connections = asyncio.Queue()
    opened = [await psycopg.AsyncConnection.connect(native(url)) for _ in range(pool)]
    for connection in opened:
        connections.put_nowait(connection)
    deadline, pairs, waits = time.perf_counter() + seconds, 0, []

    async def transaction(statements, *keys):
        connection = await connections.get()
        try:
            for statement, key in zip(statements, keys, strict=True):
                row = await connection.execute(statement, [key])
            found = await row.fetchone() if row.description else None
            await connection.commit()
            return found
        finally:
            connections.put_nowait(connection)

    async def caller(number):
        nonlocal pairs
        budget = number % load.limits
        while time.perf_counter() < deadline:
            begun = time.perf_counter()
            (hold,) = await transaction(RESERVE, budget, budget)
            await transaction(SETTLE, hold, budget)
            waits.append(time.perf_counter() - begun)
            pairs += 1

    await asyncio.gather(*(caller(number) for number in range(load.callers)))
    for connection in opened:
        await connection.close()
    return pairs, waits


async def our_callers(url, load, seconds):
    pairs, waits = 0, []
    async with AsyncComptroller(create_async_engine(url), Caller("bench")) as ct:
        runs = [ct.run(key=str(number % load.limits)) for number in range(load.callers)]
        deadline = time.perf_counter() + seconds

        async def caller(run):
            nonlocal pairs
            while time.perf_counter() < deadline:
                begun = time.perf_counter()
                hold = await run.reserve("0.000003 USD")
                await hold.settle("0.000002 USD")
                waits.append(time.perf_counter() - begun)
                pairs += 1

        await asyncio.gather(*(caller(run) for run in runs))
    return pairs, waits


def our_lone_caller(url, seconds):
    waits = []
    with Comptroller(create_engine(url), Caller("bench")) as ct:
        run = ct.run(key="0")
        deadline = time.perf_counter() + seconds
        while time.perf_counter() < deadline:
            begun = time.perf_counter()
            run.reserve("0.000003 USD").settle("0.000002 USD")
            waits.append(time.perf_counter() - begun)
    return len(waits), waits


def plain_lone_caller(url, seconds):
    waits = []
    with psycopg.connect(native(url)) as connection:
        deadline = time.perf_counter() + seconds
        while time.perf_counter() < deadline:
            begun = time.perf_counter()
            connection.execute(RESERVE[0], [0])
            hold = connection.execute(RESERVE[1], [0]).fetchone()[0]
            connection.commit()
            connection.execute(SETTLE[0], [hold])
            connection.execute(SETTLE[1], [0])
            connection.commit()
            waits.append(time.perf_counter() - begun)
    return len(waits), waits


def lone_sqlite(path, seconds):
    pairs, deadline = 0, time.perf_counter() + seconds
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        "CREATE TABLE IF NOT EXISTS b (id INTEGER PRIMARY KEY, ceiling, spent, held);"
        "CREATE TABLE IF NOT EXISTS h (id INTEGER PRIMARY KEY, amount, spent, state);"
        "INSERT OR IGNORE INTO b VALUES (0, 1000000000000000, 0, 0);"
    )
    while time.perf_counter() < deadline:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE b SET held = held + 3000 WHERE id = 0 AND spent + held + 3000 <= ceiling")
        hold = connection.execute("INSERT INTO h (amount, state) VALUES (3000, 'open')").lastrowid
        connection.execute("COMMIT")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE h SET state = 'settled', spent = 2000 WHERE id = ? AND state = 'open'", (hold,))
        connection.execute("UPDATE b SET held = held - 3000, spent = spent + 2000 WHERE id = 0")
        connection.execute("COMMIT")
        pairs += 1
    connection.close()
    return pairs, []


def in_process(kind, url, load, seconds, *, pool, results):
    share = Load(load.callers // load.processes, 1, load.limits)
    if kind == "plain":
        results.put(asyncio.run(plain_callers(url, share, seconds, max(1, pool // load.processes))))
    else:
        results.put(asyncio.run(our_callers(url, share, seconds)))


def measure(kind, url, load, seconds, pool=1):
    """Return pairs a second and the waits of all pairs."""
    if load.callers == 1:
        pairs, waits = plain_lone_caller(url, seconds) if kind == "plain" else our_lone_caller(url, seconds)
        return pairs / seconds, waits
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    workers = [
        context.Process(target=in_process, args=(kind, url, load, seconds), kwargs={"pool": pool, "results": results})
        for _ in range(load.processes)
    ]
    for worker in workers:
        worker.start()
    found = [results.get() for _ in workers]
    for worker in workers:
        worker.join()
    return sum(pairs for pairs, _ in found) / seconds, [wait for _, waits in found for wait in waits]


def best_pool(url, load, seconds):
    speeds = {pool: measure("plain", url, load, seconds, pool)[0] for pool in POOLS if pool >= load.processes}
    return max(speeds, key=speeds.get)


def compare(url, name, load, seconds, rounds):
    pool = 1 if load.callers == 1 else best_pool(url, load, max(0.5, seconds / 4))
    plain, ours, waits = [], [], []
    for _ in range(rounds):
        plain.append(measure("plain", url, load, seconds, pool)[0])
        speed, seen = measure("ours", url, load, seconds)
        ours.append(speed)
        waits += seen
    base, speed = statistics.median(plain), statistics.median(ours)
    p50, p99 = percentile(waits, 0.5), percentile(waits, 0.99)
    print(
        f"| {name} | {speed:,.0f} | {base:,.0f} (pool {pool}) | {speed / base:.2f}x "
        f"| {p50 * 1000:.1f} / {p99 * 1000:.1f} ms ({p99 / p50:.1f}x) |",
        flush=True,
    )


def prepare(url, count):
    upgrade(url)
    engine = create_engine(url)
    for number in range(count):
        limits.create_limit.run(
            engine, Caller("bench"), f"limit-{number}", ceiling="1000000 USD", where={"key": str(number)}
        )
    engine.dispose()
    if url.startswith("postgresql"):
        with psycopg.connect(native(url), autocommit=True) as connection:
            connection.execute(PLAIN)


def storm(url, seconds):
    """Return refused calls a second of 256 callers with nothing left, and the breach rows written."""
    engine = create_engine(url)
    limits.create_limit.run(engine, Caller("storm"), "none", ceiling="0.000000001 USD")
    engine.dispose()

    async def main():
        refused = 0
        async with AsyncComptroller(create_async_engine(url), Caller("storm")) as ct:
            run = ct.run(key="0")
            deadline = time.perf_counter() + seconds

            async def caller():
                nonlocal refused
                while time.perf_counter() < deadline:
                    try:
                        await run.reserve("0.000003 USD")
                    except LimitExceeded:
                        refused += 1

            await asyncio.gather(*(caller() for _ in range(256)))
        return refused

    refused = asyncio.run(main())
    engine = create_engine(url)
    with engine.connect() as conn:
        rows = conn.exec_driver_sql("SELECT count(*) FROM limit_breaches WHERE tenant_id = 'storm'").scalar_one()
    engine.dispose()
    print(f"| refusal storm, 256 callers | {refused / seconds:,.0f} refused/s | breach rows {rows} | | |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one measurement")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each side, by turns")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder, durable_server() as url:
        print(f"{server_version(url)}, fsync on; Python {platform.python_version()}, {os.cpu_count()} cores\n")
        prepare(url, 1000)
        print("| pairs a second | ours | plain | ratio | p50 / p99 of a pair |\n|---|---|---|---|---|")
        for name, load in {
            "PostgreSQL, one hot limit, 1 caller": Load(1),
            "PostgreSQL, one hot limit, 32 callers": Load(32),
            "PostgreSQL, one hot limit, 256 callers, two processes": Load(256, 2),
            "PostgreSQL, 1,000 limits, 256 callers": Load(256, 1, 1000),
        }.items():
            compare(url, name, load, options.seconds, options.rounds)
        storm(url, options.seconds)
        file = f"sqlite:///{folder}/bench.db"
        prepare(file, 1)
        ours, base = [], []
        for _ in range(options.rounds):
            base.append(lone_sqlite(f"{folder}/plain.db", options.seconds)[0] / options.seconds)
            ours.append(measure("ours", file, Load(256), options.seconds)[0])
        ratio = statistics.median(ours) / statistics.median(base)
        print(
            f"| SQLite FULL, 256 callers | {statistics.median(ours):,.0f} | {statistics.median(base):,.0f} "
            f"| {ratio:.1f}x | |"
        )


if __name__ == "__main__":
    main()
