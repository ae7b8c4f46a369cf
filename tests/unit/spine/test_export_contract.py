"""The export contract and the code say the same, to the letter."""

import ast
import inspect
from pathlib import Path
from typing import Any

import pytest
import yaml

import comptroller
from comptroller.spine.drivers import cross_domain

PACKAGE = Path(comptroller.__file__).parent
CONTRACT = Path(__file__).parents[3] / "docs" / "contracts" / "cross_domain.yaml"
SOURCE = ast.parse(Path(cross_domain.__file__).read_text())
# What the file imports beside the contract's own list, each with the reason for which it was let in.
REVIEWED = {
    "datetime": "the result of utc_now",
    "decimal": "the contract's amounts",
    "typing": "the contract's Optional",
    "sqlalchemy.ext.asyncio": "the contract's",
    "sqlalchemy.orm": "the contract's sqlalchemy and sqlmodel: SQLModel's Session is a subclass of this Session",
    "comptroller.clock": "utc_now",
    "comptroller.ids": "generate_uuid",
    "comptroller.enums": "the contract's breach types, of which each has a counter",
    "comptroller.metrics": "the contract's app.metrics",
    "comptroller.guard": "raises the contract's app.errors.governance, from one place",
    "comptroller.database": "table_exists",
    "comptroller.models.killswitch": "the contract's",
    "comptroller.models.policy_control_plane": "the contract's",
    "comptroller.domains.incidents.driver.opening": "SQL of the incidents domain",
    "comptroller.domains.incidents.engine.draft": "checks of the incidents domain",
    "comptroller.domains.policies.driver.breaches": "SQL of the policies domain",
    "comptroller.domains.policies.engine.breach": "checks of the policies domain",
}
EDGES = ("api", "web", "cli", "integrations", "runtime", "worker")


@pytest.fixture(scope="module")
def contract() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(CONTRACT.read_text())
    return loaded


def public_functions() -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    functions = [node for node in SOURCE.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {node.name: node for node in functions if not node.name.startswith("_")}


def written(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    arguments = ", ".join(ast.unparse(argument) for argument in node.args.args)
    assert node.returns is not None
    prefix = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
    return f"{prefix}{node.name}({arguments}) -> {ast.unparse(node.returns)}"


def imports_of(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            deeper = {f"{node.module}.{alias.name}" for alias in node.names}
            modules = {name for name in deeper if is_module(name)}
            found.update(modules or {node.module or ""})
    return found


def is_module(name: str) -> bool:
    parts = name.split(".")
    path = PACKAGE.parent.joinpath(*parts)
    return path.is_dir() or path.with_suffix(".py").exists()


def test_signatures_are_the_contracts_to_the_letter(contract: dict[str, Any]):
    expected = {function["name"]: function["signature"] for function in contract["exports"]["functions"]}
    assert {name: written(node) for name, node in public_functions().items()} == expected


def test_optional_arguments_and_only_these_default_to_none(contract: dict[str, Any]):
    for function in contract["exports"]["functions"]:
        parameters = inspect.signature(getattr(cross_domain, function["name"])).parameters.values()
        for parameter in parameters:
            is_optional = f"{parameter.name}: Optional[" in function["signature"]
            assert (parameter.default is None) is is_optional, (function["name"], parameter.name)
            assert parameter.kind is parameter.POSITIONAL_OR_KEYWORD


def test_nothing_else_is_exported(contract: dict[str, Any]):
    assert contract["exports"]["classes"] == contract["exports"]["protocols"] == []
    assert not [node.name for node in SOURCE.body if isinstance(node, ast.ClassDef)]


def test_twins_differ_in_their_session_only():
    for name in ("create_incident_from_cost_anomaly", "record_limit_breach"):
        plain = list(inspect.signature(getattr(cross_domain, f"{name}_sync")).parameters.values())
        awaited = list(inspect.signature(getattr(cross_domain, name)).parameters.values())
        assert plain[1:] == awaited[1:]


def test_nothing_of_the_spine_is_imported(contract: dict[str, Any]):
    assert contract["boundary"]["actual_imports"]["spine_internal"] == []
    assert not [name for name in imports_of(SOURCE) if name.startswith("comptroller.spine")]


def test_models_imported_are_the_contracts(contract: dict[str, Any]):
    expected = {name.replace("app.", "comptroller.") for name in contract["boundary"]["actual_imports"]["l7_model"]}
    assert {name for name in imports_of(SOURCE) if name.startswith("comptroller.models")} == expected


def test_every_other_import_was_reviewed():
    assert imports_of(SOURCE) == set(REVIEWED)


def allowed(contract: dict[str, Any], module: str) -> bool:
    rules = [rule.replace("hoc_spine", "comptroller.spine") for rule in contract["boundary"]["allowed_inbound"]]
    return any(module.startswith(rule.removesuffix("*")) for rule in rules)


def test_only_operations_and_services_import_it(contract: dict[str, Any]):
    for path in PACKAGE.rglob("*.py"):
        module = ".".join(("comptroller", *path.relative_to(PACKAGE).with_suffix("").parts))
        imported = imports_of(ast.parse(path.read_text()))
        if any(name.startswith("comptroller.spine.drivers") for name in imported):
            assert allowed(contract, module), module


def test_domains_and_edges_are_the_forbidden_ones(contract: dict[str, Any]):
    assert contract["boundary"]["forbidden_inbound"] == ["hoc.cus.*", "hoc.api.*"]
    for room in ("domains", *EDGES):
        assert not allowed(contract, f"comptroller.{room}.anything")


def test_flush_only_no_commit_and_no_rollback():
    called = {node.func.attr for node in ast.walk(SOURCE) if isinstance(node, ast.Call) and hasattr(node.func, "attr")}
    assert not called & {"commit", "rollback"}
