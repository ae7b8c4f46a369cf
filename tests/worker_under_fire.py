"""Forks workers that reserve and settle until they are killed, and write down what was acknowledged to them.

Run with a database and a folder for the journals; it imports once and forks each wave.
"""

import asyncio
import os
import random
import signal
import sys
import time

from comptroller.database import create_async_engine
from comptroller.errors import GovernanceUnavailable, LimitExceeded
from comptroller.face.library import AsyncComptroller
from comptroller.types.caller import Caller

TASKS, WORKERS, WAVES, SECONDS = 16, 2, 3, 0.8


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


def wave(url: str, folder: str, number: int) -> None:
    """Fork workers, wait until each was answered once, and kill them a moment later."""
    journals = [f"{folder}/{number}-{each}.journal" for each in range(WORKERS)]
    pids = []
    for each, journal in enumerate(journals):
        pid = os.fork()
        if pid == 0:
            try:
                asyncio.run(hammer(url, journal, number * 100 + each))
            finally:
                os._exit(1)
        pids.append(pid)
    deadline = time.monotonic() + 60
    while not all(os.path.exists(journal) and os.path.getsize(journal) for journal in journals):  # noqa: PTH110, PTH202 — a loop of a few lines
        assert time.monotonic() < deadline, "the workers did not start"
        time.sleep(0.01)
    time.sleep(SECONDS)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    for number in range(WAVES):
        wave(sys.argv[1], sys.argv[2], number)
