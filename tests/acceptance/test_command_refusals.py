"""What the command cannot do: one line that names the thing and the mend, exit status 2, the database as before."""

import gzip
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import bills
from commands import SERVICES, Command, contents


def truncated(path: Path) -> Path:
    whole = gzip.compress(bills.text_of(bills.rows(SERVICES)).encode())
    path.write_bytes(whole[: len(whole) // 2])
    return path


def text(path: Path, content: str) -> Path:
    path.write_text(content)
    return path


USAGE = "time,model,input_tokens,output_tokens,request_id\n"
LITELLM = "request_id,call_type,spend,startTime,endTime,model,prompt_tokens,completion_tokens,api_key\n"
BAD = {
    "no-bill": ("a.csv", "hello,world\n1,2\n", ["is no bill", "--map"]),
    "empty": ("a.csv", "", ["is empty"]),
    "only-a-header": ("a.csv", "series_id,day,cost\n", ["no rows"]),
    "binary": ("a.csv", "\x00\x01\x02,\x00\n", ["a.csv"]),
    "day-twice": ("a.csv", "series_id,day,cost\nx,2026-01-01,1\nx,2026-01-01,2\n", ["line 3", "twice"]),
    "no-number": ("a.csv", "series_id,day,cost\nx,2026-01-01,ten\n", ["line 2", "ten"]),
    "no-date": ("a.csv", "series_id,day,cost\nx,yesterday,1\n", ["line 2", "yesterday"]),
    "unknown-model": (
        "a.csv",
        f"{USAGE}2026-01-01T00:00:00Z,house-9,10,20,a\n",
        ["house-9", "comptroller prices set house-9 --input"],
    ),
    "two-contents": (
        "a.csv",
        LITELLM
        + "".join(f"r1,chat,{cost},2026-01-01T00:00:00Z,2026-01-01T00:00:01Z,gpt-4o,1,1,k\n" for cost in (5, 7)),
        ["r1", "line 3"],
    ),
}


@pytest.mark.parametrize(("name", "content", "said"), BAD.values(), ids=BAD)
def test_a_bad_file_is_refused_in_one_line(command: Command, tmp_path: Path, name: str, content: str, said: list[str]):
    before = contents(command.database)
    line = command.refused("scan", text(tmp_path / name, content))
    assert name in line
    assert all(part in line for part in said)
    assert contents(command.database) == before


def test_a_truncated_gzip_is_refused(command: Command, tmp_path: Path):
    before = contents(command.database)
    assert "truncated gzip" in command.refused("scan", truncated(tmp_path / "bill.csv.gz"))
    assert contents(command.database) == before


def test_a_delivery_that_lacks_a_day_names_the_mend(command: Command, spiked_bill: Path, tmp_path: Path):
    command("scan", spiked_bill)
    part = bills.write(tmp_path / "part.csv", bills.rows(SERVICES)[:-1])
    line = command.refused("scan", part)
    assert "--replace" in line
    assert "--append" in line


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        (("scan",), "name a cost file"),
        (("scan", "missing.csv"), "missing.csv: no such file"),
        (("scan", "x.csv", "--append", "--replace"), "not both"),
        (("scan", "x.csv", "--cost", "net"), "net"),
        (("scan", "x.csv", "--map", "time"), "--map"),
        (("scan", "x.csv", "--min-amount", "ten"), "'ten' is no number"),
        (("scan", "x.csv", "--sensitivity", "huge"), "huge"),
        (("scan", "x.csv", "--fail-on", "SEVERE"), "SEVERE"),
        (("scan", "x.csv", "--wrong"), "--wrong"),
        (("scan", "x.csv", "--tenant", ""), "tenant"),
        (("wrong",), "wrong"),
        (("incidents", "show", "nobody"), "nobody"),
        (("incidents", "ack", "nobody"), "nobody"),
        (("incidents", "list", "--status", "wrong"), "wrong"),
        (("incidents", "list", "--before", "nobody"), "nobody"),
        (("anomalies", "feedback", "nothing", "false"), "nothing"),
        (("anomalies", "plan", "2026-01-02", "2026-01-01", "--reason", "x"), "2026-01-01"),
        (("anomalies", "unmute", "service", "nothing"), "nothing"),
        (("prices", "set", "m", "--input", "1e999", "--output", "x"), "x"),
        (("prices", "set", "m", "--input", "-1", "--output", "1"), "-1"),
        (("owners", "apply", "missing.toml"), "missing.toml"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_done_is_said_in_one_line(command: Command, tokens: tuple[str, ...], said: str):
    before = contents(command.database)
    assert said in command.refused(*tokens)
    assert contents(command.database) == before


@pytest.mark.parametrize("verb", [("scan", "x.csv"), ("incidents", "list"), ("db", "current"), ("db", "upgrade")])
def test_a_database_that_cannot_be_used_is_named(command: Command, tmp_path: Path, verb: tuple[str, ...]):
    assert "127.0.0.1" in command.refused(*verb, database="postgresql://127.0.0.1:1/nothing")
    garbage = text(tmp_path / "garbage.db", "no database " * 1000)
    assert "garbage.db cannot be used: file is not a database" in command.refused(*verb, database=str(garbage))
    assert "mysql" in command.refused(*verb, database="mysql://127.0.0.1/x")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_without_rights_is_named(command: Command, spiked_bill: Path, tmp_path: Path):
    shut = tmp_path / "shut"
    shut.mkdir(mode=0o500)
    assert "shut" in command.refused("scan", spiked_bill, database=str(shut / "new.db"))


def test_a_database_that_may_only_be_read_is_named(command: Command, spiked_bill: Path):
    file = command.database.removeprefix("sqlite:///")
    line = command.refused("scan", spiked_bill, database=f"sqlite:///file:{file}?mode=ro&uri=true")
    assert "readonly" in line


def test_a_full_database_is_named_and_left_as_it_was(command: Command, spiked_bill: Path):
    with closing(sqlite3.connect(command.database.removeprefix("sqlite:///"))) as connection:
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON cost_rows BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    before = contents(command.database)
    assert "disk full" in command.refused("scan", spiked_bill)
    assert contents(command.database) == before


@pytest.mark.parametrize("version", ["0000", "9999"])
def test_a_schema_that_is_not_the_needed_one_names_the_mend(command: Command, spiked_bill: Path, version: str):
    with closing(sqlite3.connect(command.database.removeprefix("sqlite:///"))) as connection:
        connection.execute("UPDATE comptroller_version SET version_num = ?", [version])
        connection.commit()
    assert "comptroller db upgrade" in command.refused("scan", spiked_bill)
    assert "comptroller db upgrade" in command.refused("incidents", "list")


def test_a_postgresql_without_the_schema_names_the_mend(command: Command, spiked_bill: Path, empty_postgres_url: str):
    assert "comptroller db upgrade" in command.refused("scan", spiked_bill, database=empty_postgres_url)
    assert command("db", "upgrade", database=empty_postgres_url) == 0
    assert command("scan", spiked_bill, database=empty_postgres_url) == 0


def test_a_report_that_cannot_be_written_is_named(command: Command, spiked_bill: Path, tmp_path: Path):
    assert command("scan", spiked_bill, "--report", tmp_path / "nowhere" / "r.html") == 2
    assert "nowhere" in command.err
