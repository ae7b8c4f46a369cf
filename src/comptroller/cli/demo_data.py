"""What the demo is made of: bills of two months with three surprises, limits, and agents that spend."""

import csv
import math
import random
import secrets
import threading
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from comptroller.errors import ComptrollerError, LimitExceeded, RunHalted
from comptroller.peppers import load_peppers
from comptroller.spine.orchestrator import access

if TYPE_CHECKING:
    from comptroller.face.library import Comptroller

DAYS: Final = 75
SEED: Final = 7
# service, model or none, team, account, cost of a plain day
LINES: Final = (
    ("Compute Engine", "", "platform", "prod-eu", 412.0),
    ("Object Storage", "", "platform", "prod-eu", 96.0),
    ("Managed PostgreSQL", "", "platform", "prod-eu", 138.0),
    ("Data Transfer", "", "web", "prod-us", 61.0),
    ("GPU Training", "", "research", "lab", 255.0),
    ("Model API", "claude-sonnet", "support", "agents", 84.0),
    ("Model API", "gpt-large", "research", "agents", 118.0),
    ("Model API", "gpt-small", "web", "agents", 22.0),
)
# agent, team, model, most of one call in USD, seconds between calls
AGENTS: Final = (
    ("crawler", "research", "gpt-large", 0.07, 0.8),
    ("support-bot", "support", "claude-sonnet", 0.06, 1.1),
    ("summariser", "web", "gpt-small", 0.02, 0.9),
    ("report-writer", "platform", "claude-sonnet", 0.09, 2.3),
)


def seed(ct: "Comptroller", folder: Path) -> str | None:
    """Fill a database; returns the admin's password, or None where one was set before."""
    password = _first_admin(ct)
    today = ct.caller.now().date()
    bill = folder / "bill.csv"
    with bill.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["day", "service", "model", "team", "account", "cost"])
        writer.writerows(_rows(today))
    columns = {name: name for name in ("service", "model", "team", "account", "cost")}
    ct.costs.ingest(bill, source="demo", column_map={"time": "day", **columns})
    ct.anomalies.detect()
    _limits(ct)
    _stories(ct)
    return password


def _first_admin(ct: "Comptroller") -> str | None:
    token = access.prepare_home.run(ct.engine, ct.caller)
    load_peppers(Path(str(ct.engine.url.database)))
    if token is None:
        return None
    password = secrets.token_urlsafe(12)
    access.set_password.run(ct.engine, ct.caller, token, password)
    return password


def _rows(today: date) -> Iterator[list[Any]]:
    luck = random.Random(SEED)  # noqa: S311 — the same month each time
    for back in range(DAYS, 0, -1):
        day = today - timedelta(days=back)
        weekly = 0.72 if day.weekday() > 4 else 1.0  # noqa: PLR2004 — the weekend
        for service, model, team, account, plain in LINES:
            grown = plain * (1 + 0.002 * (DAYS - back)) * weekly * math.exp(luck.gauss(0, 0.05))
            yield [day.isoformat(), service, model, team, account, f"{grown * _surprise(service, model, back):.4f}"]


def _surprise(service: str, model: str, back: int) -> float:
    if model == "gpt-large" and back <= 3:  # noqa: PLR2004 — a crawler that runs away, still going on
        return 6.5
    if service == "GPU Training" and 24 <= back <= 26:  # noqa: PLR2004 — three days of a forgotten job
        return 3.2
    return 1.9 if service == "Data Transfer" and back <= 12 else 1.0  # noqa: PLR2004 — a new level


def _limits(ct: "Comptroller") -> None:
    ct.limits.create("whole company", ceiling="55000 USD", every="month", mode="warn", warn_at=["50%", "80%"])
    ct.limits.create("research", ceiling="14000 USD", every="month", where={"team": "research"}, warn_at=["80%"])
    ct.limits.create("each agent, an hour", ceiling="60 USD", every="hour", per=["agent"], opens_incident=True)
    ct.limits.create("support-bot, a day", ceiling="90 USD", every="day", where={"agent": "support-bot"})
    ct.limits.create("calls, a minute", ceiling="400 requests", every="minute", mode="observe")


def _stories(ct: "Comptroller") -> None:
    ct.kill(where={"agent": "nightly-eval"}, why="loops over the same 40 documents; the team is asked")
    for found in ct.incidents.list(limit=100):
        if "GPU" in (found.description or ""):
            ct.incidents.acknowledge(found.id, note="looking into it")
            ct.incidents.resolve(found.id, note="a training job was left running over the weekend")
    for one in ct.anomalies.list():
        if "GPU" in one.value:
            ct.anomalies.feedback(one.id, "true", note="a forgotten job")
    for agent, team, model, most, _ in AGENTS:
        for _ in range(12):
            booked = most * (65 if agent == "crawler" else 12)
            ct.charge(f"{booked:.4f} USD", agent=agent, team=team, model=model, user=f"{team}-lead")


def keep_spending(ct: "Comptroller", length: timedelta) -> None:
    """Have every agent run and spend in a thread of its own; a run that is halted or refused begins anew."""
    end = time.monotonic() + length.total_seconds()
    threads = [threading.Thread(target=_agent, args=(ct, end, agent), daemon=True) for agent in AGENTS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _agent(ct: "Comptroller", end: float, shape: tuple[str, str, str, float, float]) -> None:
    agent, team, model, most, pause = shape
    luck = random.Random(agent)  # noqa: S311 — a demo's amounts
    while time.monotonic() < end:
        try:
            with ct.run(agent=agent, team=team, model=model, user=f"{team}-lead") as run:
                for _ in range(200):
                    run.checkpoint()
                    with run.reserve(f"{most:.4f} USD") as hold:
                        time.sleep(pause * luck.uniform(0.6, 1.4))
                        hold.settle(f"{most * luck.uniform(0.4, 0.95):.4f} USD")
        except (LimitExceeded, RunHalted) as refused:
            print(f"{agent}: {refused}", flush=True)  # noqa: T201 — what is seen beside the dashboard
            time.sleep(20)
        except ComptrollerError:
            time.sleep(5)
