"""Workers killed by ``kill -9`` in the middle: what was acknowledged is there, and nothing is overspent."""

import subprocess
import sys
from pathlib import Path

from sqlalchemy import text

from comptroller.database import create_engine
from comptroller.domains.policies.driver.derive import unbalanced
from comptroller.face.library import Comptroller
from comptroller.types.caller import Caller

WORKERS = Path(__file__).parents[2] / "worker_under_fire.py"
CEILING = 20 * 10**9


def test_nothing_acknowledged_is_lost_and_nothing_overspent_when_workers_are_killed(database_url: str, tmp_path: Path):
    face = Comptroller(create_engine(database_url), Caller("acme"))
    face.limits.create("total", ceiling="20 USD")
    face.limits.create("per-team", ceiling="12 USD", per=["team"])
    subprocess.run([sys.executable, WORKERS, database_url, tmp_path], check=True)
    face.close()
    said = [line.split() for file in tmp_path.glob("*.journal") for line in file.read_text().splitlines()]
    engine = create_engine(database_url)
    with engine.connect() as conn:
        entries = {
            (str(hold_id).replace("-", ""), kind)
            for hold_id, kind in conn.execute(text("SELECT hold_id, kind FROM entries"))
        }
        breaches = {row[0] for row in conn.execute(text("SELECT id FROM limit_breaches"))}
        balances = conn.execute(text("SELECT spent + held FROM balances")).all()
        wrong = unbalanced(conn, "acme")
    engine.dispose()
    kinds = {"held": "reserve", "settled": "settle", "released": "release"}
    lost = [line for line in said if line[0] in kinds and (line[1], kinds[line[0]]) not in entries]
    unrecorded = [line for line in said if line[0] == "refused" and line[1] not in breaches]
    assert len(said) > 100
    assert (lost, unrecorded, wrong) == ([], [], [])
    assert max(total for (total,) in balances) <= CEILING
