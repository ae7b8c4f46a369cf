"""Limits, Incidents, Anomalies, Runs: pages with actions; each action is one use case, audited."""

import contextlib
from typing import Final

from litestar import Response

from comptroller.api.policy import Policy
from comptroller.enums import Feedback, IncidentStatus, Severity
from comptroller.errors import InvalidInputError, NotFoundError
from comptroller.spine.orchestrator import anomalies, incidents, kills, limits, overview, runs
from comptroller.types.overview import AnomalyCurve
from comptroller.web import charts
from comptroller.web.visit import Page, Visit, link, see_other

_LIST: Final = 50
_STEPS: Final = {
    "acknowledge": incidents.acknowledge_incident,
    "resolve": incidents.resolve_incident,
    "reopen": incidents.reopen_incident,
}
DURATIONS: Final = (("", "until somebody lifts it"), ("30", "30 minutes"), ("120", "2 hours"), ("1440", "1 day"))


async def show_limits(visit: Visit) -> Response[bytes]:
    """Show how fast limits burn down and when they are used up, the fullest first."""
    after = visit.query.get("after") or None
    found = await visit.ask(overview.list_meters, after=after, count=_LIST)
    names = sorted({one.limit.name for one in found})
    more = link("/limits", after=names[-1]) if len(names) == _LIST else None
    return visit.page("limits.html", title="Limits", found=found, more=more)


async def show_limit(visit: Visit, limit_id: str) -> Response[bytes]:
    """Show one limit: where it stands, its changes, its overrides."""
    found = await visit.ask(overview.read_meters, limit_id)
    history = await visit.ask(limits.limit_history, limit_id)
    overrides = await visit.ask(limits.list_overrides, limit_id)
    limit = found[0].limit
    return visit.page(
        "limit.html", title=limit.name, found=found, limit=limit, history=history[::-1], overrides=overrides
    )  # fmt: skip


async def override_limit(visit: Visit, limit_id: str) -> Response[bytes]:
    """Change a limit's ceiling for some hours."""
    hours = visit.form.get("hours", "")
    if not hours.isdigit() or not 0 < int(hours[:6]) <= 24 * 366:
        raise InvalidInputError("hours must be a whole number, up to a year's")
    await visit.ask(
        limits.override_limit, limit_id, ceiling=visit.form.get("ceiling", ""), why=visit.form.get("why", ""),
        seconds=int(hours) * 3600,
    )  # fmt: skip
    return see_other(f"/limits/{limit_id}")


async def show_incidents(visit: Visit) -> Response[bytes]:
    """Show incidents, the newest first."""
    said = {name: visit.query.get(name) or None for name in ("status", "severity", "before")}
    found = await visit.ask(incidents.list_incidents, **said, limit=_LIST)
    more = link("/incidents", **{**said, "before": found[-1].id}) if len(found) == _LIST else None
    return visit.page(
        "incidents.html", title="Incidents", found=found, more=more, said=said, statuses=list(IncidentStatus),
        severities=list(Severity),
    )  # fmt: skip


async def show_incident(visit: Visit, incident_id: str) -> Response[bytes]:
    """Show one incident: what it costs, its timeline, the button that stops it."""
    found = await visit.ask(incidents.get_incident, incident_id)
    curve = drawing = None
    with contextlib.suppress(NotFoundError):  # the caller's own anomaly, or none
        curve = await visit.ask(overview.show_anomaly, found.anomaly_id or "")
        drawing = _drawing(curve)
    facts, commands = await visit.ask(overview.incident_facts, incident_id)
    return visit.page(
        "incident.html", title=found.title, found=found, curve=curve, drawing=drawing, facts=facts, commands=commands
    )


async def step_incident(visit: Visit, incident_id: str, step: str) -> Response[bytes]:
    """Take an incident one step on, or write on its timeline."""
    note = visit.form.get("note", "")
    if step == "comment":
        await visit.ask(incidents.comment_incident, incident_id, note)
    elif step in _STEPS:
        await visit.ask(_STEPS[step], incident_id, note=note)
    else:
        raise InvalidInputError(f"an incident has no step {step[:20]!r}")
    return see_other(f"/incidents/{incident_id}")


async def show_anomalies(visit: Visit) -> Response[bytes]:
    """Show anomalies, the newest first."""
    found = await visit.ask(anomalies.list_anomalies, limit=_LIST)
    return visit.page("anomalies.html", title="Anomalies", found=found)


async def show_anomaly(visit: Visit, anomaly_id: str) -> Response[bytes]:
    """Show one anomaly: its series with what was expected."""
    curve = await visit.ask(overview.show_anomaly, anomaly_id)
    return visit.page(
        "anomaly.html", title=f"{curve.anomaly.kind} {curve.anomaly.value}", curve=curve, drawing=_drawing(curve),
        words=list(Feedback),
    )  # fmt: skip


async def judge_anomaly(visit: Visit, anomaly_id: str) -> Response[bytes]:
    """Say what an anomaly was."""
    await visit.ask(
        anomalies.give_feedback, anomaly_id, visit.form.get("feedback", ""), note=visit.form.get("note", "")
    )  # fmt: skip
    return see_other(f"/anomalies/{anomaly_id}")


async def show_runs(visit: Visit) -> Response[bytes]:
    """Show what is running, and the kills that are on."""
    before, state = visit.query.get("before") or None, visit.query.get("state") or None
    found = await visit.ask(runs.list_runs, state=state, before=before, count=_LIST)
    shut = await visit.ask(kills.list_kills, count=_LIST)
    more = link("/runs", before=found[-1].id, state=state) if len(found) == _LIST else None
    return visit.page("runs.html", title="Runs", found=found, kills=shut, more=more, state=state)


async def halt_run(visit: Visit, run_id: str) -> Response[bytes]:
    """Stop a run at its next step."""
    await visit.ask(runs.halt_run, run_id, why=visit.form.get("why", ""))
    return see_other("/runs")


async def show_kill(visit: Visit) -> Response[bytes]:
    """Show what a kill would stop before anybody presses it."""
    where = _where(visit.query.get("where", ""))
    found = await visit.ask(kills.preview_kill, where=where)
    return visit.page(
        "kill.html", title="Kill", found=found, where=visit.query.get("where", ""), durations=DURATIONS,
        incident=visit.query.get("incident", ""),
    )  # fmt: skip


async def kill(visit: Visit) -> Response[bytes]:
    """Shut a scope."""
    minutes = visit.form.get("minutes", "")
    if minutes and (not minutes.isdigit() or int(minutes[:7]) == 0):
        raise InvalidInputError("minutes must be a whole number")
    incident = visit.form.get("incident") or None
    await visit.ask(
        kills.kill, where=_where(visit.form.get("where", "")), why=visit.form.get("why", ""),
        seconds=int(minutes) * 60 if minutes else None, incident_id=incident,
    )  # fmt: skip
    return see_other(f"/incidents/{incident}" if incident else "/runs")


async def lift(visit: Visit) -> Response[bytes]:
    """Open a scope again."""
    await visit.ask(kills.lift, where=_where(visit.form.get("where", "")), why=visit.form.get("why", ""))
    return see_other("/runs")


def _where(text: str) -> dict[str, str]:
    pairs = {}
    for part in filter(None, (line.strip() for line in text.splitlines())):
        name, separator, value = part.partition("=")
        if not separator or not name or not value:
            raise InvalidInputError(f"a scope is NAME=VALUE, one a line: {part[:60]!r}")
        pairs[name] = value
    return pairs


def _drawing(curve: AnomalyCurve) -> charts.Band:
    one = curve.anomaly
    days = max((one.end_at - one.start_at).days, 1)
    return charts.band(
        curve.days, curve.amounts, first=one.start_at.date(),
        last=max(one.start_at.date(), (one.end_at.date() if one.end_at.hour else curve.days[-2])),
        expected=one.expected / days, low=one.low / days, high=one.high / days,
    )  # fmt: skip


PAGES: Final = (
    Page("GET", "/limits", Policy.READ, show_limits),
    Page("GET", "/limits/{limit_id:str}", Policy.READ, show_limit),
    Page("POST", "/limits/{limit_id:str}/override", Policy.OPERATE, override_limit),
    Page("GET", "/incidents", Policy.READ, show_incidents),
    Page("GET", "/incidents/{incident_id:str}", Policy.READ, show_incident),
    Page("POST", "/incidents/{incident_id:str}/{step:str}", Policy.OPERATE, step_incident),
    Page("GET", "/anomalies", Policy.READ, show_anomalies),
    Page("GET", "/anomalies/{anomaly_id:str}", Policy.READ, show_anomaly),
    Page("POST", "/anomalies/{anomaly_id:str}", Policy.OPERATE, judge_anomaly),
    Page("GET", "/runs", Policy.READ, show_runs),
    Page("POST", "/runs/{run_id:str}/halt", Policy.OPERATE, halt_run),
    Page("GET", "/kill", Policy.OPERATE, show_kill),
    Page("POST", "/kill", Policy.OPERATE, kill),
    Page("POST", "/lift", Policy.OPERATE, lift),
)
