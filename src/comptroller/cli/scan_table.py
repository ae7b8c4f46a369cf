"""What a scan found, as a person reads it in a terminal."""

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from comptroller.cli import output
from comptroller.enums import Grain
from comptroller.types.anomalies import Change, Found
from comptroller.types.costs import DeliveryOutcome, IngestReport
from comptroller.types.scan import ScanReport

_WIDE = 120  # below, a table's words stand one above the other
_LABELS = {Change.OPENED: "new", Change.EXTENDED: "goes on", Change.CLOSED: "ended", Change.UNCHANGED: "known"}


def print_scan(console: Console, report: ScanReport, *, dry_run: bool) -> None:
    """Print what was taken in, what is abnormal, and what to do next."""
    console.print(_intake(report, dry_run=dry_run))
    for line in report.costs.bad_examples:
        console.print(Text(f"  skipped: {line}", style="yellow"))
    told = [one for one in report.detection.found if one.anomaly.suppressed_reason is None]
    quiet = len(report.detection.found) - len(told)
    for part in [_table(told)] if told and console.width >= _WIDE else map(_block, told):
        console.print(part)
    console.print(_closing(report, told, quiet, dry_run=dry_run))


def _intake(report: ScanReport, *, dry_run: bool) -> Panel:
    costs, detection = report.costs, report.detection
    outcomes = {delivery.outcome for delivery in costs.deliveries}
    state = "already on record" if outcomes <= {DeliveryOutcome.UNCHANGED} else _outcomes(costs)
    lines = [f"{_files(costs)}  ·  {costs.format} from {costs.source}  ·  {costs.row_count:,} rows, {state}"]
    if detection.first_at is not None and detection.last_at is not None:
        spend = ", ".join(output.money(amount, currency) for currency, amount in sorted(detection.spend.items()))
        period = output.days(detection.first_at, detection.last_at, Grain.DAY)
        lines.append(
            f"{spend} of usage, {period}  ·  {detection.series:,} series judged, sensitivity {detection.sensitivity}"
        )
    if costs.bad_rows:
        lines.append(f"{costs.bad_rows:,} bad rows were left out")
    if costs.left_out_tags:
        lines.append(f"tag keys with too many values to be series: {', '.join(costs.left_out_tags)}")
    title = "dry run: nothing is written" if dry_run else "comptroller scan"
    return Panel("\n".join(lines), title=title, title_align="left", border_style="cyan")


def _files(costs: IngestReport) -> str:
    return costs.files[0] if len(costs.files) == 1 else f"{len(costs.files)} files"


def _outcomes(costs: IngestReport) -> str:
    counts = {outcome: sum(d.outcome is outcome for d in costs.deliveries) for outcome in DeliveryOutcome}
    return ", ".join(f"{count} {outcome.value}" for outcome, count in counts.items() if count)


def _table(told: list[Found]) -> Table:
    table = Table(box=None, padding=(0, 1), show_edge=False, header_style="bold", expand=True)
    table.add_column("Severity", no_wrap=True)
    table.add_column("What", ratio=1, overflow="fold")
    table.add_column("Since", no_wrap=True)
    table.add_column("At stake", justify="right", no_wrap=True)
    table.add_column("Trend", no_wrap=True)
    table.add_column("Owner", overflow="fold", max_width=18)
    for one in told:
        table.add_row(*_row(one), end_section=True)
    return table


def _block(one: Found) -> Text:
    """Return an incident in lines of its own, for narrow terminals and logs."""
    level, what, since, stake, line, owner = _row(one)
    return Text.assemble("\n", level, f"  {stake} at stake since {since}  ", line, f"  {owner}\n", what)


def _row(one: Found) -> tuple[Text | str, ...]:
    anomaly, curve = one.anomaly, one.curve
    what = Text(anomaly.description)
    what.append(f"\n{anomaly.kind.value.replace('_', ' ').lower()} · {_LABELS[one.change]}", style="dim")
    if one.incident_id is not None:
        what.append(f" · incident {one.incident_id}", style="dim")
    since = output.day(anomaly.start_at, anomaly.grain)
    line = Text("") if curve is None else output.spark_line(curve.actual, curve.abnormal)
    owner = anomaly.owner or anomaly.team or "-"
    return output.severity(anomaly.severity), what, since, output.money(anomaly.at_stake, anomaly.currency), line, owner


def _closing(report: ScanReport, told: list[Found], quiet: int, *, dry_run: bool) -> Text:
    if report.detection.first_at is None:
        return Text("No usage is on record: there is nothing to judge.", style="yellow")
    opened = sum(one.change is Change.OPENED for one in told)
    parts = [f"{len(told)} incident{'' if len(told) == 1 else 's'}, {opened} new"]
    if quiet:
        parts.append(f"{quiet} more on record without a notice")
    text = Text("; ".join(parts) + ". ", style="bold")
    if told and not dry_run:
        text.append("Next: comptroller incidents list · comptroller incidents ack ID", style="dim")
    return text if told else Text("Nothing abnormal." + (f" {parts[-1]}." if quiet else ""), style="green")
