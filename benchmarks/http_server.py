"""How fast is reserve and settle over HTTP, against an empty ASGI handler on the same server in the same run.

    python benchmarks/http_server.py [--server granian|uvicorn] [--database sqlite|postgresql]
                                     [--seconds 5] [--connections 64] [--processes 1]

Every response is awaited before the same connection sends again; every hold is durable when its reply arrives.
"""

import argparse
import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).parent))

PEPPERS = "1:" + "5e" * 32


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def command_of(server: str, target: str, port: int, processes: int, *, factory: bool) -> list[str]:
    shared = ["--port", str(port), "--workers", str(processes), "--loop", "uvloop", "--log-level", "error"]
    own = {
        "granian": ["--interface", "asgi", "--no-ws", "--backlog", "1024"],
        "uvicorn": ["--no-access-log", "--http", "httptools", "--ws", "none"],
    }
    return [sys.executable, "-m", server, *shared, *own[server], *(["--factory"] if factory else []), target]


@contextmanager
def serving(command: list[str], port: int, environment: dict[str, str]) -> Iterator[None]:
    here = {**os.environ, **environment, "PYTHONPATH": str(Path(__file__).parent)}
    running = subprocess.Popen(command, env=here, start_new_session=True)
    try:
        wait_for(port)
        yield
    finally:
        os.killpg(running.pid, signal.SIGTERM)
        running.wait(20)


def wait_for(port: int) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", port), 1):
                return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(port)


class Client:
    """One connection that speaks just enough HTTP/1.1."""

    def __init__(self, port: int, key: str) -> None:
        self.port, self.key = port, key

    async def open(self) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)

    async def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        said = ("Host: x", f"Authorization: Bearer {self.key}", "Content-Type: application/json")
        lines = (f"POST {path} HTTP/1.1", *said, f"Content-Length: {len(body)}", "", "")
        head = "\r\n".join(lines)
        self.writer.write(head.encode() + body)
        raw = await self.reader.readuntil(b"\r\n\r\n")
        status = int(raw[9:12])
        lower = raw.lower()
        at = lower.find(b"content-length:")
        length = int(lower[at + 15 : lower.find(b"\r\n", at)]) if at >= 0 else 0
        return status, await self.reader.readexactly(length)


async def load(port: int, key: str, connections: int, seconds: float, *, pair: bool) -> list[float]:
    latencies: list[float] = []
    end = time.perf_counter() + seconds

    async def one() -> None:
        client = Client(port, key)
        await client.open()
        while time.perf_counter() < end:
            begun = time.perf_counter()
            status, body = await client.post("/v1/holds", b'{"amount":"0.01 USD","dimensions":{"team":"a"}}')
            latencies.append(time.perf_counter() - begun)
            if pair:
                assert status == 201, body
                hold = json.loads(body)["id"]
                begun = time.perf_counter()
                status, body = await client.post(f"/v1/holds/{hold}/settle", b'{"amount":"0.008 USD"}')
                latencies.append(time.perf_counter() - begun)
                assert status == 200, body
        client.writer.close()

    await asyncio.gather(*(one() for _ in range(connections)))
    return latencies


def measure(port: int, key: str, connections: int, seconds: float, *, pair: bool) -> tuple[float, float, float]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(load(port, key, connections, 1.0, pair=pair))
        latencies = sorted(runner.run(load(port, key, connections, seconds, pair=pair)))
    return len(latencies) / seconds, latencies[len(latencies) // 2], latencies[int(len(latencies) * 0.99)]


async def empty(scope, receive, send):
    """Read the body and answer with one of a hold's size."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    more = True
    while more:
        more = (await receive()).get("more_body", False)
    body = b'{"id":"01a20d4e708a7000b61a228ae8ff752f","seconds":600}'
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def prepared(url: str) -> str:
    from comptroller.api.server import prepare
    from comptroller.enums import Role
    from comptroller.face.library import open_sync
    from comptroller.peppers import load_peppers
    from comptroller.spine.orchestrator import access
    from comptroller.types.access import Principal

    prepare(url)
    with open_sync(url) as ct:
        ct.limits.create("bench", ceiling="100000000 USD", every="day")
        giver = Principal(ct.caller.tenant, "bench", Role.ADMIN)
        return access.create_key.run(ct.engine, ct.caller, giver, load_peppers(None), name="b", role="agent").secret


@contextmanager
def database(kind: str) -> Iterator[str]:
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/bench.db"
        return
    from server import durable_server

    from comptroller.database import upgrade

    with durable_server() as url:
        upgrade(url)
        yield url


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", default="granian")
    parser.add_argument("--database", default="postgresql")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--processes", type=int, default=1)
    said = parser.parse_args()
    os.environ["COMPTROLLER_PEPPERS"] = PEPPERS
    with database(said.database) as url:
        key = prepared(url)
        environment = {"COMPTROLLER_DATABASE": url, "COMPTROLLER_REQUESTS_PER_SECOND": "1000000"}
        print(f"{said.server}, {said.database}, {said.connections} connections, {said.processes} processes")
        print(f"{'':24}{'requests/s':>12}{'p50 ms':>9}{'p99 ms':>9}")
        rates = []
        for name, target, pair in (
            ("empty ASGI", "http_server:empty", False),
            ("reserve + settle", "comptroller.api.app:create", True),
        ):
            port = free_port()
            command = command_of(said.server, target, port, said.processes, factory=pair)
            with serving(command, port, environment):
                rate, p50, p99 = measure(port, key, said.connections, said.seconds, pair=pair)
            rates.append(rate)
            print(f"{name:24}{rate:12,.0f}{p50 * 1000:9.1f}{p99 * 1000:9.1f}", flush=True)
        print(f"{'ratio':24}{rates[1] / rates[0]:12.1%}{'p99/p50':>9}{p99 / p50:9.1f}")


if __name__ == "__main__":
    main()
