# ruff: noqa: E501 — a case reads best on one line
from pathlib import Path

import pytest

import source_rules
from source_rules import RULES, Rule

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "comptroller"
OTHERS_RULES = (source_rules.file_is_short, source_rules.function_is_short, source_rules.things_have_a_name)
GENERATED = "migrations/versions/"  # written by Alembic, never edited once released
LONG_BODY = "\n".join(f"    a{number} = {number}" for number in range(45))
LONGER_BODY = "\n".join(f"    a{number} = {number}" for number in range(75))

# rule, path, text that breaks it, text that keeps it
CASES = [
    ("commits_in_one_file", "spine/services/budget.py", "session.commit()", "session.rollback()"),
    ("commits_in_one_file", "database.py", "def f(conn):\n    conn.begin().commit()", "commit = 1"),
    ("flush_carries_its_reason", "domains/policies/driver.py", "session.flush()", "session.flush()  # ids are needed"),
    ("flush_carries_its_reason", "spine/services/budget.py", "# reason\nsession.flush()", "session.flush_all()"),
    ("broad_except_in_two_files", "ingest/focus.py", "try:\n    f()\nexcept Exception:\n    g()", "try:\n    f()\nexcept KeyError:\n    g()"),
    ("broad_except_in_two_files", "ingest/focus.py", "try:\n    f()\nexcept:\n    g()", "f()"),
    ("broad_except_in_two_files", "cli/main.py", "try:\n    f()\nexcept (KeyError, BaseException) as e:\n    g()", "f()"),
    ("broad_except_in_two_files", "cli/main.py", "with contextlib.suppress(Exception):\n    f()", "with contextlib.suppress(OSError):\n    f()"),
    ("file_is_short", "money.py", "a = 1\n" * 301, "a = 1\n" * 300),
    ("function_is_short", "money.py", f'def f():\n    """Do.\n\n    Why it is long.\n    """\n{LONGER_BODY}', f'def f():\n    """Do.\n\n    Why it is long.\n    """\n{LONG_BODY}'),
    ("function_is_short", "money.py", f'async def f():\n    """Do."""\n{LONG_BODY}', "def f():\n    return 1"),
    ("public_things_have_a_docstring", "money.py", "a = 1", '"""Hold amounts."""'),
    ("public_things_have_a_docstring", "money.py", '"""Hold."""\ndef f(): ...', '"""Hold."""\ndef _f(): ...'),
    ("public_things_have_a_docstring", "money.py", '"""Hold."""\nclass A:\n    """Be."""\n    def f(self): ...', '"""Hold."""\nclass A:\n    """Be."""\n    def _f(self): ...'),
    ("public_things_have_a_docstring", "money.py", '"""no sentence"""', '"""A sentence."""'),
    ("things_have_a_name", "ingest/utils.py", "", ""),
    ("things_have_a_name", "common/money.py", "", ""),
    ("things_have_a_name", "models/base_table.py", "", ""),
    ("things_have_a_name", "worker/loop.py", "class OutboxManager: ...", "class Outbox: ..."),
    ("type_ignore_carries_its_reason", "money.py", "a = f()  # type: ignore", "a = f()  # type: ignore[no-any-return]  # the driver is untyped"),
    ("type_ignore_carries_its_reason", "money.py", "a = f()  # type: ignore[no-any-return]", "a = 'type: ignore'"),
    ("body_is_sync_below_the_operation", "spine/services/budget.py", "async def f(): ...", "def f(): ..."),
    ("todo_has_a_link", "money.py", "# TODO round it", "# TODO round it, see https://example.org/1"),
]  # fmt: skip
ALLOWED = [
    ("commits_in_one_file", "spine/orchestrator/operation.py", "session.commit()"),
    ("flush_carries_its_reason", "spine/drivers/cross_domain.py", "session.flush()"),
    ("broad_except_in_two_files", "guard.py", "try:\n    f()\nexcept BaseException:\n    raise"),
    ("broad_except_in_two_files", "worker/loop.py", "try:\n    f()\nexcept Exception:\n    raise"),
    ("body_is_sync_below_the_operation", "spine/drivers/cross_domain.py", "async def f(): ..."),
    ("body_is_sync_below_the_operation", "domains/analytics/driver/bulk.py", "async def f(): ..."),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_package_keeps_the_rule(rule: Rule):
    texts = {file.relative_to(PACKAGE).as_posix(): file.read_text() for file in sorted(PACKAGE.rglob("*.py"))}
    findings = [line for path, text in texts.items() if GENERATED not in path for line in rule(path, text)]
    assert findings == []


@pytest.mark.parametrize("rule", OTHERS_RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("folder", ["tests", "examples", "benchmarks"])
def test_what_stands_beside_the_package_keeps_the_rule(rule: Rule, folder: str):
    files = sorted((ROOT / folder).rglob("*.py"))
    findings = [line for file in files for line in rule(file.relative_to(ROOT).as_posix(), file.read_text())]
    assert findings == []


@pytest.mark.parametrize(("rule", "path", "breaking", "keeping"), CASES)
def test_a_rule_finds_what_breaks_it_and_only_that(rule: str, path: str, breaking: str, keeping: str):
    check: Rule = getattr(source_rules, rule)
    assert len(check(path, breaking)) == 1
    assert breaking == keeping or check(path, keeping) == []


@pytest.mark.parametrize(("rule", "path", "text"), ALLOWED)
def test_the_one_place_that_may_is_let_through(rule: str, path: str, text: str):
    check: Rule = getattr(source_rules, rule)
    assert check(path, text) == []


def test_every_rule_has_a_case_that_breaks_it():
    assert {case[0] for case in CASES} == {rule.__name__ for rule in RULES}
