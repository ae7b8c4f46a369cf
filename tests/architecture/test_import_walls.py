import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EDGES = ("face", "cli", "api", "client", "web", "integrations")
# contract, module to write below the package, its text
VIOLATIONS = [
    ("Imports point down only, and every room has a floor", "attic.py", ""),
    ("Imports point down only, and every room has a floor", "models/rising.py", "import comptroller.spine.services"),
    ("Imports point down only, and every room has a floor", "ingest/rising.py", "import comptroller.domains.policies"),
    ("The spine's floors: operations, services, mandatory drivers", "spine/attic/__init__.py", ""),
    (
        "The spine's floors: operations, services, mandatory drivers",
        "spine/drivers/rising.py",
        "import comptroller.spine.services",
    ),
    (
        "Inside a domain the driver may call the engine, never the other way",
        "domains/policies/engine/rising.py",
        "import comptroller.domains.policies.driver",
    ),
    (
        "Domains meet in the spine, not each other",
        "domains/policies/meeting.py",
        "import comptroller.domains.incidents",
    ),
    (
        "Only operations and services call the mandatory drivers",
        "runtime/short_cut.py",
        "import comptroller.spine.drivers",
    ),
    ("Only operations call services", "runtime/short_cut_too.py", "import comptroller.spine.services"),
    (
        "Engines and parsers are pure: no database, clock, settings, metrics, network",
        "domains/analytics/engine/impure.py",
        "import sqlalchemy",
    ),
    (
        "Engines and parsers are pure: no database, clock, settings, metrics, network",
        "ingest/impure.py",
        "import comptroller.clock",
    ),
    ("Edges call operations and nothing deeper", "cli/deep.py", "import comptroller.models"),
    (
        "No two rooms import each other in a circle",
        "errors/governance.py",
        "import comptroller.money",
    ),
]


def verdicts(source: Path) -> dict[str, str]:
    lint = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run(
        [lint, "--no-cache", "--no-logo", "--config", ROOT / "pyproject.toml"],
        cwd=source,
        env=os.environ | {"PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.findall(r"^(.+) (KEPT|BROKEN)$", result.stdout, re.MULTILINE)
    assert found, result.stdout + result.stderr
    return dict(found)


def test_every_wall_holds():
    assert {name for name, verdict in verdicts(ROOT / "src").items() if verdict != "KEPT"} == set()


@pytest.mark.parametrize(("contract", "path", "text"), VIOLATIONS)
def test_a_wall_is_broken_by_what_it_forbids(contract: str, path: str, text: str, tmp_path: Path):
    shutil.copytree(ROOT / "src" / "comptroller", tmp_path / "comptroller")
    module = tmp_path / "comptroller" / path
    module.parent.mkdir(exist_ok=True)
    with module.open("a") as file:
        file.write(f"\n{text}\n")
    assert verdicts(tmp_path)[contract] == "BROKEN"


def test_every_wall_has_a_violation_that_breaks_it():
    assert {violation[0] for violation in VIOLATIONS} == set(verdicts(ROOT / "src"))


def test_every_edge_stands_behind_the_wall_of_the_edges():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    walled = next(contract["source_modules"] for contract in contracts if contract["name"].startswith("Edges"))
    present = {edge for edge in EDGES if (ROOT / "src" / "comptroller" / edge).exists()}
    assert {f"comptroller.{edge}" for edge in present} == set(walled)
