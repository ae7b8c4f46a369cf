import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = {
    "the linter": ["ruff", "check", "--no-cache", "."],
    "the formatter": ["ruff", "format", "--no-cache", "--check", "."],
    "the type checker": ["mypy"],
}


@pytest.mark.parametrize("tool", TOOLS)
def test_the_tree_passes(tool: str):
    command = [sys.executable, "-m", *TOOLS[tool]]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
