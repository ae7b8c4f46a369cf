"""What admission does near a ceiling, under a flood, with many limits: each against itself in one run.

Run: ``uv run --locked python -m benchmarks admission_shapes``. Pairs of reserve and settle over a durable PostgreSQL.
"""

import argparse
import asyncio
import time

from benchmarks.admission import percentile
from benchmarks.server import durable_server
from sqlalchemy import insert

from comptroller.clock import utc_now
from comptroller.database import create_async_engine, create_engine, upgrade
from comptroller.errors import LimitExceeded
from comptroller.face.library import AsyncComptroller
from comptroller.models.policy_control_plane import Limit, TenantPolicy
from comptroller.spine.orchestrator import limits
from comptroller.types.caller import Caller


async def callers(face, seconds, count, waits, **dimensions):
    """Reserve and settle with some callers until the time is over, and return how many pairs there were."""
    run, deadline, pairs = face.run(**dimensions), time.perf_counter() + seconds, 0

    async def one():
        nonlocal pairs
        while time.perf_counter() < deadline:
            begun = time.perf_counter()
            await (await run.reserve("0.000003 USD")).settle("0.000002 USD")
            waits.append(time.perf_counter() - begun)
            pairs += 1

    await asyncio.gather(*(one() for _ in range(count)))
    return pairs


def near_the_ceiling(url):
    engine = create_engine(url)
    limits.create_limit.run(engine, Caller("ceiling"), "total", ceiling="1000 USD")

    async def main():
        admitted = 0
        async with AsyncComptroller(create_async_engine(url), Caller("ceiling")) as face:

            async def one():
                nonlocal admitted
                for _ in range(8):
                    try:
                        await (await face.reserve("1 USD")).settle("1 USD")
                        admitted += 1
                    except LimitExceeded:
                        return

            await asyncio.gather(*(one() for _ in range(256)))
        return admitted

    admitted = asyncio.run(main())
    with engine.connect() as conn:
        spent = conn.exec_driver_sql("SELECT spent FROM balances WHERE tenant_id = 'ceiling'").scalar_one()
    engine.dispose()
    print(
        f"| near the ceiling, 256 callers | {admitted / 10:.1f} % used | overspend {max(0, spent - 1000 * 10**9)} | |"
    )


def many_limits(url, seconds):
    engine = create_engine(url)
    now = utc_now()
    for tenant, count in (("one", 1), ("ten", 10), ("many", 100_000)):
        rows = [
            {
                "tenant_id": tenant, "id": f"{tenant}-{number}", "name": f"{number}", "unit": "USD",
                "ceiling_quanta": 10**18, "every": "lifetime", "timezone": "UTC",
                "scope": {} if number < 10 else {"key": str(number)}, "per": [], "require": [], "mode": "block",
                "warn_at": [], "opens_incident": False, "builtin": False, "version": 1, "changed_in": 1,
                "created_at": now, "created_by": "bench",
            }
            for number in range(count)
        ]  # fmt: skip
        with engine.begin() as conn:
            conn.execute(
                insert(TenantPolicy),
                {"tenant_id": tenant, "version": 1, "requires_limit": False, "updated_at": now},
            )
            conn.execute(insert(Limit), rows)
    engine.dispose()

    async def main(tenant):
        async with AsyncComptroller(create_async_engine(url), Caller(tenant)) as face:
            await callers(face, 0.1, 1, [])  # the policy is read once
            return await callers(face, seconds, 32, [])

    speeds = {tenant: asyncio.run(main(tenant)) / seconds for tenant in ("one", "ten", "many")}
    for tenant, name in (("ten", "10 applicable limits"), ("many", "100,000 limits, 10 applicable")):
        ratio = speeds["one"] / speeds[tenant]
        print(f"| {name}, 32 callers | {speeds[tenant]:,.0f} pairs/s | one limit {speeds['one']:,.0f} | {ratio:.2f}x |")


def flood(url, seconds):
    engine = create_engine(url)
    tenants = [f"quiet-{number}" for number in range(100)]
    for tenant in ("flood", *tenants):
        limits.create_limit.run(engine, Caller(tenant), "total", ceiling="1000000 USD")
    engine.dispose()

    async def main(*, is_flooded):
        waits = []
        async with AsyncComptroller(create_async_engine(url), Caller("flood")) as loud:
            gate = loud.doors.gate
            faces = [AsyncComptroller(loud.engine, Caller(tenant)) for tenant in tenants]
            for face in faces:
                face.doors.gate = gate  # one process, one gate
            work = [callers(face, seconds, 1, waits) for face in faces]
            if is_flooded:
                work.append(callers(loud, seconds, 400, []))
            await asyncio.gather(*work)
        return percentile(waits, 0.99)

    quiet, loud = asyncio.run(main(is_flooded=False)), asyncio.run(main(is_flooded=True))
    print(
        f"| 100 tenants beside one that floods | p99 {loud * 1000:.0f} ms | without {quiet * 1000:.0f} ms "
        f"| {loud / quiet:.2f}x |"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one measurement")
    seconds = parser.parse_args().seconds
    print("| what | measured | beside | ratio |\n|---|---|---|---|")
    with durable_server() as url:
        upgrade(url)
        near_the_ceiling(url)
        flood(url, seconds)
        many_limits(url, seconds)


if __name__ == "__main__":
    main()
