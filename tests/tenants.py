"""Two tenants with one of everything each, and one request for every route: what the tenant matrix is made of."""

from collections.abc import Mapping
from typing import Any

from comptroller.api import access_bodies, bodies, spend_bodies
from comptroller.api.route import Route
from comptroller.models.anomalies import Anomaly
from comptroller.spine.drivers.cross_domain import create_incident_from_cost_anomaly_sync
from comptroller.spine.orchestrator.operation import operation
from contract_calls import ANOMALY, filled
from served import Served

ABSENT = {
    "incident_id": "01a20d4e-0000-7000-8000-000000000000",
    "anomaly_id": "anb_0000",
    "limit": "01a20d4e-0000-7000-8000-000000000001",
    "override_id": "01a20d4e-0000-7000-8000-000000000002",
    "key_id": "01a20d4e-0000-7000-8000-000000000003",
    "email": "nobody-here",
    "tenant_id": "nowhere",
    "run_id": "01a20d4e-0000-7000-8000-000000000004",
    "hold_id": "01a20d4e00007000800000000000ffff",
    "name": "01a20d4e-0000-7000-8000-000000000006",
    "breach_id": "01a20d4e-0000-7000-8000-000000000005",
}
LIMIT = {"ceiling": "500 USD", "every": "day"}
CHANNEL = {"name": "hook", "target": "https://hooks.example.org/x"}
# What a body says, by its type; ids of other things come from the objects of a tenant.
BODIES: dict[type, dict[str, Any]] = {
    bodies.Comment: {"text": "looked at it"},
    bodies.FeedbackBody: {"feedback": "true"},
    bodies.Detection: {"dry_run": True},
    bodies.Plan: {"start": "2026-11-01", "end": "2026-11-02", "reason": "sale"},
    bodies.Mute: {"dimension": "service", "value": "s3", "reason": "known"},
    bodies.NewPrice: {"model": "m", "input_per_million": "1.5", "output_per_million": "2"},
    bodies.NewLimit: {"name": "another", **LIMIT},
    bodies.LimitFile: {"said": {"limits": []}},
    bodies.LimitFileToApply: {"said": {"limits": []}},
    bodies.NewChannelBody: CHANNEL | {"name": "another"},
    bodies.LimitPatch: {"ceiling": "501 USD"},
    bodies.NewOverride: {"ceiling": "600 USD", "why": "sale", "seconds": 3600},
    access_bodies.KeyBody: {"name": "k", "role": "viewer"},
    access_bodies.UserBody: {"email": "another", "role": "viewer"},
    access_bodies.NewTenant: {"tenant_id": "another"},
    access_bodies.TenantPatch: {"disabled": True},
    spend_bodies.KillBody: {"where": {"agent": "nobody"}, "why": "test"},
    spend_bodies.LiftBody: {"where": {"agent": "nobody"}},
    spend_bodies.ScopeBody: {"where": {"agent": "nobody"}},
    spend_bodies.NewRun: {"dimensions": {"agent": "a"}},
    spend_bodies.RunEnd: {"state": "completed"},
    spend_bodies.Exhaustion: {"why": "60 s of 60 s"},
    spend_bodies.NewHold: {"amount": "0.01 USD"},
    spend_bodies.NewCharge: {"amount": "0.01 USD"},
    spend_bodies.Settlement: {"amount": "0.01 USD"},
    spend_bodies.Extension: {"seconds": 60},
    spend_bodies.UsageBody: {"model": "gpt-4o", "input_tokens": 10},
    spend_bodies.UsageBatch: {"rows": [{"id": "r1", "model": "gpt-4o", "input_tokens": 10}]},
    spend_bodies.Subject: {"dimensions": {"agent": "a"}},
}
QUERIES: dict[type, str] = {
    bodies.CostQuery: "?start=2026-11-01&end=2026-11-02",
    bodies.SeriesQuery: "?dimension=service&value=s3",
}
FILE = b"BilledCost\n1\n"


@operation
def _open_incident(session: Any, caller: Any, anomaly_id: str) -> str:
    said = {**ANOMALY, "tenant_id": caller.tenant, "anomaly_id": anomaly_id}
    return create_incident_from_cost_anomaly_sync(session, **said)


@operation
def _add_anomaly(session: Any, caller: Any, anomaly_id: str) -> None:
    said = {"kind": "SPIKE", "severity": "HIGH", "grain": "day", "dimension": "service", "currency": "USD"}
    session.execute(filled(Anomaly.__table__, tenant_id=caller.tenant, id=anomaly_id, **said))


def furnish(served: Served, tenant: str) -> dict[str, str]:
    """Give a tenant one of everything, and return the ids."""
    key = served.key("admin", tenant)

    def made(path: str, body: Mapping[str, Any]) -> str:
        response = served.ask("POST", path, key, json=body)
        assert response.status_code < 300, response.text
        return str(response.json().get("id"))

    anomaly = f"anb-{tenant}"
    served.do(_add_anomaly, tenant, anomaly)
    limit = made("/v1/limits", {"name": f"cap-{tenant}", **LIMIT})
    served.ask("POST", "/v1/users", key, json={"email": f"ana-{tenant}", "role": "viewer"})
    return {
        "incident_id": served.do(_open_incident, tenant, anomaly),
        "anomaly_id": anomaly,
        "limit": limit,
        "override_id": made(f"/v1/limits/{limit}/overrides", {"ceiling": "900 USD", "why": "sale", "seconds": 60}),
        "key_id": served.ask("POST", "/v1/keys", key, json={"name": "k", "role": "agent"}).json()["key"]["id"],
        "email": f"ana-{tenant}",
        "tenant_id": tenant,
        "run_id": made("/v1/runs", {"dimensions": {"agent": f"agent-{tenant}"}}),
        "hold_id": made("/v1/holds", {"amount": "1 USD"}),
        "name": served.ask("POST", "/v1/channels", key, json=CHANNEL).json()["channel"]["id"],
        "breach_id": served.ask("POST", "/v1/holds", key, json={"amount": "9999 USD"}).json()["breach_id"],
    }


def request(route: Route, ids: Mapping[str, str]) -> tuple[str, str, dict[str, Any]]:
    """Return the method, the path and what goes with it."""
    path = route.path.format_map(ids) + QUERIES.get(route.query, "")
    if route.media_type is not None:
        return route.method, path, {"content": FILE}
    if route.body is None:
        return route.method, path, {}
    return route.method, path, {"json": BODIES.get(route.body, {})}


def without_ids(text: str, ids: Mapping[str, str]) -> str:
    """Return a text in which the ids that were asked for are not told apart."""
    for value in sorted(ids.values(), key=len, reverse=True):
        text = text.replace(value, "ID")
    return text


__all__ = ["ABSENT", "furnish", "request", "without_ids"]
