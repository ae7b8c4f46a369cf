import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("use", sorted(Path(__file__).parent.glob("*_use.py")), ids=lambda path: path.stem)
def test_public_functions_are_typed_as_they_are_used(use: Path):
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", os.devnull, str(use)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
