"""The fenced examples of the project's documents, and how they are run.

A ``console`` block's lines that begin with ``$ `` are commands (a trailing backslash continues one), the others show
output. A ``python`` block is a program. ``<!-- not run: REASON -->`` above a block leaves it out.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
RUN = {"console", "python"}
SHOWN = {"text", "json", "yaml", "toml", "csv", "sql", "html", "http", "mermaid", "diff"}
LEFT_OUT = re.compile(r"^<!-- not run: (?P<reason>\S.*) -->$")
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\S*)\s*$")
NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", ".uv", ".hypothesis", ".*_cache", "__pycache__", "dist", "*.db*", "tests"
)
LONGEST_SECONDS = 240


@dataclass(frozen=True)
class Block:
    """One fenced block: where it begins, what it is, what it says, and why it is not run."""

    line: int
    language: str
    text: str
    left_out: str | None

    @property
    def commands(self) -> list[str]:
        """Return a console block's commands."""
        joined = self.text.replace("\\\n> ", "").replace("\\\n", "")
        return [line[2:] for line in joined.splitlines() if line.startswith("$ ")]


class BadDocumentError(ValueError):
    """A document has a block that nobody could check."""


def documents() -> list[Path]:
    """Return every document of the project."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])


def blocks(text: str) -> Iterator[Block]:
    """Yield a document's fenced blocks in order.

    Raises:
        BadDocumentError: If a block is not closed, or its language is neither run nor shown.
    """
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        opened = FENCE.match(lines[number])
        start = number + 1
        if opened:
            closing = opened["indent"] + "```"
            end = next((at for at in range(start, len(lines)) if lines[at].rstrip() == closing), None)
            if end is None:
                raise BadDocumentError(f"line {start}: the block is not closed")
            if opened["language"] not in RUN | SHOWN:
                raise BadDocumentError(f"line {start}: {opened['language']!r} is none of {sorted(RUN | SHOWN)}")
            body = "\n".join(line.removeprefix(opened["indent"]) for line in lines[start:end])
            above = next((line.strip() for line in reversed(lines[: start - 1]) if line.strip()), "")
            left_out = LEFT_OUT.match(above)
            yield Block(start, opened["language"], body, left_out["reason"] if left_out else None)
            number = end
        number += 1


def copy_of_the_tree(folder: Path) -> Path:
    """Copy what a clone has, but the tests, to where examples may write."""
    return shutil.copytree(ROOT, folder / "tree", ignore=NOT_COPIED)


def environment() -> dict[str, str]:
    """Return the variables for examples: this environment's programs, no settings of the person who runs the tests."""
    programs = [str(Path(sys.executable).parent), str(ROOT / ".uv" / "bin"), os.environ.get("PATH", "")]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COMPTROLLER_", "PYTEST"))}
    # `./dev` runs `uv run`, which is to use the environment that is there and to leave it as it is.
    uv = {"UV_PROJECT_ENVIRONMENT": sys.prefix, "UV_NO_SYNC": "1"}
    return kept | uv | {"PATH": os.pathsep.join(programs), "NO_COLOR": "1", "COLUMNS": "120", "TERM": "dumb"}


def run(block: Block, tree: Path) -> list[str]:
    """Run one block and return what went wrong."""
    if block.language == "python":
        programs: list[list[str]] = [[sys.executable, "-c", block.text]]
    else:
        programs = [["/bin/sh", "-c", command] for command in block.commands]
    wrong = []
    for program in programs:
        result = subprocess.run(
            program,
            cwd=tree,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST_SECONDS,
        )
        if result.returncode != 0:
            said = (result.stdout + result.stderr)[-2_000:]
            wrong.append(f"line {block.line}: {program[-1]}\nexit status {result.returncode}\n{said}")
    return wrong
