import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)


def name_of(requirement: str) -> str:
    return re.split(r"[<>=!~ ;]", requirement, maxsplit=1)[0]


def test_every_dependency_has_its_reason_on_record():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"].get("optional-dependencies", {})
    groups = project["dependency-groups"]
    required = [*project["project"]["dependencies"], *(item for extra in extras.values() for item in extra)]
    required += [item for group in groups.values() for item in group if isinstance(item, str)]
    decision = (ROOT / "docs" / "adr" / "0002-dependencies.md").read_text().split("## What was measured")[0]
    assert sorted({name_of(item) for item in required}) == sorted(ROW.findall(decision))
