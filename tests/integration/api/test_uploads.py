"""Cost files over HTTP: taken in whole, or refused by name within bounds."""

import gzip
import io
import struct
import tempfile
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest

BILL = Path(__file__).parents[3] / "examples" / "bill" / "data" / "BILLING_PERIOD=2026-09" / "halden-focus-00001.csv.gz"


def upload(served, content, name="bill.csv", key=None, **query):
    return served.ask("POST", "/v1/costs", key or served.key(), content=content, params={"name": name, **query})


def test_a_bill_is_taken_in_once_and_can_be_asked_for(served):
    first, again = (upload(served, BILL.read_bytes(), BILL.name) for _ in range(2))
    assert first.status_code == 201, first.text
    assert first.json()["files"] == [BILL.name]
    assert [one["outcome"] for one in first.json()["deliveries"]] == ["stored"]
    assert [one["outcome"] for one in again.json()["deliveries"]] == ["unchanged"]
    seen, cursor = [], None
    while True:
        query = {"start": "2026-09-01", "end": "2026-10-01", "count": 50} | ({"cursor": cursor} if cursor else {})
        page = served.ask("GET", "/v1/costs", served.key("viewer"), params=query).json()
        seen += [(one["day"], one["value"], one["cost"].split()[1]) for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) > 100
    assert seen == sorted(set(seen))


def test_the_sums_asked_for_are_those_of_the_total(served):
    upload(served, BILL.read_bytes(), BILL.name)
    sums = []
    for dimension in ("service", "total"):
        query = {"start": "2026-09-01", "end": "2026-10-01", "count": 500, "dimension": dimension}
        items, cursor = [], None
        while True:
            page = served.ask(
                "GET", "/v1/costs", served.key(), params=query | ({"cursor": cursor} if cursor else {})
            ).json()
            items += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        sums.append(sum(Decimal(one["cost"].split()[0]) for one in items))
    assert sums[0] == sums[1] > 0


def zipped(name):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(name, "BilledCost\n1\n")
    return made.getvalue()


BOMBS = {
    "text": (b"hello", "a.csv"),
    "nul": (b"BilledCost\n\x00\n" * 9, "a.csv"),
    "utf-16": ("BilledCost\n1\n".encode("utf-16"), "a.csv"),
    "headers only": (b"BilledCost,EffectiveCost\n", "a.csv"),
    "one long line": (b"a" * 3_000_000, "a.csv"),
    "many columns": (b",".join(b"c%d" % n for n in range(100_000)) + b"\n", "a.csv"),
    "gzip of nothing": (gzip.compress(b""), "a.csv.gz"),
    "gzip bomb": (gzip.compress(b"0" * 200_000_000), "a.csv.gz"),
    "cut gzip": (BILL.read_bytes()[:-20], "a.csv.gz"),
    "no gzip": (b"BilledCost\n1\n", "a.csv.gz"),
    "zip slip": (zipped("../../etc/passwd"), "a.zip"),
    "parquet magic": (b"PAR1" + b"\x00" * 64 + struct.pack("<I", 2**31 - 1) + b"PAR1", "a.parquet"),
    "json": (b"{}" * 10, "a.json"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_file_that_is_no_bill_is_refused_by_name(served_on_sqlite, name):
    content, file = BOMBS[name]
    response = upload(served_on_sqlite, content, file)
    assert response.status_code in {400, 413, 422}, (response.status_code, response.text[:300])
    assert response.json()["type"].split(":")[-1] in {"bad-file", "invalid-input", "too-large"}
    assert "/tmp" not in response.text  # noqa: S108 — where the file was kept is nobody's business
    assert served_on_sqlite.ask("GET", "/v1/audit?object_type=source", served_on_sqlite.key()).json()["items"] == []


@pytest.mark.parametrize("name", ["../a.csv", "/etc/passwd", "a/b.csv", "", ".hidden", "a\x00.csv", "a" * 256])
def test_a_name_that_leads_elsewhere_is_refused(served_on_sqlite, name):
    assert upload(served_on_sqlite, b"x", name).status_code == 400


def test_a_file_past_the_bound_is_refused_while_it_arrives(served_on_sqlite):
    served_on_sqlite.service.upload_max = 100_000
    assert upload(served_on_sqlite, b"x" * 100_001).status_code == 413
    sent = []

    async def parts():
        for number in range(1000):
            sent.append(number)
            yield b"x" * 1_000

    assert upload(served_on_sqlite, parts()).status_code == 413
    assert len(sent) <= 102


def test_an_empty_body_is_refused(served_on_sqlite):
    assert upload(served_on_sqlite, b"").status_code == 400


def test_nothing_of_an_upload_stays_on_the_disk(served_on_sqlite, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    upload(served_on_sqlite, BILL.read_bytes(), BILL.name)
    upload(served_on_sqlite, b"no bill")
    assert [file.name for file in tmp_path.iterdir() if "upload" in file.name] == []


def test_owners_are_replaced_by_a_file(served_on_sqlite):
    content = b'[[owner]]\naccount = "1"\nteam = "core"\nowner = "ana"\n'
    response = served_on_sqlite.ask("PUT", "/v1/owners", served_on_sqlite.key(), content=content)
    assert response.json() == {"rules": 1}, response.text
    assert served_on_sqlite.ask("GET", "/v1/owners", served_on_sqlite.key()).json()[0]["team"] == "core"
