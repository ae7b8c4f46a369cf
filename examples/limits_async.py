"""The same as limits.py, from asyncio; a kill stops the run. Uses COMPTROLLER_DATABASE or ./comptroller.db."""

import asyncio
import uuid

import comptroller


async def main() -> None:
    async with comptroller.open_async(tenant=f"example-{uuid.uuid4().hex[:8]}") as ct:
        await ct.limits.create("daily", ceiling="5 USD", every="day")
        try:
            async with ct.run(team="research", agent="crawler") as run:
                async with run.reserve("0.12 USD") as hold:
                    await hold.settle("0.0834 USD")
                killed = await ct.kill(where={"agent": "crawler"}, why="it loops", seconds=600)
                print(f"kills {len(killed.runs)} run; undo: {killed.undo}")
                await run.reserve("0.12 USD")
        except comptroller.RunHalted as halted:
            print(f"the run ended: {halted.reason}, {halted.why}")


asyncio.run(main())
