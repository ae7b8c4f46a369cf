"""``comptroller backtest``: what would have been found, and when."""

from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from comptroller.cli import output
from comptroller.cli.convert import mapping_of
from comptroller.cli.options import DEFAULT, Common
from comptroller.cli.progress import progress_bar
from comptroller.enums import Sensitivity
from comptroller.spine.orchestrator.backtesting import backtest as look_back
from comptroller.spine.orchestrator.backtesting import write_verdicts
from comptroller.types.backtest import BacktestQuality, BacktestReport, WouldOpen

_SHOWN = 20


def backtest(
    file: Path,
    *,
    labels: Path | None = None,
    map: str | None = None,  # noqa: A002 — the option's word
    sensitivity: Sensitivity = Sensitivity.NORMAL,
    out: Path | None = None,
    common: Common = DEFAULT,
) -> int:
    """Replay the past: which incidents would have been opened, and when; nothing is stored.

    Example: comptroller backtest costs.csv --labels labels.csv --sensitivity high --out verdicts.csv

    Args:
        file: series_id,day,cost or series_id,hour,cost, a bill, or any CSV with --map.
        labels: CSV series_id,start,end (end included) or NAB's windows JSON; adds precision, recall and delay.
        map: Which column is what: time=timestamp,cost=value[,label=anomaly][,series=name].
        sensitivity: normal (0.2 false alarms per 1,000 series-days) or high (1.0).
        out: Write series_id,day,score,flag here, a row for each row of the file.
        common: Where, for whom, how.
    """
    today = datetime.now(UTC).date()
    with progress_bar() as progress:
        if progress is not None:
            progress("judging", 0.0)
        found = look_back(file, today=today, labels=labels, column_map=mapping_of(map), sensitivity=sensitivity)
        if out is not None:
            write_verdicts(out, found.verdicts)
    if common.is_json:
        output.print_json(found.report)
    else:
        _print(output.console(), found.report)
    return 0


def _print(console: Console, report: BacktestReport) -> None:
    count = len(report.incidents)
    head = (
        f"{report.file}  ·  {report.series:,} series, {report.rows:,} rows, judged by the {report.step}, sensitivity "
    )
    lines = [head + report.sensitivity, f"{report.flagged:,} rows flagged, {count:,} incidents would have been opened"]
    console.print(Panel("\n".join(lines), title="comptroller backtest", title_align="left", border_style="cyan"))
    if report.incidents:
        console.print(_incidents(report.incidents[:_SHOWN]))
    if count > _SHOWN:
        console.print(f"{count - _SHOWN:,} more: --format json lists all", style="dim")
    if report.quality is not None:
        console.print(_quality(report.quality, report.step))


def _incidents(shown: tuple[WouldOpen, ...]) -> Table:
    table = Table(box=None, padding=(0, 1), show_edge=False, header_style="bold", expand=True)
    table.add_column("Severity", no_wrap=True)
    table.add_column("What", ratio=1, overflow="fold")
    table.add_column("Seen on", no_wrap=True)
    table.add_column("At stake", justify="right", no_wrap=True)
    table.add_column("Trend", no_wrap=True)
    for one in shown:
        anomaly = one.anomaly
        line = output.spark_line(one.curve.actual, one.curve.abnormal)
        seen = output.day(one.seen_at, anomaly.grain)
        table.add_row(
            output.severity(anomaly.severity), anomaly.description, seen, output.money(anomaly.at_stake), line
        )
    return table


def _quality(quality: BacktestQuality, step: str) -> Table:
    table = Table(
        title="Against the labels", title_justify="left", box=None, padding=(0, 2), show_edge=False, show_header=False
    )
    table.add_row("labelled windows", f"{quality.windows:,}", "found", f"{quality.found:,}")
    table.add_row("precision", f"{quality.precision:.3f}", "recall", f"{quality.recall:.3f}")
    table.add_row("F1", f"{quality.f1:.3f}", "false alarms", f"{quality.false_alarms:,}")
    delay = "-" if quality.delay_steps is None else f"{quality.delay_steps:.1f} {step}s"
    table.add_row("mean delay", delay, f"per 1,000 series-{step}s", f"{quality.false_alarms_per_thousand:.2f}")
    table.add_row("stake found", f"{quality.stake_found:.1%}", "", "")
    for kind, recall in quality.recall_by_kind.items():
        table.add_row(f"recall, {kind}", f"{recall:.3f}", "", "")
    return table
