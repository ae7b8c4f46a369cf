import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from comptroller.ids import uuid7
from comptroller.spine.drivers.cross_domain import generate_uuid


def test_id_is_a_uuid_of_version_seven():
    made = uuid.UUID(uuid7())
    assert (made.version, made.variant) == (7, uuid.RFC_4122)


def test_text_is_the_canonical_form():
    made = uuid7()
    assert str(uuid.UUID(made)) == made


def test_ids_sort_in_the_order_they_were_made():
    made = [uuid7() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_ids_of_many_threads_are_distinct():
    with ThreadPoolExecutor(8) as pool:
        made = [name for names in pool.map(lambda _: [uuid7() for _ in range(2_000)], range(8)) for name in names]
    assert len(set(made)) == len(made)


def test_id_carries_the_time():
    before = time.time_ns() // 1_000_000
    milliseconds = int(generate_uuid().replace("-", "")[:12], 16)
    assert before <= milliseconds <= time.time_ns() // 1_000_000 + 1_000


def test_clock_that_goes_back_does_not_repeat_an_id(monkeypatch: pytest.MonkeyPatch):
    first = uuid7()
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    made = [first, *(uuid7() for _ in range(10))]
    assert made == sorted(set(made))
