import csv
import io
import threading
from datetime import date

import pytest

from comptroller.ingest import emit
from comptroller.ingest.columns import COST_ROW_COLUMNS, DAILY_COLUMNS, HOURLY_COLUMNS

KEYS = {"tenant_id": "acme", "delivery_id": "d1"}
KINDS = [("rows", "copy_stream"), ("daily", "daily_copy"), ("hourly", "hourly_copy")]


@pytest.fixture
def bill(write, opened, focus):
    rows = [
        {"ServiceName": f's "{number}", x', "ChargePeriodEnd": "2025-04-01T01:00:00Z", "ListCost": "3"}
        | {"RegionId": ["", "eu"][number % 2], "Tags": '{"a": "b"}', "ChargeDescription": "two\nlines"}
        for number in range(300)
    ]
    return opened(write("bill.csv", focus(*rows)))


def as_copied(value, column):
    """What PostgreSQL reads from the copy, in the words of the tuple form."""
    if value == "":
        return None
    if column in ("charge_start", "charge_end", "hour_at"):
        assert value.endswith("+00")
        return value.removesuffix("+00") + ".000000"
    is_number = column.endswith(("_quanta", "_tokens")) or column in ("row_no", "row_count")
    return int(value) if is_number else value


@pytest.mark.parametrize(("tuples", "copied"), KINDS)
def test_both_forms_hold_the_same_rows_in_the_order_of_the_columns(bill, tuples, copied):
    columns = {"rows": COST_ROW_COLUMNS, "daily": DAILY_COLUMNS, "hourly": HOURLY_COLUMNS}[tuples]
    (part,) = bill.parts
    found = [row for batch in getattr(bill, tuples)(part, **KEYS) for row in batch]
    text = b"".join(getattr(bill, copied)(part, **KEYS)).decode()
    read = csv.reader(io.StringIO(text, newline=""))
    copies = [tuple(map(as_copied, row, columns)) for row in read]
    assert all(len(row) == len(columns) for row in found)
    assert sorted(copies, key=repr) == sorted(found, key=repr)


def test_an_empty_text_and_an_absent_one_stay_apart_in_the_copy(bill):
    lines = list(emit.copy_bytes(bill._scratch.connection, "select '', null, 'a'", bill._scratch.path))
    assert b"".join(lines) == b'"",,a\n'


def test_rows_come_in_batches_of_the_size_asked_for(bill):
    sizes = [len(batch) for batch in bill.rows(bill.parts[0], **KEYS, batch=128)]
    assert sizes == [128, 128, 44]


def test_keys_are_repeated_whatever_they_hold(bill):
    tenant = "o'hara; drop table cost_lines; --"
    batch = next(bill.rows(bill.parts[0], tenant_id=tenant, delivery_id='d"1'))
    assert {row[:2] for row in batch} == {(tenant, 'd"1')}


def test_a_copy_left_early_ends_its_writer(bill, monkeypatch):
    monkeypatch.setattr(emit, "COPY_BLOCK_BYTES", 16)
    stream = bill.copy_stream(bill.parts[0], **KEYS)
    assert len(next(stream)) == 16
    stream.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "comptroller-copy"]
    assert b"".join(bill.copy_stream(bill.parts[0], **KEYS)).count(b"acme") == 300


def test_a_system_without_named_pipes_copies_through_a_file(bill, monkeypatch, tmp_path):
    piped = b"".join(bill.copy_stream(bill.parts[0], **KEYS))
    monkeypatch.setattr(emit, "_DESCRIPTORS", tmp_path / "none")
    assert sorted(b"".join(bill.copy_stream(bill.parts[0], **KEYS)).split(b"\n")) == sorted(piped.split(b"\n"))
    assert not list(bill._scratch.path.glob("copy*"))


def test_progress_tells_stages_that_go_forward(write, opened, focus):
    told = []
    opened(write("bill.csv", focus({})), progress=lambda stage, share: told.append((stage, share)))
    assert [share for _, share in told] == sorted(share for _, share in told)
    assert told[0] == ("looking at bill.csv", 0.0)
    assert all(0 <= share <= 1 for _, share in told)


def test_closing_twice_is_no_error(write, opened, focus):
    bill = opened(write("bill.csv", focus({})))
    bill.close()
    bill.close()


def test_a_bill_opens_on_any_day_of_the_year(write, opened, focus):
    assert opened(write("bill.csv", focus({})), today=date(2024, 2, 29)).parts
