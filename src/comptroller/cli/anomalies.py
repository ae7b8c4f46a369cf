"""``comptroller anomalies``: list, feedback, plan, mute, unmute."""

from datetime import date

from cyclopts import App
from rich.text import Text

from comptroller.cli import output
from comptroller.cli.options import DEFAULT, Common
from comptroller.enums import Dimension, Feedback
from comptroller.types.anomalies import Anomaly

_HELP = "List anomalies, say what they were, plan, mute.\n\nExample: comptroller anomalies list"
app = App(name="anomalies", help=_HELP, help_format="plaintext")


@app.command(name="list")
def list_(*, since: date | None = None, limit: int = 100, common: Common = DEFAULT) -> int:
    """List anomalies, the newest first.

    Example: comptroller anomalies list --since 2026-10-01

    Args:
        since: Leave out those that ended before this day.
        limit: At most so many, up to 1,000.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        found = ct.anomalies.list(since=since, limit=limit)
    if common.is_json:
        output.print_json(found)
        return 0
    rows = [(_cells(one), (Text(one.description),)) for one in found]
    table = output.blocks(rows, ("Anomaly", "Severity", "At stake", "Since", "Said"))
    output.console().print(table if found else "No anomalies. Feed a bill: comptroller scan FILE")
    return 0


def _cells(one: Anomaly) -> tuple[Text | str, ...]:
    said = (one.feedback or one.suppressed_reason or "-").replace("_", " ")
    stake = output.money(one.at_stake, one.currency)
    return one.id, output.severity(one.severity), stake, output.day(one.start_at, one.grain), said


@app.command
def feedback(anomaly_id: str, said: Feedback, *, note: str = "", common: Common = DEFAULT) -> int:
    """Say what an anomaly was: true, false or planned; only later runs heed it.

    Example: comptroller anomalies feedback anm_… false --note "yearly invoice"

    Args:
        anomaly_id: Which one.
        said: true, false or planned.
        note: Why.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        one = ct.anomalies.feedback(anomaly_id, said, note=note)
    output.console().print(f"{one.id}: {one.feedback}")
    return 0


@app.command
def plan(
    start: date,
    end: date,
    *,
    reason: str,
    dimension: Dimension | None = None,
    value: str | None = None,
    common: Common = DEFAULT,
) -> int:
    """Announce days of unusual spend: their incidents open suppressed, without a notice.

    Example: comptroller anomalies plan 2026-11-27 2026-12-01 --reason "sale" --dimension service --value "Amazon EC2"

    Args:
        start: First day.
        end: The day after the last.
        reason: Why.
        dimension: Of which dimension; everything unless given.
        value: Which value of it.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        window = ct.anomalies.plan(start=start, end=end, reason=reason, dimension=dimension, value=value)
    output.console().print(f"planned window {window}")
    return 0


@app.command
def mute(dimension: Dimension, value: str, *, reason: str, common: Common = DEFAULT) -> int:
    """Open the incidents of a series suppressed from now on.

    Example: comptroller anomalies mute service "Amazon S3" --reason "known noise"

    Args:
        dimension: Of which dimension.
        value: Which value.
        reason: Why.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        ct.anomalies.mute(dimension, value, reason=reason)
    output.console().print(
        f"{dimension.value} {value} is muted; undo: comptroller anomalies unmute {dimension.value} '{value}'"
    )
    return 0


@app.command
def unmute(dimension: Dimension, value: str, *, common: Common = DEFAULT) -> int:
    """Tell the incidents of a series again.

    Example: comptroller anomalies unmute service "Amazon S3"

    Args:
        dimension: Of which dimension.
        value: Which value.
        common: Where, for whom, how.
    """
    with common.opened() as ct:
        ct.anomalies.unmute(dimension, value)
    output.console().print(f"{dimension.value} {value} is told again")
    return 0
