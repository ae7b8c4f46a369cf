import gzip
import json

import pytest

from comptroller.errors import BadFileError
from comptroller.ingest.layouts import bill_files


def names(folder, files):
    return [path.relative_to(folder).as_posix() for path in files]


def manifest(write, path, **content):
    write(path, json.dumps(content))


def test_a_folder_without_manifests_is_read_whole_and_in_order(write, tmp_path):
    for name in ("b.csv", "a/x.parquet", "a/.hidden.csv", "_temporary/y.csv", "notes.txt", "c.csv.gz", "d.jsonl"):
        write(name, "x")
    assert names(tmp_path, bill_files([tmp_path])) == ["a/x.parquet", "b.csv", "c.csv.gz", "d.jsonl"]


def test_a_file_named_twice_is_one(write, tmp_path):
    path = write("b.csv", "x")
    assert bill_files([path, tmp_path, path]) == (path,)


def test_an_aws_data_export_is_read_by_its_manifests(write, tmp_path):
    data = "exp/data/BILLING_PERIOD="
    for name in ("2025-03/exp-1.csv.gz", "2025-04/exp-1.csv.gz", "2025-04/exp-2.csv.gz", "2025-04/stale.csv.gz"):
        write(data + name, "x")
    for month, parts in (("2025-03", [1]), ("2025-04", [1, 2])):
        manifest(
            write,
            f"exp/metadata/BILLING_PERIOD={month}/exp-Manifest.json",
            dataFiles=[f"s3://bucket/any/{data}{month}/exp-{part}.csv.gz" for part in parts],
        )
    assert names(tmp_path, bill_files([tmp_path])) == [
        f"{data}2025-03/exp-1.csv.gz",
        f"{data}2025-04/exp-1.csv.gz",
        f"{data}2025-04/exp-2.csv.gz",
    ]


def test_of_an_aws_export_that_keeps_its_runs_the_newest_counts(write, tmp_path):
    for run in ("2025-04-02T10:00:00.000Z-aa", "2025-04-03T10:00:00.000Z-bb", "2025-04-01T10:00:00.000Z-cc"):
        write(f"exp/data/BILLING_PERIOD=2025-04/{run}/exp-1.parquet", "x")
        manifest(
            write,
            f"exp/metadata/BILLING_PERIOD=2025-04/{run}/exp-Manifest.json",
            executionId=run,
            dataFiles=[f"s3://b/p/exp/data/BILLING_PERIOD=2025-04/{run}/exp-1.parquet"],
        )
    (only,) = bill_files([tmp_path])
    assert "2025-04-03T10" in str(only)


def test_a_legacy_aws_report_is_read_by_the_manifest_of_the_period(write, tmp_path):
    period = "report/20250401-20250501"
    for assembly in ("aaaa", "zzzz"):
        write(f"{period}/{assembly}/report-1.csv.gz", "x")
        key = f"prefix/{period}/{assembly}/report-1.csv.gz"
        manifest(write, f"{period}/{assembly}/report-Manifest.json", assemblyId=assembly, reportKeys=[key])
    manifest(
        write, f"{period}/report-Manifest.json", assemblyId="aaaa", reportKeys=[f"prefix/{period}/aaaa/report-1.csv.gz"]
    )
    assert names(tmp_path, bill_files([tmp_path])) == [f"{period}/aaaa/report-1.csv.gz"]


def test_of_azure_runs_the_newest_of_each_period_counts(write, tmp_path):
    for period, run, submitted in (
        ("20250301-20250331", "202504010100/1111", "2025-04-01T01:00:00Z"),
        ("20250401-20250430", "202504020100/2222", "2025-04-02T01:00:00Z"),
        ("20250401-20250430", "202504030100/0000", "2025-04-03T01:00:00Z"),
    ):
        write(f"root/daily/{period}/{run}/part_0_0001.csv", "x")
        write(f"root/daily/{period}/{run}/part_1_0001.csv", "x")
        manifest(
            write,
            f"root/daily/{period}/{run}/manifest.json",
            runInfo={"submittedTime": submitted},
            blobs=[{"blobName": f"container/root/daily/{period}/{run}/part_{part}_0001.csv"} for part in (0, 1)],
        )
    assert names(tmp_path, bill_files([tmp_path])) == [
        "root/daily/20250301-20250331/202504010100/1111/part_0_0001.csv",
        "root/daily/20250301-20250331/202504010100/1111/part_1_0001.csv",
        "root/daily/20250401-20250430/202504030100/0000/part_0_0001.csv",
        "root/daily/20250401-20250430/202504030100/0000/part_1_0001.csv",
    ]


def test_a_manifest_s_missing_part_is_refused(write, tmp_path):
    manifest(write, "20250401-20250430/manifest.json", blobs=[{"blobName": "x/part_0.csv"}])
    with pytest.raises(BadFileError, match=r"manifest\.json: names 'x/part_0\.csv', which .* does not hold"):
        bill_files([tmp_path])


@pytest.mark.parametrize("text", ["{", "[" * 100_000])
def test_a_damaged_manifest_is_refused(write, tmp_path, text):
    write("20250401-20250430/manifest.json", text)
    with pytest.raises(BadFileError, match="damaged manifest"):
        bill_files([tmp_path])


def test_a_manifest_of_something_else_is_passed_over(write, tmp_path):
    write("app-manifest.json", '{"name": "app"}')
    write("bill.csv", "x")
    assert names(tmp_path, bill_files([tmp_path])) == ["bill.csv"]


def test_a_missing_path_and_an_empty_folder_are_refused(tmp_path):
    with pytest.raises(BadFileError, match="no such file"):
        bill_files([tmp_path / "none"])
    with pytest.raises(BadFileError, match="holds no CSV"):
        bill_files([tmp_path])


def test_a_folder_of_parts_is_one_bill(write, opened, focus, tmp_path):
    write("data/BILLING_PERIOD=2025-04/p-1.csv.gz", gzip.compress(focus({}, {}).encode()))
    write("data/BILLING_PERIOD=2025-04/p-2.csv.gz", gzip.compress(focus({"ServiceName": "Compute"}).encode()))
    assert opened(tmp_path).parts[0].row_count == 3
