"""The server as a user starts it: from nothing, under load, stopped and killed."""

import os
import signal
import threading
import time

import httpx2
import pytest
from sqlalchemy import text

import comptroller
from comptroller.database import create_engine
from comptroller.errors import GovernanceUnavailable, LimitExceeded
from server_process import ServerProcess

PASSWORD = "correct horse battery"  # noqa: S105 — of a test
HOLD = {"amount": "0.01 USD", "dimensions": {"team": "a"}}


def url_of(server):
    return server.url or f"sqlite:///{server.folder / 'comptroller.db'}"


def stored_holds(server):
    engine = create_engine(url_of(server))
    with engine.connect() as conn:
        found = {
            str(row[0]).replace("-", "") for row in conn.execute(text("SELECT hold_id FROM entries WHERE step = 0"))
        }
    engine.dispose()
    return found


class Load:
    """Threads that reserve until the server is gone, and what they were told."""

    def __init__(self, server, key, threads=8):
        self.acknowledged, self.strange = [], []
        self.server, self.key = server, key
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._reserve) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def _reserve(self):
        with httpx2.Client(headers={"Authorization": f"Bearer {self.key}"}, timeout=30) as client:
            while not self._stop.is_set():
                try:
                    response = client.post(f"{self.server.address}/v1/holds", json=HOLD)
                except httpx2.TransportError:
                    return
                if response.status_code == 201:
                    self.acknowledged.append(response.json()["id"])
                else:
                    self.strange.append(response.text)

    def until(self, count):
        end = time.monotonic() + 60
        while len(self.acknowledged) < count and time.monotonic() < end:
            time.sleep(0.01)
        assert len(self.acknowledged) >= count, self.strange[:3]

    def end(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request, tmp_path):
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    with ServerProcess(tmp_path, url, processes=1 if url is None else 2) as running:
        yield running


def test_it_starts_with_nothing_configured_and_lets_the_first_admin_in_once(tmp_path):
    with ServerProcess(tmp_path) as running:
        body = {"token": running.token, "password": PASSWORD}
        first, again = (httpx2.post(f"{running.address}/v1/password", json=body) for _ in range(2))
        assert (first.status_code, again.status_code) == (201, 401)
        assert (tmp_path / "comptroller.db.pepper").stat().st_mode & 0o777 == 0o600
        with comptroller.connect(running.address, running.key_by_command()) as ct:
            ct.limits.create("cap", ceiling="1 USD", every="day")
            with ct.run(team="a") as run, run.reserve("0.6 USD") as hold:
                hold.settle("0.5 USD")
            with pytest.raises(LimitExceeded, match="cap"):
                ct.reserve("0.6 USD", team="a")
        assert running.stop() == 0
    with pytest.raises(GovernanceUnavailable):
        comptroller.connect(running.address, "ctk_live_x").limits.list()


def test_what_is_in_flight_when_it_is_told_to_stop_is_answered(server):
    load = Load(server, server.key("agent"))
    load.until(50)
    assert server.stop() == 0
    load.end()
    assert load.strange == []
    # A request that met the closing of an idle connection was never begun: all that was done was answered.
    assert set(load.acknowledged) == stored_holds(server)


def test_no_acknowledged_hold_is_lost_when_its_process_is_killed(server):
    load = Load(server, server.key("agent"))
    load.until(50)
    for worker in server.workers():
        os.kill(worker, signal.SIGKILL)
    time.sleep(0.5)
    server.stop(signal.SIGKILL)
    load.end()
    assert set(load.acknowledged) <= stored_holds(server)


@pytest.mark.parametrize("server", ["postgresql"], indirect=True)
def test_processes_together_admit_exactly_the_ceiling(server):
    key = server.key()
    with comptroller.connect(server.address, key) as ct:
        ct.limits.create("cap", ceiling="0.20 USD", every="day")
    admitted = []

    def reserve():
        with httpx2.Client(headers={"Authorization": f"Bearer {key}"}, timeout=30) as client:
            admitted.extend(client.post(f"{server.address}/v1/holds", json=HOLD).status_code for _ in range(10))

    threads = [threading.Thread(target=reserve) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(set(admitted)) == [201, 402]
    assert admitted.count(201) == 20


def test_several_processes_on_sqlite_are_refused(tmp_path):
    with pytest.raises(RuntimeError, match="SQLite has one writer"):
        ServerProcess(tmp_path, processes=2)
