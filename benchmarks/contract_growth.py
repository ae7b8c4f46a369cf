"""How much more the contract's functions cost when their tables have grown from a thousand rows to two million.

Run: ``uv run --locked python -m benchmarks contract_growth``. Two databases, one with few and one with many rows in
each table that the functions write; sync sessions work on both by turns, block by block. Old rows have older ids, as
they would; ids of anomalies are random, the harder case for an index.
"""

from contextlib import closing

import psycopg
import sqlalchemy
from benchmarks.contract import (
    COLUMNS,
    FUNCTIONS,
    TENANT,
    databases,
    microseconds,
    open_sqlite,
    options_of,
    ours_sync,
    prepare,
    print_versions,
)
from benchmarks.server import native
from sqlalchemy.orm import Session

from comptroller.database import create_engine

FEW = 1_000
LIMIT = 1.8
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


def second(url, backend):
    """Return the URL of another empty database beside the first."""
    if backend == "sqlite":
        return url.replace("bench.db", "grown.db")
    with psycopg.connect(native(url), autocommit=True) as connection:
        connection.execute("CREATE DATABASE grown")
    return sqlalchemy.make_url(url).set(database="grown").render_as_string(hide_password=False)


def measure(urls, name, calls, blocks):
    """Return the seconds of each block on each database."""
    function, _, say, _ = FUNCTIONS[name]
    engines = [create_engine(url) for url in urls]
    sessions = [Session(engine) for engine in engines]
    pairs = [
        [ours_sync(session, function, [say() for _ in range(calls + 1)]) for session in sessions] for _ in range(blocks)
    ]
    for session, engine in zip(sessions, engines, strict=True):
        session.close()
        engine.dispose()
    return pairs


def main():
    parser = options_of(__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000, help="rows in each table of the grown database")
    options = parser.parse_args()
    print_versions()
    with databases(options.only) as urls:
        print(f"\n| database | function | at {FEW:,} rows, µs | at {options.rows:,} rows, µs | ratio | limit | |")
        print("|---|---|---:|---:|---:|---:|---|")
        for backend, url in urls.items():
            both = url, second(url, backend)
            for database, rows in zip(both, (FEW, options.rows), strict=True):
                prepare(database)
                fill(database, backend, 1, rows)
            for name in FUNCTIONS:
                sides = zip(*measure(both, name, options.calls, options.blocks), strict=True)
                few, many = (microseconds(side, options.calls) for side in sides)
                told = "met" if many / few <= LIMIT else "MISSED"
                print(
                    f"| {backend} | {name} | {few:.0f} | {many:.0f} | {many / few:.2f} | {LIMIT} | {told} |", flush=True
                )


if __name__ == "__main__":
    main()
