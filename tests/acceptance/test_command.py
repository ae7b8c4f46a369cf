"""The command as people and machines meet it: help, answers, exit statuses."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import bills
from commands import Command, contents
from comptroller.cli.app import VERBS, make_app, run

HEAVY = ("sqlalchemy", "duckdb", "numpy", "rich", "cyclopts", "alembic", "psycopg", "genai_prices", "jinja2", "msgspec")
STUDIED = ("scan", "incidents", "anomalies", "prices", "owners", "db")  # the verbs of the main job


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


def test_a_scan_prints_what_was_found(command: Command, spiked_bill: Path):
    assert command("scan", spiked_bill) == 0
    assert "Amazon EC2 cost 992.00 USD a day" in command.out.replace("\n", " ")
    assert "CRITICAL" in command.out
    assert "180 rows, 3 stored" in command.out
    assert "comptroller incidents list" in command.out
    assert command.err == ""
    assert command("scan", spiked_bill) == 0
    assert "already on record" in command.out


def test_a_scan_for_machines_is_json(command: Command, spiked_bill: Path):
    found = command.json("scan", spiked_bill)
    assert isinstance(found, dict)
    (one,) = found["detection"]["found"]
    assert (one["anomaly"]["severity"], one["change"]) == ("CRITICAL", "opened")
    assert one["anomaly"]["actual"] == "1984.000000000"


@pytest.mark.parametrize(("severity", "status"), [("CRITICAL", 1), ("LOW", 1)])
def test_fail_on_sets_the_exit_status(command: Command, spiked_bill: Path, severity: str, status: int):
    assert command("scan", spiked_bill, "--fail-on", severity) == status


def test_fail_on_is_content_with_less_grave_and_suppressed_ones(command: Command, spiked_bill: Path, tmp_path: Path):
    mild = bills.write(tmp_path / "mild.csv", bills.rows({"Amazon EC2": bills.spiked(2, (80,), 2)}))
    assert command("scan", mild, "--fail-on", "CRITICAL", "--tenant", "mild") == 0
    assert command("scan", spiked_bill, "--min-amount", "99999", "--fail-on", "LOW") == 0
    assert "on record without a notice" in command.out


def test_a_dry_run_writes_nothing(command: Command, spiked_bill: Path):
    before = contents(command.database)
    assert command("scan", spiked_bill, "--dry-run", "--fail-on", "HIGH") == 1
    assert "dry run" in command.out
    assert contents(command.database) == before


def test_a_report_is_one_page_of_its_own(command: Command, spiked_bill: Path, tmp_path: Path):
    page = tmp_path / "report.html"
    assert command("scan", spiked_bill, "--report", page) == 0
    text = page.read_text()
    assert "Amazon EC2" in text
    assert "<svg" in text
    assert not any(outside in text for outside in ("http://", "https://", "<script src", "<link"))


def test_the_first_scan_makes_the_database(command: Command, spiked_bill: Path, tmp_path: Path):
    fresh = tmp_path / "fresh.db"
    assert command("scan", spiked_bill, database=str(fresh)) == 0
    assert fresh.exists()


def test_a_person_follows_an_incident_to_its_end(command: Command, spiked_bill: Path):
    command("scan", spiked_bill)
    (incident,) = command.json("incidents", "list")
    assert command("incidents", "list", "--status", "open") == 0
    assert incident["id"] in command.out
    assert command("incidents", "ack", incident["id"], "--note", "looking") == 0
    assert "is acknowledged" in command.out
    assert command("incidents", "comment", incident["id"], "asked the team") == 0
    assert command("incidents", "resolve", incident["id"]) == 0
    assert command("incidents", "show", incident["id"]) == 0
    for said in ("looking", "asked the team", "acknowledged", "resolved", "1,984.00 USD against"):
        assert said in command.out
    assert command("incidents", "reopen", incident["id"]) == 0
    assert command.json("incidents", "show", incident["id"])["status"] == "open"
    assert command("incidents", "list", "--severity", "LOW") == 0
    assert "No incidents" in command.out


def test_a_person_says_what_an_anomaly_was(command: Command, spiked_bill: Path):
    command("scan", spiked_bill)
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
