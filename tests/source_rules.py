"""The style rules that a linter does not know, as functions from source text to findings.

Each takes a module's path below the package and its text, and returns one line per finding.
"""

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

Rule = Callable[[str, str], list[str]]
Function = ast.FunctionDef | ast.AsyncFunctionDef

FILE_LINES = 300
FUNCTION_LINES = 70
UNEXPLAINED_LINES = 40
COMMITS_IN = {"spine/orchestrator/operation.py"}
CATCHES_ALL_IN = {"guard.py", "worker/loop.py"}
FLUSHES_FREELY_IN = "spine/drivers/"
SPEAKS_TO_AN_ASYNC_DRIVER_IN = {"domains/analytics/driver/bulk.py"}  # SQLAlchemy has no COPY of its own
SYNC_ROOMS = ("domains/", "ingest/", "models/", "spine/services/")
NAMELESS = re.compile(r"^_*(utils?|helpers?|commons?|base|base_.*|managers?|facades?|misc)$")
NAMELESS_CLASS = re.compile(r"(Manager|Facade|Helper|Utils?)$")
CATCH_ALL = {"Exception", "BaseException"}


def finding(path: str, node: ast.AST, text: str) -> str:
    """Write one finding as editors read it."""
    return f"{path}:{getattr(node, 'lineno', 1)}: {text}"


def method_calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    """Yield the calls of any object's method of that name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name:
            yield node


def functions(tree: ast.AST) -> Iterator[Function]:
    """Yield every function and method."""
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield node


def comments(text: str) -> dict[int, str]:
    """Return each line's comment by its number."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return {token.start[0]: token.string for token in tokens if token.type == tokenize.COMMENT}


def commits_in_one_file(path: str, text: str) -> list[str]:
    """Only the operation commits; what is below takes a transaction that it does not end."""
    if path in COMMITS_IN:
        return []
    return [finding(path, call, "commit outside the operation") for call in method_calls(ast.parse(text), "commit")]


def flush_carries_its_reason(path: str, text: str) -> list[str]:
    """A flush outside the mandatory drivers says why at the end of its line."""
    if path.startswith(FLUSHES_FREELY_IN):
        return []
    reasons = comments(text)
    bare = [call for call in method_calls(ast.parse(text), "flush") if call.end_lineno not in reasons]
    return [finding(path, call, "flush without a reason on its line") for call in bare]


def names_in(node: ast.expr | None) -> set[str]:
    """Return the names in an except clause or an argument list."""
    return set() if node is None else {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}


def broad_except_in_two_files(path: str, text: str) -> list[str]:
    """Only the translator of failures and the worker's outer loop catch everything."""
    if path in CATCHES_ALL_IN:
        return []
    tree = ast.parse(text)
    handlers = [node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)]
    broad: list[ast.AST] = [node for node in handlers if node.type is None or names_in(node.type) & CATCH_ALL]
    broad += [
        call for call in method_calls(tree, "suppress") if any(names_in(argument) & CATCH_ALL for argument in call.args)
    ]
    return [finding(path, node, "broad except outside the translator") for node in broad]


def file_is_short(path: str, text: str) -> list[str]:
    """A file has at most 300 lines."""
    lines = len(text.splitlines())
    return [f"{path}:1: {lines} lines, more than {FILE_LINES}"] if lines > FILE_LINES else []


def function_is_short(path: str, text: str) -> list[str]:
    """A function has at most 70 lines, and explains itself in its docstring from 40 on."""
    findings = []
    for function in functions(ast.parse(text)):
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        explained = "\n" in (ast.get_docstring(function) or "")
        if lines > FUNCTION_LINES:
            findings.append(finding(path, function, f"{function.name} has {lines} lines, more than {FUNCTION_LINES}"))
        elif lines > UNEXPLAINED_LINES and not explained:
            findings.append(finding(path, function, f"{function.name} has {lines} lines and does not say why"))
    return findings


def public_things(tree: ast.Module) -> Iterator[ast.Module | ast.ClassDef | Function]:
    """Yield the module, its public classes and functions, and their public methods."""
    yield tree
    for node in tree.body:
        if isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from (part for part in node.body if isinstance(part, Function) and not part.name.startswith("_"))


def public_things_have_a_docstring(path: str, text: str) -> list[str]:
    """Every public module, class and function says what it does, in one sentence with a full stop."""
    findings = []
    for node in public_things(ast.parse(text)):
        first_line = (ast.get_docstring(node) or "").split("\n", 1)[0]
        if not first_line.endswith((".", "?", "!")):
            findings.append(finding(path, node, f"{getattr(node, 'name', 'module')}: no docstring sentence"))
    return findings


def things_have_a_name(path: str, text: str) -> list[str]:
    """No module, folder or class is named after nothing in particular."""
    parts = PurePosixPath(path).with_suffix("").parts
    findings = [f"{path}:1: {part!r} says nothing of what is inside" for part in parts if NAMELESS.match(part)]
    classes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ClassDef)]
    return findings + [
        finding(path, node, f"class {node.name} says nothing of what it does")
        for node in classes
        if NAMELESS_CLASS.search(node.name)
    ]


def type_ignore_carries_its_reason(path: str, text: str) -> list[str]:
    """A silenced type error names its code and says why."""
    explained = re.compile(r"type: ignore\[[\w\-, ]+\]\s*(#|—|-)\s*\S")
    silenced = {line: comment for line, comment in comments(text).items() if "type: ignore" in comment}
    return [
        f"{path}:{line}: type: ignore without code or reason"
        for line, comment in silenced.items()
        if not explained.search(comment)
    ]


def body_is_sync_below_the_operation(path: str, text: str) -> list[str]:
    """Below the operation everything is written once, as plain functions."""
    if not path.startswith(SYNC_ROOMS) or path in SPEAKS_TO_AN_ASYNC_DRIVER_IN:
        return []
    tree = ast.parse(text)
    return [
        finding(path, node, f"async def {node.name} below the operation")
        for node in functions(tree)
        if isinstance(node, ast.AsyncFunctionDef)
    ]


def todo_has_a_link(path: str, text: str) -> list[str]:
    """What is left to do is findable by whoever reads it."""
    open_ends = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(?!.*https?://)")
    found = {line: comment for line, comment in comments(text).items() if open_ends.search(comment)}
    return [f"{path}:{line}: {comment} has no link" for line, comment in found.items()]


RULES: tuple[Rule, ...] = (
    commits_in_one_file,
    flush_carries_its_reason,
    broad_except_in_two_files,
    file_is_short,
    function_is_short,
    public_things_have_a_docstring,
    things_have_a_name,
    type_ignore_carries_its_reason,
    body_is_sync_below_the_operation,
    todo_has_a_link,
)
