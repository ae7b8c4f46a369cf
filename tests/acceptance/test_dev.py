import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VERBS = ["demo", "test", "lint", "types", "docs", "bench"]


def dev(*arguments: str, cwd: Path = ROOT, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = os.environ | ({"PATH": path} if path else {})
    return subprocess.run(
        ["/bin/sh", cwd / "dev", *arguments], env=environment, capture_output=True, text=True, check=False
    )


def program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def bare_tree(tmp_path: Path) -> Path:
    tree = tmp_path / "a tree"
    tree.mkdir()
    shutil.copy(ROOT / "dev", tree)
    return tree


@pytest.fixture
def bare_path(tmp_path: Path) -> str:
    folder = tmp_path / "bin"
    program(folder, "python3", "exit 1")
    for name in ("dirname", "sh"):
        (folder / name).symlink_to(shutil.which(name) or "")
    return str(folder)


def test_alone_it_lists_the_verbs():
    result = dev()
    assert (result.returncode, re.findall(r"\w+", result.stdout)[2:]) == (0, VERBS)


def test_unknown_verb_is_refused():
    result = dev("tests")
    assert (result.returncode, result.stdout) == (2, "")


def test_uv_on_the_path_is_used(bare_tree: Path, tmp_path: Path, bare_path: str):
    program(Path(bare_path), "uv", 'echo "$@"')
    result = dev("test", "-k", "two words", cwd=bare_tree, path=bare_path)
    assert result.stdout == "run --locked pytest -n 2 -k two words\n"


def test_uv_is_put_beside_the_tree_when_the_path_has_none(bare_tree: Path, bare_path: str):
    make_venv = 'case "$*" in *"-m venv .uv"*) mkdir -p .uv/bin; cp pip uv .uv/bin ;; esac'
    program(Path(bare_path), "python3", make_venv)
    for tool in ("mkdir", "cp"):
        (Path(bare_path) / tool).symlink_to(shutil.which(tool) or "")
    program(bare_tree, "pip", "exit 0")
    program(bare_tree, "uv", 'echo "own uv: $@"')
    result = dev("types", cwd=bare_tree, path=bare_path)
    assert result.stdout == "own uv: run --locked mypy\n"


def test_python_without_venv_is_told_the_line_to_type(bare_tree: Path, bare_path: str):
    result = dev("demo", cwd=bare_tree, path=bare_path)
    assert (result.returncode, result.stderr) == (
        2,
        "dev: python3 has no venv module; type: apt-get install python3-venv\n",
    )


def test_the_gate_runs_the_command_of_the_readme():
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert lines[-1] == "exec ./dev test"
