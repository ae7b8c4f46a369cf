import gzip
import json
import random
import subprocess
import sys
import zlib

import duckdb
import pytest

from comptroller.errors import BadFileError
from comptroller.ingest.bill import open_bill
from comptroller.ingest.blocks import FREE_GZIP_BYTES, MAX_LINE_BYTES

HEADER = "ChargePeriodStart,BilledCost,BillingCurrency,ServiceName\n"
ROW = "2025-04-01,1,USD,a\n"
GOOD = HEADER + ROW * 50
NOISE = random.Random(1).randbytes(3_000)  # noqa: S311
PACKED = gzip.compress(GOOD.encode())


def big_gzip(line):
    """Pack more than what may unpack freely, quickly."""
    packer = zlib.compressobj(level=6, wbits=31)
    block = line * (1_000_000 // len(line))
    packed = packer.compress(HEADER.encode())
    for _ in range(FREE_GZIP_BYTES // len(block) + 2):
        packed += packer.compress(block)
    return packed + packer.flush()


CASES = {
    "empty": (b"", "is empty"),
    "empty-gzip": (gzip.compress(b""), "is empty"),
    "blank-lines": (b"\n\n\n", "has no header row: there are only blank lines"),
    "header-only": (HEADER.encode(), "has a header and no rows"),
    "nul": (b"a,b\n1,\0\n", "byte 7: a NUL"),
    "noise": (b"x" + NOISE, "NUL|not UTF-8"),
    "latin-1": (HEADER.encode() + b"2025-04-01,1,USD,caf\xe9\n", r"line 2: not UTF-8 \(byte 0xe9\): save it as UTF-8"),
    "utf-16": (GOOD.encode("utf-16"), "is UTF-16"),
    "zip": (b"PK\x03\x04" + NOISE, "is a ZIP archive"),
    "pdf": (b"%PDF-1.7", "is a PDF"),
    "zstd": (b"\x28\xb5\x2f\xfd" + NOISE, "is compressed with zstd"),
    "long-line": (HEADER.encode() + b"x" * (2 * MAX_LINE_BYTES) + b"\n", "byte 58: a line longer than"),
    "long-line-gzip": (gzip.compress(b"x" * (3 * MAX_LINE_BYTES)), "byte 1: a line longer than"),
    "columns": (b"a," * 3_000 + b"b\n" + b"1," * 3_000 + b"2\n", "has 3001 columns, at most 2000"),
    "a-million-columns": (b"a," * 1_000_000 + b"b\n", "columns, at most 2000"),
    "truncated-gzip": (PACKED[:-20], "truncated gzip"),
    "cut-trailer": (PACKED[:-4], "truncated gzip"),
    "damaged-gzip": (PACKED[:20] + b"\xff\xff\xff" + PACKED[23:], "damaged gzip"),
    "wrong-checksum": (PACKED[:-8] + b"\0\0\0\0" + PACKED[-4:], "damaged gzip"),
    "damaged-parquet": (b"PAR1" + NOISE + b"PAR1", "damaged Parquet"),
    "json-cut": (b'[{"a": 1', "no JSON that can be read"),
    "json-deep": (b"[" * 100_000, "no JSON that can be read"),
    "json-of-numbers": (b"[1, 2]", "is no bill"),
    "json-giant": (b'{"a": "' + b"x" * (40 << 20) + b'"}', "has an object of more than"),
    "sum": ((HEADER + "2025-04-01,9000000000,USD,a\n" * 2).encode(), r"adds up to more USD than can be counted"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_bad_file_is_refused_in_one_line_that_names_it(write, opened, name):
    content, why = CASES[name]
    path = write("bill.dat", content)
    with pytest.raises(BadFileError, match=why) as refusal:
        opened(path)
    assert str(refusal.value).startswith(f"{path}: ")
    assert "\n" not in str(refusal.value)


def test_bytes_that_are_no_utf8_far_down_are_a_bad_row(write, opened):
    text = HEADER.encode() + ROW.encode() * 100_000 + b"2025-04-01,1,USD,caf\xe9\n"
    with pytest.raises(BadFileError, match=r"line 100002 .*not UTF-8"):
        opened(write("bill.csv", text))


def test_a_gzip_that_unpacks_far_beyond_a_bill_is_refused(write, opened):
    with pytest.raises(BadFileError, match="more than 200 times its size"):
        opened(write("bomb.csv.gz", big_gzip(b"2025-04-01,1,USD,a\n")))


def test_a_parquet_that_declares_more_rows_than_bytes_could_hold_is_refused(opened, tmp_path):
    path = tmp_path / "bomb.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"copy (select 1 as a from range(6000000)) to '{path}' (format parquet)")
    with pytest.raises(BadFileError, match=r"declares 6000000 rows in .* bytes"):
        opened(path)


def test_gzip_of_several_members_and_padding_is_read(write, opened):
    packed = PACKED + gzip.compress(ROW.encode() * 3) + b"\0" * 512
    assert opened(write("bill.csv.gz", packed)).parts[0].row_count == 53


def test_the_kind_is_told_by_content_and_not_by_name(write, opened):
    log = {"request_id": "a", "startTime": "2025-04-01 00:00:00", "spend": 1}
    assert opened(write("a.txt", PACKED)).parts[0].row_count == 50
    assert opened(write("b.csv", " " + json.dumps([log]))).parts[0].row_count == 1


@pytest.mark.parametrize("name", ["we[ir]d *?'\" name.csv", "a;b--.csv", "{x}.csv"])
def test_no_name_of_a_file_is_special(write, opened, name):
    write("weird other name.csv", GOOD)
    assert opened(write(name, GOOD)).parts[0].row_count == 50


@pytest.mark.parametrize("cell", ["=cmd|'/c calc'!A1", "'; drop table lines; --", "a\\b", "💸", "\u202e", "x\ty"])
def test_no_text_in_a_cell_is_special(write, read, focus, cell):
    header = 'quoted "name"'
    (row,) = read(write("bill.csv", focus({"ServiceName": cell, header: cell})), column_map={"resource": header})
    assert (row["service"], row["resource_id"]) == (cell, cell)


def test_a_refused_file_leaves_nothing_behind(write, tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    from datetime import date

    with pytest.raises(BadFileError):
        open_bill([write("bill.csv", HEADER)], today=date(2025, 6, 1))
    with open_bill([write("bill.csv", GOOD)], today=date(2025, 6, 1)):
        assert list(scratch.iterdir())
    assert list(scratch.iterdir()) == []


def test_a_line_that_spans_a_gigabyte_is_refused_without_holding_it(tmp_path):
    path = tmp_path / "long.csv"
    with path.open("wb") as stream:
        stream.write(HEADER.encode() + b'2025-04-01,1,USD,"')
        stream.truncate(1 << 30)
    program = (
        "import sys, pathlib, datetime\n"
        "from comptroller.ingest.bill import open_bill\n"
        "try: open_bill([pathlib.Path(sys.argv[1])], today=datetime.date(2025, 6, 1))\n"
        "except ValueError as error: print(error)\n"
        "status = pathlib.Path('/proc/self/status')\n"  # ru_maxrss counts the forking process too
        "lines = status.read_text().splitlines() if status.exists() else ['VmHWM 0 kB']\n"
        "print(next(int(line.split()[1]) for line in lines if line.startswith('VmHWM')) // 1024)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    message, peak = done.stdout.splitlines()
    assert "a NUL" in message
    assert int(peak) < 300
