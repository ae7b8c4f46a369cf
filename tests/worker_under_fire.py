"""A process that reserves and settles until it is killed, and writes down what was acknowledged to it."""

import asyncio
import os
import random

from comptroller.database import create_async_engine
from comptroller.errors import GovernanceUnavailable, LimitExceeded
from comptroller.face.library import AsyncComptroller
from comptroller.types.caller import Caller

TASKS = 16


async def caller(face: AsyncComptroller, journal: int, seed: int) -> None:
    """Reserve, then settle or release, and write down what was answered."""
    choose = random.Random(seed)  # noqa: S311 — a load, not a secret
    while True:
        try:
            hold = await face.reserve("0.01 USD", team=choose.choice("ab"))
            os.write(journal, f"held {hold.id}\n".encode())
            if choose.random() < 0.2:
                await hold.release()
                os.write(journal, f"released {hold.id}\n".encode())
            else:
                await hold.settle("0.008 USD")
                os.write(journal, f"settled {hold.id}\n".encode())
        except LimitExceeded as refused:
            os.write(journal, f"refused {refused.breach_id}\n".encode())
        except GovernanceUnavailable:
            await asyncio.sleep(0.05)


async def hammer(url: str, file: str, seed: int) -> None:
    """Call until somebody ends the process."""
    journal = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    async with AsyncComptroller(create_async_engine(url), Caller("acme")) as face:
        await asyncio.gather(*(caller(face, journal, seed * TASKS + number) for number in range(TASKS)))


def work(url: str, file: str, seed: int) -> None:
    """Be the process."""
    asyncio.run(hammer(url, file, seed))
