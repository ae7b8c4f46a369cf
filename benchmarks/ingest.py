"""How long a FOCUS file of a million rows takes from the disk to the tables, against a bare load of the same rows.

Run: ``uv run --locked python -m benchmarks ingest``. The bare load writes exactly the rows that the ingest stored into
the same table with its key: one COPY on PostgreSQL (durable settings), ``executemany`` on SQLite (the same pragmas),
each committed. The ingest beside that parses, checks, sums series and keeps a delivery; peak memory is its process's.
Both are run three times in turn and the quickest counts, since other programs can only make a run slower.
"""

import argparse
import json
import platform
import re
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import psycopg
from benchmarks.focus_file import write_focus
from benchmarks.server import durable_server, native, require_durable, server_version

ROWS = 1_000_000
TENANT = "bench"
BATCH = 10_000
BLOCK_BYTES = 1 << 18
LIMITS = {"ratio": 2.5, "again": 0.5, "memory": 600.0}
TABLE = "cost_rows"


def peak_mb() -> float:
    """Return this program's own peak; the peak that getrusage tells on Linux is also that of who started it."""
    status = Path("/proc/self/status")
    if status.exists():
        return float(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 / 1024


def ingest_once(url, file):
    """Take the file in, in this process; prints seconds and the peak of resident memory as JSON."""
    from comptroller.database import create_engine
    from comptroller.spine.orchestrator.ingestion import ingest
    from comptroller.types.caller import Caller

    engine = create_engine(url)
    began = time.perf_counter()
    report = ingest.run(engine, Caller(TENANT), file)
    seconds = time.perf_counter() - began
    peak = peak_mb()
    print(json.dumps({"seconds": seconds, "peak_mb": peak, "rows": report.row_count, "same": report.is_unchanged}))


def in_process(url, file):
    """Run ``ingest_once`` in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.ingest", "--one", url, str(file)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    return json.loads(done.stdout)


def bare_copy(source, target, folder):
    """COPY the rows of one database's table into another's, from a file; returns seconds of the load alone."""
    rows = folder / "rows.csv"
    every_row = f"COPY (SELECT * FROM {TABLE} ORDER BY row_no) TO STDOUT (FORMAT csv)"
    with (
        psycopg.connect(native(source)) as connection,
        connection.cursor().copy(every_row) as copy,
        rows.open("wb") as out,
    ):
        out.writelines(copy)
    with psycopg.connect(native(target)) as connection, rows.open("rb") as stream, connection.cursor() as cursor:
        began = time.perf_counter()
        with cursor.copy(f"COPY {TABLE} FROM STDIN (FORMAT csv)") as copy:
            while block := stream.read(BLOCK_BYTES):
                copy.write(block)
        connection.commit()
        seconds = time.perf_counter() - began
    rows.unlink()
    return seconds


def bare_executemany(source, target):
    """Insert the rows of one file's table into another's; returns seconds of the writing alone."""
    seconds = 0.0
    with closing(sqlite3.connect(source)) as reader, closing(sqlite3.connect(target, isolation_level=None)) as writer:
        for pragma in ("foreign_keys=ON", "journal_mode=WAL", "synchronous=FULL"):
            writer.execute(f"PRAGMA {pragma}")
        read = reader.execute(f"SELECT * FROM {TABLE} ORDER BY row_no")
        statement = f"INSERT INTO {TABLE} VALUES ({', '.join('?' * len(read.description))})"
        writer.execute("BEGIN IMMEDIATE")
        while batch := read.fetchmany(BATCH):
            began = time.perf_counter()
            writer.executemany(statement, batch)
            seconds += time.perf_counter() - began
        began = time.perf_counter()
        writer.execute("COMMIT")
    return seconds + time.perf_counter() - began


def on_sqlite(file, folder):
    from comptroller.database import upgrade

    files = [folder / f"{name}.db" for name in ("one", "bare")]
    for each in files:
        upgrade(f"sqlite:///{each}")
    first, again = in_process(f"sqlite:///{files[0]}", file), in_process(f"sqlite:///{files[0]}", file)
    bare = bare_executemany(*files)
    for each in folder.glob("*.db*"):
        each.unlink()
    return first, again, bare


def on_postgres(file, folder, url):
    from comptroller.database import upgrade

    with psycopg.connect(native(url), autocommit=True) as connection:
        for name in ("one", "bare"):
            connection.execute(f"DROP DATABASE IF EXISTS {name}")
            connection.execute(f"CREATE DATABASE {name}")
    urls = [url.replace("/postgres?", f"/{name}?") for name in ("one", "bare")]
    for each in urls:
        upgrade(each)
    first, again = in_process(urls[0], file), in_process(urls[0], file)
    return first, again, bare_copy(*urls, folder)


def best(measure, times):
    """Return the quickest of several runs of each kind: other programs can only make one slower."""
    runs = [measure() for _ in range(times)]
    firsts, agains, bares = zip(*runs, strict=True)
    first = min(firsts, key=lambda run: run["seconds"]) | {"peak_mb": max(run["peak_mb"] for run in firsts)}
    return first, min(agains, key=lambda run: run["seconds"]), min(bares)


def help_ratio(runs=15):
    """Return the median time of ``comptroller --help`` against an interpreter that does nothing."""

    def median(*command):
        times = []
        for _ in range(runs):
            began = time.perf_counter()
            subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
            times.append(time.perf_counter() - began)
        return sorted(times)[runs // 2]

    nothing, shown = median("-c", "pass"), median("-m", "comptroller", "--help")
    return nothing, shown


def report(name, bare_name, times, rows):
    first, again, bare = times
    assert first["rows"] == rows
    assert again["same"]
    ratio, repeated = first["seconds"] / bare, again["seconds"] / first["seconds"]
    verdicts = (
        ratio <= LIMITS["ratio"], first["peak_mb"] <= LIMITS["memory"], repeated <= LIMITS["again"],
    )  # fmt: skip
    print(
        f"| {name} | {first['seconds']:.1f} s | {bare_name} {bare:.1f} s | {ratio:.2f} (≤ {LIMITS['ratio']}) "
        f"| {first['peak_mb']:.0f} MB (≤ 600) | {again['seconds']:.1f} s, {repeated:.2f} (≤ 0.5) "
        f"| {'met' if all(verdicts) else 'MISSED'} |",
        flush=True,
    )


def main(arguments=()):
    parser = argparse.ArgumentParser(prog="benchmarks ingest", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--times", type=int, default=3, help="runs of each kind, in turn; the quickest counts")
    parser.add_argument("--file", type=Path, help="a FOCUS file made before; one is written unless given")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args(list(arguments))
    if given.one:
        ingest_once(*given.one)
        return
    with tempfile.TemporaryDirectory(prefix="comptroller-bench-") as place, durable_server() as url:
        folder = Path(place)
        file = given.file or folder / "focus.csv"
        if given.file is None:
            write_focus(file, given.rows)
        require_durable(url)
        size = file.stat().st_size / 1e6
        print(f"{given.rows:,} FOCUS rows, {size:,.0f} MB; {platform.platform()}, Python {platform.python_version()}, "
              f"SQLite {sqlite3.sqlite_version}, PostgreSQL {server_version(url)}\n")  # fmt: skip
        print("| database | end to end | the same rows, bare | ratio | peak memory | the same file again | |")
        print("|---|---|---|---|---|---|---|", flush=True)
        report("PostgreSQL", "COPY", best(lambda: on_postgres(file, folder, url), given.times), given.rows)
        report("SQLite", "executemany", best(lambda: on_sqlite(file, folder), given.times), given.rows)
    nothing, shown = help_ratio()
    print(f"\n`comptroller --help`: {shown * 1e3:.0f} ms, `python -c pass`: {nothing * 1e3:.0f} ms, "
          f"ratio {shown / nothing:.1f} (≤ 8)")  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1:])
