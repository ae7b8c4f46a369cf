import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
SAID = {
    "limits.py": "refused by per-user-daily: 0.1166 USD left",
    "limits_async.py": "the run ended: killed, it loops",
    "http_client.py": "402 0.00025 USD left",
}


@pytest.mark.parametrize("name", sorted(SAID))
def test_an_example_runs_as_it_stands(name: str, database_url: str, tmp_path: Path):
    done = subprocess.run(
        [sys.executable, EXAMPLES / name],
        cwd=tmp_path,
        env=os.environ | {"COMPTROLLER_DATABASE": database_url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert SAID[name] in done.stdout
