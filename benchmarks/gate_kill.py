"""How long after a kill's commit a running worker stops at its checkpoint, in another process.

Run: ``uv run --locked python -m benchmarks gate_kill [--rounds 50]``. A worker calls ``checkpoint()`` every
millisecond; the parent kills its scope and reads the worker's clock at which ``RunHalted`` was raised.
"""

import argparse
import multiprocessing
import tempfile
import time
from pathlib import Path

from benchmarks.server import durable_server

from comptroller import RunHalted
from comptroller.database import create_engine, upgrade
from comptroller.face.library import Comptroller
from comptroller.types.caller import Caller

LIMIT_SECONDS = 0.25


def worker(url, ready, halted):
    with Comptroller(create_engine(url), Caller("bench")) as ct:
        while True:
            name = ready.get()
            if name is None:
                return
            try:
                with ct.run(agent=name) as run:
                    run.checkpoint()
                    halted.put("running")
                    while True:
                        run.checkpoint()
                        time.sleep(0.001)
            except RunHalted:
                halted.put(time.monotonic())


def measure(url, rounds):
    context = multiprocessing.get_context("fork")
    ready, halted = context.Queue(), context.Queue()
    process = context.Process(target=worker, args=(url, ready, halted))
    process.start()
    waits = []
    with Comptroller(create_engine(url), Caller("bench")) as ct:
        for number in range(rounds):
            ready.put(f"agent-{number}")
            assert halted.get() == "running"
            time.sleep(0.02)
            ct.kill(where={"agent": f"agent-{number}"}, why="a measurement")
            committed = time.monotonic()
            waits.append(max(0.0, halted.get() - committed))
    ready.put(None)
    process.join()
    return sorted(waits)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50, help="kills of each database")
    rounds = parser.parse_args().rounds
    print("| database | p50 | p99 | longest | limit | |\n|---|---:|---:|---:|---:|---|")
    with tempfile.TemporaryDirectory() as folder, durable_server() as server:
        for name, url in (("PostgreSQL (heard)", server), ("SQLite (asked)", f"sqlite:///{Path(folder) / 'bench.db'}")):
            upgrade(url)
            waits = measure(url, rounds)
            p50, p99 = waits[len(waits) // 2], waits[int(len(waits) * 0.99)]
            verdict = "met" if p99 <= LIMIT_SECONDS else "MISSED"
            print(
                f"| {name} | {p50 * 1000:.0f} ms | {p99 * 1000:.0f} ms | {waits[-1] * 1000:.0f} ms "
                f"| {LIMIT_SECONDS * 1000:.0f} ms | {verdict} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
