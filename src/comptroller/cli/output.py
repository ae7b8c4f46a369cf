"""How answers are shown: money, instants, spark-lines, severities, JSON."""

import math
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from comptroller.enums import Grain, Severity

BARS: Final = "▁▂▃▄▅▆▇█"
SEVERITY_STYLES: Final = {
    Severity.CRITICAL: "bold white on red",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "dim",
}
ABNORMAL_STYLE: Final = "bold red"
_WHOLE_FROM: Final = 1000
_WIDEST: Final = 1000  # a line that is longer than the terminal is cut there, not here
_RAISED: Final = 0.4


def console() -> Console:
    """Return the console of standard output."""
    return Console(highlight=False)


def error_console() -> Console:
    """Return the console of standard error, for progress and hints."""
    return Console(stderr=True, highlight=False)


def print_json(value: Any) -> None:
    """Print a value as JSON: decimals as text, instants in ISO 8601, NaN as null."""
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2) + b"\n")
    sys.stdout.buffer.flush()  # before anything is said on the other stream


def money(amount: Decimal, currency: str = "") -> str:
    """Return an amount as a person reads it; small ones keep the digits that say something."""
    if amount == 0 or abs(amount) >= _WHOLE_FROM:
        text = f"{amount:,.0f}"
    elif abs(amount) >= Decimal("0.01"):
        text = f"{amount:,.2f}"
    else:
        text = f"{amount:.2g}"
    return f"{text} {currency}".rstrip()


def day(instant: datetime, grain: Grain = Grain.DAY) -> str:
    """Return a day or an hour as a person reads it."""
    return instant.strftime("%Y-%m-%d %H:%M" if grain is Grain.HOUR else "%Y-%m-%d")


def days(start: datetime, end: datetime, grain: Grain) -> str:
    """Return a half-open period by its first and last step."""
    step = timedelta(hours=1) if grain is Grain.HOUR else timedelta(days=1)
    first, last = day(start, grain), day(end - step, grain)
    return first if first == last else f"{first} … {last}"


def spark_line(values: Sequence[float], abnormal: Sequence[bool], *, width: int = 24) -> Text:
    """Return bars around the first abnormal value, a third of them from before it; the abnormal ones marked.

    Bars stand on zero, unless all of them are so high that their differences would not show.
    """
    first = next((position for position, mark in enumerate(abnormal) if mark), len(values))
    begin = max(min(first - width // 3, len(values) - width), 0)
    shown, marks = values[begin : begin + width], abnormal[begin : begin + width]
    known = [value for value in shown if not math.isnan(value)]
    highest, lowest = max(known, default=0.0), min(known, default=0.0)
    base = lowest - (highest - lowest) / 4 if lowest > _RAISED * highest else 0.0
    line = Text()
    for value, mark in zip(shown, marks, strict=True):
        if math.isnan(value):
            line.append(" ")
            continue
        share = (value - base) / (highest - base) if highest > base else 0.0
        level = min(int(max(share, 0.0) * len(BARS)), len(BARS) - 1)
        line.append(BARS[level], style=ABNORMAL_STYLE if mark else "cyan")
    return line


def blocks(rows: Sequence[tuple[Sequence[RenderableType], Sequence[RenderableType]]], heads: Sequence[str]) -> Group:
    """Return rows whose first cells stand in columns and whose sentences have the whole width below them.

    Args:
        rows: The cells, and the lines below them.
        heads: What the columns hold; the one named ``At stake`` is a number.
    """
    grid = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="bold")
    for head in heads:
        grid.add_column(head, no_wrap=True, justify="right" if head == "At stake" else "left")
    for cells, _ in rows:
        grid.add_row(*cells)
    lines = grid_lines(grid)
    shown: list[RenderableType] = [lines[0]]
    for (_, below), line in zip(rows, lines[1:], strict=True):
        shown += [line, *(Padding(text, (0, 0, 0, 2)) for text in below)]
    return Group(*shown)


def grid_lines(table: Table) -> list[Text]:
    """Return a table's lines, one for each row, so that something can stand between them."""
    wide = Console(width=_WIDEST, highlight=False)
    lines = []
    for segments in wide.render_lines(table, pad=False):
        line = Text(no_wrap=True, overflow="ellipsis")
        for segment in segments:
            line.append(segment.text, style=segment.style)
        line.rstrip()
        lines.append(line)
    return lines


def severity(value: Severity) -> Text:
    """Return a severity in its colour."""
    return Text(f" {value.value} " if value is Severity.CRITICAL else value.value, style=SEVERITY_STYLES[value])
