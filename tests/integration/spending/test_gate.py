import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event, text

from comptroller.database import create_async_engine, create_engine
from comptroller.domains.policies.driver.derive import unbalanced
from comptroller.enums import EntryKind
from comptroller.errors import GovernanceUnavailable, LimitExceeded
from comptroller.face.library import AsyncComptroller, Comptroller
from comptroller.types.caller import Caller
from cutting_proxy import CuttingProxy

TASKS, CALLS = 24, 5


def limited(url: str, ceiling: str) -> Comptroller:
    face = Comptroller(create_engine(url), Caller("acme"))
    face.limits.create("total", ceiling=ceiling)
    return face


def sums(url: str) -> tuple[int, int, int]:
    """What is spent and held, and how often somebody was refused."""
    engine = create_engine(url)
    with engine.connect() as conn:
        spent, held = conn.execute(text("SELECT sum(spent), sum(held) FROM balances")).one()
        refusals = conn.execute(text("SELECT coalesce(sum(occurrences), 0) FROM limit_breaches")).scalar_one()
        assert unbalanced(conn, "acme") == []
    engine.dispose()
    return int(spent), int(held), int(refusals)


def test_threads_together_spend_exactly_the_ceiling(database_url: str):
    face = limited(database_url, "50 USD")
    told: Counter[str] = Counter()

    def call() -> None:
        for _ in range(CALLS):
            try:
                face.reserve("1 USD").settle("1 USD")
                told["admitted"] += 1
            except LimitExceeded:
                told["refused"] += 1

    threads = [threading.Thread(target=call) for _ in range(TASKS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    face.close()
    assert told == {"admitted": 50, "refused": TASKS * CALLS - 50}
    assert sums(database_url) == (50 * 10**9, 0, TASKS * CALLS - 50)


def test_coroutines_together_spend_exactly_the_ceiling(database_url: str):
    limited(database_url, "50 USD").close()
    told: Counter[str] = Counter()

    async def call(face: AsyncComptroller) -> None:
        for _ in range(CALLS):
            try:
                await (await face.reserve("1 USD")).settle("1 USD")
                told["admitted"] += 1
            except LimitExceeded:
                told["refused"] += 1

    async def main() -> None:
        async with AsyncComptroller(create_async_engine(database_url), Caller("acme")) as face:
            await asyncio.gather(*(call(face) for _ in range(TASKS)))

    asyncio.run(main())
    assert told == {"admitted": 50, "refused": TASKS * CALLS - 50}
    assert sums(database_url) == (50 * 10**9, 0, TASKS * CALLS - 50)


def test_what_is_queued_while_a_commit_is_in_flight_is_one_group(database_url: str):
    limited(database_url, "50 USD").close()

    async def main() -> int:
        commits: list[Any] = []
        async with AsyncComptroller(create_async_engine(database_url), Caller("acme")) as face:
            event.listen(face.doors.gate.engine.sync_engine, "commit", commits.append)
            await asyncio.gather(*(face.reserve("1 USD").__aenter__() for _ in range(40)))
            alone = len(commits)
            await (await face.reserve("1 USD")).release()
            return alone * 100 + len(commits) - alone

    # Forty that are ready together share one commit; a lone reserve and its release take one each.
    assert asyncio.run(main()) == 1 * 100 + 2


def test_a_cancelled_caller_leaves_no_hold(database_url: str):
    limited(database_url, "50 USD").close()

    async def main() -> None:
        async with AsyncComptroller(create_async_engine(database_url), Caller("acme")) as face:
            for turns in (0, 1, 2, 3, 5, 8, 13, 21):
                other = asyncio.ensure_future(face.reserve("1 USD").__aenter__())
                caller = asyncio.ensure_future(face.reserve("2 USD").__aenter__())
                for _ in range(turns):
                    await asyncio.sleep(0)
                if caller.cancel():
                    with pytest.raises(asyncio.CancelledError):
                        await caller
                else:  # answered before it could be cancelled
                    await caller.result().release()
                await (await other).release()
            await face.doors.gate.drain()
            await (await face.reserve("1 USD")).release()  # whatever was left is given back with the next group

    asyncio.run(main())
    assert sums(database_url)[:2] == (0, 0)


def test_an_error_of_one_caller_is_not_another_s(database_url: str):
    limited(database_url, "50 USD").close()

    async def main() -> list[Any]:
        async with AsyncComptroller(create_async_engine(database_url), Caller("acme")) as face:
            amounts = ["1 USD", "1 EUR", "60 USD", "1 USD"]
            return await asyncio.gather(
                *(face.reserve(amount).__aenter__() for amount in amounts), return_exceptions=True
            )

    names = [type(answer).__name__ for answer in asyncio.run(main())]
    assert names == ["AsyncHold", "InvalidInputError", "LimitExceeded", "AsyncHold"]


@pytest.fixture
def proxy(postgres_url: str) -> Iterator[CuttingProxy]:
    proxy = CuttingProxy(postgres_url)
    yield proxy
    proxy.close()


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_commit_that_was_cut_off_is_resolved_by_its_keys(proxy: CuttingProxy, postgres_url: str, moment: str):
    limited(postgres_url, "50 USD").close()
    face = Comptroller(create_engine(proxy.url), Caller("acme"))
    for _ in range(4):
        proxy.cut_next_commit(moment)
        hold = face.reserve("1 USD")
        proxy.cut_next_commit(moment)
        assert hold.settle("0.5 USD").kind is EntryKind.SETTLE
    face.close()
    assert proxy.cuts == 8
    assert sums(postgres_url) == (2 * 10**9, 0, 0)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_refusal_whose_commit_was_cut_off_is_on_record(proxy: CuttingProxy, postgres_url: str, moment: str):
    limited(postgres_url, "1 USD").close()
    face = Comptroller(create_engine(proxy.url), Caller("acme"))
    proxy.cut_next_commit(moment)
    with pytest.raises(LimitExceeded) as refused:
        face.reserve("2 USD")
    face.close()
    engine = create_engine(postgres_url)
    with engine.connect() as conn:
        assert conn.execute(text("SELECT id FROM limit_breaches")).scalar_one() == refused.value.breach_id
    engine.dispose()


def test_a_database_that_is_down_is_never_over_the_limit(proxy: CuttingProxy, postgres_url: str):
    limited(postgres_url, "50 USD").close()
    face = Comptroller(create_engine(proxy.url), Caller("acme"))
    face.reserve("1 USD").release()
    proxy.is_down = True
    with pytest.raises(GovernanceUnavailable):
        face.reserve("1 USD")
    proxy.is_down = False
    face.reserve("1 USD").release()
    face.close()
    assert sums(postgres_url) == (0, 0, 0)
