"""``comptroller incidents``: list, show, ack, resolve, reopen, comment."""

from cyclopts import App
from rich.console import Group
from rich.text import Text

from comptroller.cli import output
from comptroller.cli.options import DEFAULT, Common
from comptroller.enums import IncidentStatus, Severity
from comptroller.types.incidents import Incident

_HELP = "List, show, acknowledge, resolve incidents.\n\nExample: comptroller incidents list --status open"
app = App(name="incidents", help=_HELP, help_format="plaintext")


@app.command(name="list")
def list_(
    *,
    status: IncidentStatus | None = None,
    severity: Severity | None = None,
    limit: int = 100,
    before: str | None = None,
    common: Common = DEFAULT,
) -> int:
    """List incidents, the newest first.

    Example: comptroller incidents list --status open

    Args:
        status: Only those that stand here.
        severity: Only those of this severity.
        limit: At most so many, up to 1,000.
        before: The id of the last one seen, for the next page.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        found = ct.incidents.list(status=status, severity=severity, limit=limit, before=before)
    if common.is_json:
        output.print_json(found)
        return 0
    console = output.console()
    if not found:
        console.print("No incidents. Feed a bill: comptroller scan FILE", style="dim")
        return 0
    console.print(_table(found))
    if len(found) == limit:
        console.print(f"more: comptroller incidents list --before {found[-1].id}", style="dim")
    return 0


def _table(found: list[Incident]) -> Group:
    rows = [
        (
            (one.id, output.severity(one.severity), _status(one), f"{one.opened_at:%Y-%m-%d %H:%M}"),
            (Text(one.description or one.title),),
        )
        for one in found
    ]
    return output.blocks(rows, ("Incident", "Severity", "Status", "Opened (UTC)"))


def _status(one: Incident) -> str:
    reason = "" if one.suppressed_reason is None else f" ({one.suppressed_reason.value.replace('_', ' ')})"
    return one.status.value + reason


@app.command
def show(incident_id: str, *, common: Common = DEFAULT) -> int:
    """Show one incident with its timeline.

    Example: comptroller incidents show 0192…

    Args:
        incident_id: Which one.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        one = ct.incidents.get(incident_id)
    if common.is_json:
        output.print_json(one)
        return 0
    console = output.console()
    console.print(output.severity(one.severity), Text(one.title, style="bold"), f"· {one.status.value}")
    if one.description:
        console.print(one.description)
    console.print(
        f"{one.current_value_cents / 100:,.2f} {one.currency} against {one.expected_value_cents / 100:,.2f} expected",
        style="dim",
    )
    for event in one.timeline:
        said = event.detail.get("note") or event.detail.get("description") or ""
        console.print(f"{event.at:%Y-%m-%d %H:%M:%S}  {event.kind:<13} {event.actor}  {said}", soft_wrap=True)
    return 0


@app.command
def ack(incident_id: str, *, note: str = "", common: Common = DEFAULT) -> int:
    """Say that somebody is at it.

    Example: comptroller incidents ack 0192… --note "looking"

    Args:
        incident_id: Which one.
        note: What to write on the timeline.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        return _told(ct.incidents.acknowledge(incident_id, note=note), common)


@app.command
def resolve(incident_id: str, *, note: str = "", common: Common = DEFAULT) -> int:
    """Say that it is over.

    Example: comptroller incidents resolve 0192… --note "job stopped"

    Args:
        incident_id: Which one.
        note: What to write on the timeline.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        return _told(ct.incidents.resolve(incident_id, note=note), common)


@app.command
def reopen(incident_id: str, *, note: str = "", common: Common = DEFAULT) -> int:
    """Open a resolved or suppressed incident again.

    Example: comptroller incidents reopen 0192…

    Args:
        incident_id: Which one.
        note: What to write on the timeline.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        return _told(ct.incidents.reopen(incident_id, note=note), common)


@app.command
def comment(incident_id: str, text: str, *, common: Common = DEFAULT) -> int:
    """Write on the timeline.

    Example: comptroller incidents comment 0192… "asked the team"

    Args:
        incident_id: Which one.
        text: What to write.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        return _told(ct.incidents.comment(incident_id, text), common)


def _told(one: Incident, common: Common) -> int:
    if common.is_json:
        output.print_json(one)
    else:
        output.console().print(f"{one.id} is {one.status.value}")
    return 0
