import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import comptroller.cli

ROOT = Path(__file__).parents[2]
has_command = pytest.mark.skipif(not hasattr(comptroller.cli, "main"), reason="the command is not written yet")


def uv(*arguments: str | Path) -> str:
    program = os.environ.get("UV") or shutil.which("uv") or ROOT / ".uv" / "bin" / "uv"
    command = [program, "--quiet", *arguments]
    # What `uv sync` fetched suffices; an emptied cache is filled again.
    for offline in (["--offline"], []):
        result = subprocess.run([*command, *offline], cwd=ROOT, capture_output=True, text=True, check=False)
        if result.returncode == 0:
            return result.stdout
    pytest.fail(f"uv {arguments[0]} failed: {result.stderr}")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    uv("build", "--wheel", "--out-dir", folder)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("environment")
    requirements = folder / "requirements.txt"
    exported = uv("export", "--locked", "--no-default-groups", "--no-emit-project", "--no-hashes")
    requirements.write_text(exported)
    uv("venv", "--python", sys.executable, folder / "venv")
    python = folder / "venv" / "bin" / "python"
    uv("pip", "install", "--python", python, "--no-deps", "--requirement", requirements, wheel)
    uv("pip", "check", "--python", python)
    return python.parent


def run(program: Path, *arguments: str | Path, cwd: Path) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("COMPTROLLER_", "PYTHON"))}
    command = [program, *arguments]
    result = subprocess.run(command, cwd=cwd, env=clean, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_the_wheel_has_every_file_of_the_package(wheel: Path):
    source = ROOT / "src"
    written = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
    expected = {name for name in written if "__pycache__" not in name}
    assert expected - set(zipfile.ZipFile(wheel).namelist()) == set()


@pytest.mark.parametrize("name", ["LICENSE", "NOTICE"])
def test_the_wheel_has_the_licence(wheel: Path, name: str):
    assert [path for path in zipfile.ZipFile(wheel).namelist() if path.endswith(f".dist-info/licenses/{name}")]


def test_an_installed_package_migrates_a_database(programs: Path, tmp_path: Path):
    program = "from comptroller import database as d; d.upgrade('sqlite:///a.db'); print(d.__file__)"
    imported_from = run(programs / "python", "-c", program, cwd=tmp_path).strip()
    assert Path(imported_from).is_relative_to(programs.parent)
    assert (tmp_path / "a.db").exists()


@has_command
def test_an_installed_command_finds_incidents_in_the_example_bill(programs: Path, tmp_path: Path):
    shutil.copytree(ROOT / "examples" / "bill", tmp_path / "bill")
    printed = json.loads(run(programs / "comptroller", "scan", "bill", "--format", "json", cwd=tmp_path))
    runaway = printed["detection"]["found"][0]["anomaly"]
    assert (runaway["severity"], runaway["value"]) == ("CRITICAL", "Amazon SageMaker")


@has_command
def test_an_installed_package_runs_as_a_module(programs: Path, tmp_path: Path):
    assert "scan" in run(programs / "python", "-m", "comptroller", "--help", cwd=tmp_path)
