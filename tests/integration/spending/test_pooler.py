"""The money path through a real PgBouncer in transaction mode, which forgets sessions and prepared statements."""

import asyncio
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from comptroller.database import create_engine
from comptroller.errors import LimitExceeded, RunHalted
from desks import opened
from postgres_keeper import native, server_user

PORT = 6432
SETTINGS = """[databases]
* = host={host} port=5432 user=postgres
[pgbouncer]
listen_addr =
unix_socket_dir = {folder}
listen_port = {port}
auth_type = any
pool_mode = transaction
default_pool_size = 2
logfile = {folder}/log
"""

pytestmark = pytest.mark.skipif(shutil.which("pgbouncer") is None, reason="pgbouncer is not installed")


@pytest.fixture
def pooled_url(postgres_url: str) -> Iterator[str]:
    target = make_url(postgres_url)
    folder = Path(tempfile.mkdtemp(prefix="pooler-", dir="/tmp"))
    folder.chmod(0o755)
    settings = folder / "settings.ini"
    settings.write_text(SETTINGS.format(host=target.query["host"], folder=folder, port=PORT))
    user = server_user()
    if user is not None:
        os.chown(folder, user, -1)
    name = [] if user is None else ["-u", pwd.getpwuid(user).pw_name]
    program = subprocess.Popen(["pgbouncer", "-q", *name, settings])
    url = target.set(query={"host": str(folder)}, port=PORT).render_as_string(hide_password=False)
    deadline = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(native(url)).close()
            break
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
    yield url
    program.terminate()
    program.wait()
    shutil.rmtree(folder)


@pytest.mark.parametrize("is_async", [False, True])
def test_money_is_held_and_kills_arrive_through_a_pooler(pooled_url: str, *, is_async: bool):
    with asyncio.Runner() as runner:
        face: Any = opened(pooled_url, runner, is_async=is_async)
        face.limits.create("total", ceiling="2 USD")
        for _ in range(15):  # more often than a statement is sent before the driver prepares it
            face.reserve("0.1 USD").settle("0.1 USD")
        with psycopg.connect(native(pooled_url)) as other:
            other.execute("SELECT 1")  # takes the backend that was used until now; the next one has prepared nothing
            for _ in range(5):
                face.reserve("0.1 USD").settle("0.1 USD")
        with pytest.raises(LimitExceeded):
            face.reserve("0.1 USD")
        with face.run(agent="crawler") as run:
            run.checkpoint()
            face.kill(where={"agent": "crawler"}, why="a test")
            with pytest.raises(RunHalted):
                work_on(run)
        assert "pooler" in {one.name for one in face.doctor()}
        face.close()


def work_on(run: Any) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        run.checkpoint()
        time.sleep(0.01)


def test_nothing_is_prepared_where_the_next_backend_does_not_know_it(pooled_url: str, postgres_url: str):
    for url, threshold in ((pooled_url, None), (postgres_url, 5)):
        engine = create_engine(url)
        with engine.connect() as connection:
            assert connection.connection.driver_connection.prepare_threshold == threshold
        engine.dispose()
