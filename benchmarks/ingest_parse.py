"""How fast a cost file becomes rows that a database can take, and how much memory that needs.

Run: ``uv run --locked python -m benchmarks ingest_parse``. A seeded FOCUS file as CSV, gzip CSV and Parquet; each is
opened as a bill (parse, check, sums) in a process of its own, then the COPY bytes and the tuples are taken out. The
bare read is DuckDB alone, every cell as text into nothing: what a parser that checks cannot beat.
"""

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import duckdb
from benchmarks.focus_file import write_focus

from comptroller.ingest.bill import open_bill

ROWS = 1_000_000
TODAY = date(2026, 11, 1)
KEYS = {"tenant_id": "bench", "delivery_id": "0197a000-0000-7000-8000-000000000000"}


def timed(work):
    """Return the seconds that the work took, and its result."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def peak_mb():
    """The process's highest resident memory; on Linux its own, since ru_maxrss counts what it was forked from."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 / 1024


def measure(path):
    """Open the bill and take everything out of it, in both forms."""
    opening, bill = timed(lambda: open_bill([path], today=TODAY))
    with bill:
        streams = [bill.copy_stream, bill.daily_copy, bill.hourly_copy]
        copying, _ = timed(
            lambda: sum(len(block) for part in bill.parts for stream in streams for block in stream(part, **KEYS))
        )
        peak_copy = peak_mb()
        tuples, _ = timed(lambda: sum(len(batch) for part in bill.parts for batch in bill.rows(part, **KEYS)))
    return {"open": opening, "copy": copying, "tuples": tuples, "peak_copy": peak_copy, "peak": peak_mb()}


def bare_read(path):
    """Seconds in which DuckDB reads every cell as text."""
    source = f"'{path}'" if path.suffix == ".parquet" else f"read_csv('{path}', all_varchar=true)"
    with duckdb.connect(config={"threads": 2}) as connection:
        seconds, _ = timed(lambda: connection.execute(f"select max(hash(columns(*))) from {source}").fetchall())
    return seconds


def variants(folder, rows):
    """Write the bill in the three layouts."""
    plain, packed, parquet = folder / "bill.csv", folder / "bill.csv.gz", folder / "bill.parquet"
    write_focus(plain, rows)
    with duckdb.connect() as connection:
        source = f"read_csv('{plain}', all_varchar=true)"
        connection.execute(f"copy (select * from {source}) to '{parquet}' (format parquet)")
        connection.execute(f"copy (select * from {source}) to '{packed}' (format csv, compression gzip)")
    return [plain, packed, parquet]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one)))
        return
    print(f"Python {platform.python_version()}, DuckDB {duckdb.__version__}, {options.rows:,} rows\n")
    print("| file | MB | bare read s | open s | COPY bytes s | tuples s | peak MB | with tuples |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for path in variants(Path(folder), options.rows):
            command = [sys.executable, "-m", "benchmarks.ingest_parse", "--one", str(path)]
            done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1])
            found = json.loads(done.stdout)
            cells = [f"{found[name]:.2f}" for name in ("open", "copy", "tuples")]
            cells += [f"{found[name]:.0f}" for name in ("peak_copy", "peak")]
            print(f"| {path.name} | {path.stat().st_size / 1e6:.0f} | {bare_read(path):.2f} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
