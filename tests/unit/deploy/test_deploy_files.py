import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from prometheus_client import REGISTRY

from comptroller import metrics  # noqa: F401 — registers what the files may name
from comptroller.cli.app import VERBS

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
METRIC = re.compile(r"\b(?:governance|comptroller)_[a-z_]+\b")
VARIABLE = re.compile(r"\bCOMPTROLLER_[A-Z_]+\b")


def metric_names() -> set[str]:
    """Return the names that this program really exposes."""
    return {sample.name for family in REGISTRY.collect() for sample in family.samples} | {
        f"{family.name}_total" for family in REGISTRY.collect() if family.type == "counter"
    } | {f"{family.name}_bucket" for family in REGISTRY.collect() if family.type == "histogram"} | {
        family.name for family in REGISTRY.collect() if family.type == "gauge"
    }  # fmt: skip


def expressions() -> list[tuple[str, str]]:
    board = json.loads((DEPLOY / "grafana" / "comptroller.json").read_text())
    found = [("grafana", target["expr"]) for panel in board["panels"] for target in panel["targets"]]
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yaml").read_text())
    return found + [("alerts", rule["expr"]) for group in rules["groups"] for rule in group["rules"]]


def test_every_expression_names_metrics_that_there_are():
    known = metric_names()
    for where, expression in expressions():
        named = set(METRIC.findall(expression))
        assert named, (where, expression)
        assert named <= known, (where, named - known)


def test_every_metric_of_the_program_is_on_the_dashboard_and_in_the_documents():
    ours = {name for name in metric_names() if METRIC.fullmatch(name)}
    families = {name for name in ours if name.endswith("_total") or not name.endswith(("_created", "_sum", "_count"))}
    shown = " ".join(expression for _, expression in expressions())
    told = (ROOT / "docs" / "operate" / "metrics.md").read_text()
    for name in families:
        stem = name.removesuffix("_bucket")
        assert stem in shown, name
        assert stem in told, name


def test_alerts_say_what_is_wrong_and_what_to_do():
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yaml").read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            assert set(rule["annotations"]) == {"summary", "description"}
            assert rule["labels"]["severity"] in {"critical", "warning"}


@pytest.mark.parametrize(
    "file", ["compose.yaml", "systemd/comptroller-server.service", "systemd/comptroller-worker.service"]
)
def test_what_is_started_is_a_verb_and_its_variables_are_read_by_the_program(file: str):
    said = (DEPLOY / file).read_text()
    source = " ".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    for name in VARIABLE.findall(said):
        assert name in source, name
    verbs = {name for name, _, _ in VERBS}
    started = re.findall(r"bin/comptroller (\w+)|command: \[\"(\w+)\"", said)
    assert started
    assert {first or second for first, second in started} <= verbs


def test_the_compose_file_upgrades_the_schema_before_anything_runs():
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    assert services["migrate"]["command"] == ["db", "upgrade"]
    for name in ("server", "worker"):
        assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_the_charts_migration_is_a_hook_that_runs_before_the_pods_roll():
    chart = DEPLOY / "helm" / "comptroller"
    said = (chart / "templates" / "migrate.yaml").read_text()
    assert '"helm.sh/hook": pre-install,pre-upgrade' in said
    assert '["db", "upgrade"]' in said
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert yaml.safe_load((chart / "Chart.yaml").read_text())["appVersion"] == version
    for file in chart.glob("templates/*.yaml"):
        plain = re.sub(r"\{\{.*?\}\}", "x", file.read_text())
        assert all(document["kind"] for document in yaml.safe_load_all(plain))
