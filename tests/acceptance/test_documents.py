import re
from pathlib import Path

import pytest

from documents import ROOT, BadDocumentError, Block, blocks, copy_of_the_tree, documents, run

LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def block(language: str, text: str) -> Block:
    return Block(line=1, language=language, text=text, left_out=None)


@pytest.mark.parametrize("document", documents(), ids=name_of)
def test_every_example_runs(document: Path, tmp_path: Path):
    to_run = [found for found in blocks(document.read_text()) if found.language in {"console", "python"}]
    tree = copy_of_the_tree(tmp_path) if to_run else tmp_path
    wrong = [text for found in to_run if found.left_out is None for text in run(found, tree)]
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.parametrize("document", documents(), ids=name_of)
def test_every_link_leads_somewhere(document: Path):
    targets = LINK.findall(document.read_text())
    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("```console\n$ true\n```", [Block(1, "console", "$ true", None)]),
        ("a\n\n<!-- not run: no network -->\n\n```python\nx\n```", [Block(5, "python", "x", "no network")]),
        ("<!-- not run: -->\n```python\nx\n```", [Block(2, "python", "x", None)]),
        ("1. do\n   ```console\n   $ true\n     indented\n   ```", [Block(2, "console", "$ true\n  indented", None)]),
        ("no block", []),
    ],
)  # fmt: skip
def test_blocks_are_found_with_what_stands_above_them(text: str, found: list[Block]):
    assert list(blocks(text)) == found


@pytest.mark.parametrize("text", ["```bash\ntrue\n```", "```\ntrue\n```", "```python\nx"])
def test_a_block_that_nobody_could_check_is_refused(text: str):
    with pytest.raises(BadDocumentError):
        list(blocks(text))


def test_a_command_may_go_on_over_lines_and_output_is_no_command():
    assert block("console", "$ echo a \\\n  b\nshown\n$ true").commands == ["echo a   b", "true"]


@pytest.mark.parametrize(
    ("language", "text", "failures"),
    [
        ("console", "$ true\n$ exit 3\nshown\n$ false", 2),
        ("console", "$ test -f pyproject.toml\n$ comptroller --version >/dev/null || true", 0),
        ("python", "import comptroller\nassert comptroller.__doc__", 0),
        ("python", "raise SystemExit('no')", 1),
    ],
)
def test_a_failing_example_is_told(language: str, text: str, failures: int):
    assert len(run(block(language, text), ROOT)) == failures


@pytest.mark.parametrize("script", sorted((ROOT / "examples").glob("*.py")), ids=name_of)
def test_every_example_script_runs(script: Path, tmp_path: Path):
    tree = copy_of_the_tree(tmp_path)
    assert run(block("console", f"$ python examples/{script.name}"), tree) == []


def test_an_example_runs_in_a_copy_with_the_example_bill(tmp_path: Path):
    tree = copy_of_the_tree(tmp_path)
    assert run(block("console", "$ test -d examples/bill/data && touch written.db"), tree) == []
    assert (tree / "written.db").exists()
    assert not (ROOT / "written.db").exists()
