"""How many notices a second one worker dispatches, sends and marks, and whether a long queue slows the claim.

Run: ``uv run --locked python -m benchmarks outbox``. A local receiver in a process of its own takes every webhook;
PostgreSQL writes through to the disk. The second part fills the queue with a million deliveries that wait, and
compares the time of one claim of 200 with that over a thousand.
"""

import argparse
import asyncio
import multiprocessing
import platform
import statistics
import time

from benchmarks.server import durable_server, require_durable, server_version
from sqlalchemy import text

from comptroller.database import create_engine, upgrade
from comptroller.peppers import Peppers
from comptroller.spine.orchestrator import notices
from comptroller.types.caller import Caller
from comptroller.worker.relay import Relay

PEPPERS = Peppers((("1", b"p" * 32),))
TENANT = "bench"
LIMIT = 2000
ROUNDS = 7
SLOWER = 2.0
FILL = """INSERT INTO outbox (tenant_id, id, kind, subject_id, severity, payload, created_at)
  SELECT '{tenant}', '01900000-' || lpad(to_hex(n), 12, '0'), 'kill.engaged', 'kill-' || n, 'LOW',
    '{{"where": {{"agent": "crawler"}}, "by": "ana", "why": "runaway"}}'::jsonb, now()
  FROM generate_series(1, {count}) AS n"""
WAITING = """INSERT INTO deliveries
    (tenant_id, id, channel_id, notice_id, kind, subject_id, severity, body, state, attempts, due_at, created_at)
  SELECT '{tenant}', '01910000-' || lpad(to_hex(n), 12, '0'), '{channel}', 'n' || n, 'kill.engaged', 'kill-' || n,
    'LOW',
    '{{"severity": "LOW", "sentence": "x"}}'::jsonb, 'waiting', 0, now() - interval '1 hour', now()
  FROM generate_series({first}, {last}) AS n"""


async def _answer(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-l")
            )
            await reader.readexactly(length)
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


def receive(pipe):
    """Take every webhook, in a process of its own."""

    async def serve():
        server = await asyncio.start_server(_answer, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


def run_now(_job, work):
    """Run a piece of work; what it raises ends the benchmark."""
    work()


def throughput(engine, caller, port, count, channels):
    """Return notices a second, from the outbox to their mark."""
    for number in range(channels):
        target = f"http://127.0.0.1:{port}/{number}"
        notices.add_channel.run(engine, caller, PEPPERS, f"c{number}", target, allows_private=True)
    with engine.begin() as connection:
        connection.execute(text(FILL.format(tenant=TENANT, count=count)))
    relay = Relay(engine, PEPPERS, public_url=None, guarded=run_now)
    begun = time.perf_counter()
    while relay.round([TENANT]):
        relay.wait()
    took = time.perf_counter() - begun
    relay.close()
    with engine.connect() as connection:
        sent = connection.execute(text("SELECT count(*) FROM deliveries WHERE state = 'sent'")).scalar_one()
    assert sent == count * channels
    return sent / took


def claim_seconds(engine, caller, channel):
    """Return the median time of one claim of 200."""
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        claimed = notices.claim.run(engine, caller, channel, PEPPERS)
        times.append(time.perf_counter() - begun)
        assert claimed is not None
        assert len(claimed.messages) == notices.CLAIM_MAX
    return statistics.median(times)


def waiting(engine, caller, port, count):
    """Return the claim's time over a short and over a long queue."""
    made = notices.add_channel.run(engine, caller, PEPPERS, "long", f"http://127.0.0.1:{port}/", allows_private=True)
    channel, short = made.channel.id, 10_000
    found = []
    for first, last in ((1, short), (short + 1, count)):
        with engine.begin() as connection:
            connection.execute(text(WAITING.format(tenant=TENANT, channel=channel, first=first, last=last)))
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE deliveries"))
        found.append(claim_seconds(engine, caller, channel))
    return found


def main():
    """Measure both and say whether the limits are kept."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--notices", type=int, default=20_000)
    parser.add_argument("--channels", type=int, default=1)
    parser.add_argument("--waiting", type=int, default=1_000_000)
    options = parser.parse_args()
    here, there = multiprocessing.Pipe()
    receiver = multiprocessing.Process(target=receive, args=(there,), daemon=True)
    receiver.start()
    port = here.recv()
    print(f"Python {platform.python_version()}, {platform.machine()}, {multiprocessing.cpu_count()} cores")
    with durable_server() as url:
        require_durable(url)
        upgrade(url)
        print(f"PostgreSQL {server_version(url)}")
        engine, caller = create_engine(url), Caller(TENANT, "bench")
        rate = throughput(engine, caller, port, options.notices, options.channels)
        verdict = "kept" if rate >= LIMIT else "MISSED"
        told = f"{options.notices} notices, {options.channels} channel(s)"
        print(f"{told}: {rate:,.0f} a second (limit {LIMIT:,}: {verdict})")
        short, long = waiting(engine, caller, port, options.waiting)
        verdict = "kept" if long <= SLOWER * short else "MISSED"
        print(
            f"claim of 200: {short * 1000:.1f} ms over 10,000 waiting, {long * 1000:.1f} ms over {options.waiting:,} "
            f"(limit {SLOWER:g} times: {verdict})"
        )
        engine.dispose()
    receiver.terminate()


if __name__ == "__main__":
    main()
