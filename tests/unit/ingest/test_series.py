from collections import defaultdict
from datetime import date

import pytest

from comptroller.enums import Dimension
from comptroller.errors import BadFileError
from comptroller.ingest.columns import DAILY_COLUMNS, HOURLY_COLUMNS

METRICS = ("billed_quanta", "effective_quanta", "list_quanta", "contracted_quanta")
COLUMN = {"service": "service", "account": "account", "region": "region", "model": "model", "user": "user_id"}


def series(bill, kind="daily"):
    columns = DAILY_COLUMNS if kind == "daily" else HOURLY_COLUMNS
    return [
        dict(zip(columns, row, strict=True))
        for part in bill.parts
        for batch in getattr(bill, kind)(part, tenant_id="acme", delivery_id="d1")
        for row in batch
    ]


def mixed(focus):
    rows = []
    for number in range(120):
        start = f"2025-04-{1 + number % 3:02d}T{number % 24:02d}:00:00Z"
        end = (
            start.replace(":00:00Z", ":59:00Z")
            if number % 2
            else f"2025-04-{2 + number % 3:02d}T{number % 24:02d}:00:00Z"
        )
        rows.append(
            {"ChargePeriodStart": start, "ChargePeriodEnd": end, "EffectiveCost": f"{number}.{number:09d}"}
            | {"BilledCost": f"-{number}.5", "ServiceName": f"s{number % 4}", "RegionId": ["eu", "", "us"][number % 3]}
            | {"ListCost": ["", "2"][number % 2], "BillingCurrency": ["USD", "EUR"][number % 5 == 0]}
            | {"ChargeCategory": ["Usage", "Credit"][number % 7 == 0], "SubAccountId": f"a{number % 2}"}
            | {"Tags": ["", '{"app": "x", "env": "p"}', '{"env": "q", "team": "growth"}'][number % 3]}
        )
    return focus(*rows)


def expected(rows, bucket):
    sums = defaultdict(lambda: [None, None, None, None, 0])
    for row in rows:
        values = [("total", "(total)"), ("team", row["team"])]
        values += [(dimension, row[column] or "(none)") for dimension, column in COLUMN.items()]
        tags = [pair.replace('":"', "=").strip('"{}') for pair in (row["tags"] or "").split(",") if pair]
        values += [("tag", tag) for tag in tags]
        for dimension, value in values:
            found = sums[dimension, value, row["charge_category"], row["currency"], bucket(row)]
            for place, metric in enumerate(METRICS):
                if row[metric] is not None:
                    found[place] = (found[place] or 0) + row[metric]
            found[4] += 1
    return dict(sums)


def keyed(found, bucket):
    keys = ("dimension", "value", "charge_category", "currency", bucket)
    return {tuple(row[key] for key in keys): [row[metric] for metric in METRICS] + [row["row_count"]] for row in found}


def test_daily_sums_are_those_of_the_rows_in_every_dimension(write, opened, read, focus):
    path = write("bill.csv", mixed(focus))
    found = series(opened(path))
    assert keyed(found, "day") == expected(read(path), lambda row: row["day"])
    assert len(keyed(found, "day")) == len(found)
    assert {row["dimension"] for row in found} == set(Dimension)


def test_hourly_sums_hold_rows_of_an_hour_or_less(write, opened, read, focus):
    path = write("bill.csv", mixed(focus))
    short = [row for row in read(path) if row["charge_end"] <= row["charge_start"].replace(":00:00.0", ":59:00.0")]
    assert len(short) == 60
    assert keyed(series(opened(path), "hourly"), "hour_at") == expected(short, lambda row: row["charge_start"])


def test_a_value_that_reads_like_an_absent_one_joins_it(write, opened, focus):
    found = series(opened(write("bill.csv", focus({"RegionId": "(none)"}, {"RegionId": ""}))))
    assert [row["row_count"] for row in found if row["dimension"] == "region"] == [2]


def test_tags_that_read_alike_are_one_series(write, opened, focus):
    found = series(opened(write("bill.csv", focus({"Tags": '{"a": "b=c"}'}, {"Tags": '{"a=b": "c"}'}))))
    assert [(row["value"], row["row_count"]) for row in found if row["dimension"] == "tag"] == [("a=b=c", 2)]


def test_a_tag_key_with_too_many_values_or_a_document_is_left_out_and_named(write, opened, focus):
    many = [{"Tags": f'{{"id": "{number}", "env": "p"}}'} for number in range(1_001)]
    bill = opened(write("bill.csv", focus(*many, {"Tags": f'{{"doc": "{"x" * 600}", "env": "p"}}'})))
    assert bill.left_out_tags == ("doc", "id")
    assert {row["value"] for row in series(bill) if row["dimension"] == "tag"} == {"env=p"}
    assert bill.parts[0].row_count == 1_002


def test_parts_have_their_own_sums(write, opened, focus):
    bill = opened(write("bill.csv", focus({}, {"BillingAccountId": "other", "EffectiveCost": "7"})))
    sums = {
        part.billing_account: [
            row[8] for batch in bill.daily(part, tenant_id="t", delivery_id="d") for row in batch if row[2] == "total"
        ]
        for part in bill.parts
    }
    assert sums == {"acct": [1_250_000_000], "other": [7_000_000_000]}


def test_sums_near_the_limit_are_exact_and_beyond_it_are_refused(write, opened, focus):
    half = {"BilledCost": "4611686018.427387903", "EffectiveCost": "4611686018.427387903"}
    bill = opened(write("bill.csv", focus(half, half)))
    assert {row["effective_quanta"] for row in series(bill)} == {2**63 - 2}
    with pytest.raises(BadFileError, match="adds up to more USD"):
        opened(write("more.csv", focus(half, half, half)))


def test_coverage_and_days_follow_the_utc_day(write, opened, focus):
    late = {"ChargePeriodStart": "2025-04-01T23:30:00-02:00", "ChargePeriodEnd": "2025-04-02T00:30:00-02:00"}
    bill = opened(write("bill.csv", focus(late)))
    assert bill.coverage(bill.parts[0]) == [(date(2025, 4, 2), "Storage")]
