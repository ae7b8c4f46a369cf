"""The command as people and machines meet it: answers, one-line errors, exit statuses."""

import gzip
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import bills
from comptroller.cli.app import VERBS, make_app, run

SERVICES = {"Amazon EC2": bills.spiked(200, (80, 81), 5), "Amazon S3": bills.steady(50)}
HEAVY = ("sqlalchemy", "duckdb", "numpy", "rich", "cyclopts", "alembic", "psycopg", "genai_prices", "jinja2", "msgspec")
STUDIED = ("scan", "incidents", "anomalies", "prices", "owners", "db")  # the verbs of the main job


class Command:
    """Runs command lines on a database of the test's own."""

    def __init__(self, database: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.database = database
        self._capsys = capsys
        self.out = self.err = ""

    def __call__(self, *tokens: object, database: str | None = None) -> int:
        words = [str(token) for token in tokens]
        status = run([*words, "--database", database or self.database])
        self.out, self.err = self._capsys.readouterr()
        return status

    def json(self, *tokens: object) -> object:
        """Return a command's answer for machines."""
        assert self(*tokens, "--format", "json") == 0
        return json.loads(self.out)

    def refused(self, *tokens: object, database: str | None = None) -> str:
        """Return the one line by which a command says why it could not do it."""
        assert self(*tokens, database=database) == 2
        assert self.out == ""
        assert self.err.startswith("comptroller: ")
        assert self.err.count("\n") == 1
        return self.err


@pytest.fixture
def command(sqlite_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("COMPTROLLER_DATABASE", "COMPTROLLER_TENANT"):
        monkeypatch.delenv(name, raising=False)
    return Command(sqlite_url, capsys)


@pytest.fixture
def bill(tmp_path: Path) -> Path:
    return bills.write(tmp_path / "bill.csv", bills.rows(SERVICES))


def contents(url: str) -> list[str]:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        return [line for line in connection.iterdump() if line.startswith("INSERT")]


def leaves() -> Iterator[tuple[str, ...]]:
    """Yield every command line that names a command, groups first."""
    app = make_app()
    for name, _, _ in VERBS:
        verb = app[name]
        yield (name,)
        for inner in sorted(set(verb) - {"--help", "-h", "--version"}):
            yield (name, inner)


LEAVES = list(leaves())


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_every_command_says_what_it_does_with_an_example(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]):
    assert run([*words, "--help"]) == 0
    out = capsys.readouterr().out
    assert f"comptroller {' '.join(words)}" in out
    is_group = any(other[: len(words)] == words and other != words for other in LEAVES)
    assert (is_group and words[0] not in STUDIED) or "Example: comptroller " in out


@pytest.mark.parametrize("words", [words for words in LEAVES if words[0] in STUDIED], ids=" ".join)
def test_every_command_has_the_options_of_all(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]):
    run([*words, "--help"])
    out = capsys.readouterr().out
    is_group = any(other[: len(words)] == words and other != words for other in LEAVES)
    assert is_group or all(option in out for option in ("--database", "--tenant", "--format"))


@pytest.mark.parametrize("tokens", [[], ["--help"], ["-h"]])
def test_the_command_lists_its_verbs(tokens: list[str], capsys: pytest.CaptureFixture[str]):
    assert run(tokens) == 0
    out = capsys.readouterr().out
    assert all(f"  {name} " in out for name, _, _ in VERBS)
    assert "Example: comptroller scan" in out


def test_help_imports_nothing_heavy():
    program = (
        "import sys\nfrom comptroller.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"found = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "sys.exit(str(found) if found else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_importing_the_library_imports_nothing_heavy():
    program = f"import sys\nimport comptroller\nsys.exit(str([name for name in {HEAVY!r} if name in sys.modules] or 0))"
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
    assert done.stderr in {"", "0\n"}


def test_a_scan_prints_what_was_found(command: Command, bill: Path):
    assert command("scan", bill) == 0
    assert "Amazon EC2 cost 992.00 USD a day" in command.out.replace("\n", " ")
    assert "CRITICAL" in command.out
    assert "180 rows, 3 stored" in command.out
    assert "comptroller incidents list" in command.out
    assert command.err == ""
    assert command("scan", bill) == 0
    assert "already on record" in command.out


def test_a_scan_for_machines_is_json(command: Command, bill: Path):
    found = command.json("scan", bill)
    assert isinstance(found, dict)
    (one,) = found["detection"]["found"]
    assert (one["anomaly"]["severity"], one["change"]) == ("CRITICAL", "opened")
    assert one["anomaly"]["actual"] == "1984.000000000"


@pytest.mark.parametrize(("severity", "status"), [("CRITICAL", 1), ("LOW", 1)])
def test_fail_on_sets_the_exit_status(command: Command, bill: Path, severity: str, status: int):
    assert command("scan", bill, "--fail-on", severity) == status


def test_fail_on_is_content_with_less_grave_and_suppressed_ones(command: Command, bill: Path, tmp_path: Path):
    mild = bills.write(tmp_path / "mild.csv", bills.rows({"Amazon EC2": bills.spiked(2, (80,), 2)}))
    assert command("scan", mild, "--fail-on", "CRITICAL", "--tenant", "mild") == 0
    assert command("scan", bill, "--min-amount", "99999", "--fail-on", "LOW") == 0
    assert "on record without a notice" in command.out


def test_a_dry_run_writes_nothing(command: Command, bill: Path):
    before = contents(command.database)
    assert command("scan", bill, "--dry-run", "--fail-on", "HIGH") == 1
    assert "dry run" in command.out
    assert contents(command.database) == before


def test_a_report_is_one_page_of_its_own(command: Command, bill: Path, tmp_path: Path):
    page = tmp_path / "report.html"
    assert command("scan", bill, "--report", page) == 0
    text = page.read_text()
    assert "Amazon EC2" in text
    assert "<svg" in text
    assert not any(outside in text for outside in ("http://", "https://", "<script src", "<link"))


def test_the_first_scan_makes_the_database(command: Command, bill: Path, tmp_path: Path):
    fresh = tmp_path / "fresh.db"
    assert command("scan", bill, database=str(fresh)) == 0
    assert fresh.exists()


def test_a_person_follows_an_incident_to_its_end(command: Command, bill: Path):
    command("scan", bill)
    (incident,) = command.json("incidents", "list")
    assert command("incidents", "list", "--status", "open") == 0
    assert incident["id"] in command.out
    assert command("incidents", "ack", incident["id"], "--note", "looking") == 0
    assert "is acknowledged" in command.out
    assert command("incidents", "comment", incident["id"], "asked the team") == 0
    assert command("incidents", "resolve", incident["id"]) == 0
    assert command("incidents", "show", incident["id"]) == 0
    for said in ("looking", "asked the team", "acknowledged", "resolved", "1,984.00 USD against 401.41 expected"):
        assert said in command.out
    assert command("incidents", "reopen", incident["id"]) == 0
    assert command.json("incidents", "show", incident["id"])["status"] == "open"
    assert command("incidents", "list", "--severity", "LOW") == 0
    assert "No incidents" in command.out


def test_a_person_says_what_an_anomaly_was(command: Command, bill: Path):
    command("scan", bill)
    (anomaly,) = command.json("anomalies", "list")
    assert command("anomalies", "feedback", anomaly["id"], "false", "--note", "yearly") == 0
    assert command("anomalies", "list") == 0
    assert "false" in command.out
    assert command("anomalies", "plan", "2026-11-27", "2026-12-01", "--reason", "sale") == 0
    assert command("anomalies", "mute", "service", "Amazon S3", "--reason", "noise") == 0
    assert "unmute" in command.out
    assert command("anomalies", "unmute", "service", "Amazon S3") == 0


def test_prices_are_set_and_listed(command: Command):
    assert command("prices", "set", "my-llama", "--input", "0.20", "--output", "0.60") == 0
    assert command("prices", "list", "my-llama") == 0
    assert "my-llama" in command.out
    assert "0.20 USD" in command.out
    found = command.json("prices", "list", "my-llama")
    assert [(one["input_per_million"], one["is_override"]) for one in found] == [("0.20", True)]
    assert command("prices", "update") == 0
    assert "prices" in command.out


def test_owners_are_applied_and_listed(command: Command, tmp_path: Path):
    assert command("owners", "list") == 0
    assert "owners apply FILE" in command.out
    file = tmp_path / "owners.csv"
    file.write_text("kind,value,team,owner\naccount,account-1,web,ana\n")
    assert command("owners", "apply", file) == 0
    assert command("owners", "list") == 0
    assert "account-1" in command.out


def test_the_schema_can_be_asked_for_and_made(command: Command, tmp_path: Path):
    fresh = tmp_path / "fresh.db"
    assert command("db", "current", database=str(fresh)) == 1
    assert "run comptroller db upgrade" in command.out
    assert not fresh.exists()
    assert command("db", "upgrade", database=str(fresh)) == 0
    assert command("db", "current", database=str(fresh)) == 0


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


def test_a_delivery_that_lacks_a_day_names_the_mend(command: Command, bill: Path, tmp_path: Path):
    command("scan", bill)
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
def test_a_folder_without_rights_is_named(command: Command, bill: Path, tmp_path: Path):
    shut = tmp_path / "shut"
    shut.mkdir(mode=0o500)
    assert "shut" in command.refused("scan", bill, database=str(shut / "new.db"))


def test_a_database_that_may_only_be_read_is_named(command: Command, bill: Path):
    file = command.database.removeprefix("sqlite:///")
    line = command.refused("scan", bill, database=f"sqlite:///file:{file}?mode=ro&uri=true")
    assert "readonly" in line


def test_a_full_database_is_named_and_left_as_it_was(command: Command, bill: Path):
    with closing(sqlite3.connect(command.database.removeprefix("sqlite:///"))) as connection:
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON cost_rows BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    before = contents(command.database)
    assert "disk full" in command.refused("scan", bill)
    assert contents(command.database) == before


@pytest.mark.parametrize("version", ["0000", "9999"])
def test_a_schema_that_is_not_the_needed_one_names_the_mend(command: Command, bill: Path, version: str):
    with closing(sqlite3.connect(command.database.removeprefix("sqlite:///"))) as connection:
        connection.execute("UPDATE comptroller_version SET version_num = ?", [version])
        connection.commit()
    assert "comptroller db upgrade" in command.refused("scan", bill)
    assert "comptroller db upgrade" in command.refused("incidents", "list")


def test_a_postgresql_without_the_schema_names_the_mend(command: Command, bill: Path, empty_postgres_url: str):
    assert "comptroller db upgrade" in command.refused("scan", bill, database=empty_postgres_url)
    assert command("db", "upgrade", database=empty_postgres_url) == 0
    assert command("scan", bill, database=empty_postgres_url) == 0


def test_a_report_that_cannot_be_written_is_named(command: Command, bill: Path, tmp_path: Path):
    assert command("scan", bill, "--report", tmp_path / "nowhere" / "r.html") == 2
    assert "nowhere" in command.err
