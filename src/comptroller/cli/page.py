"""One self-contained page of a scan: the series drawn as SVG, no script, nothing loaded from elsewhere."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from comptroller.cli import output
from comptroller.enums import Grain
from comptroller.types.anomalies import Curve, Found
from comptroller.types.scan import ScanReport

WIDTH: Final = 720
HEIGHT: Final = 200
_LEFT: Final = 64
_BOTTOM: Final = 24
_TOP: Final = 10
_TICKS: Final = 4
_LABEL_HALF: Final = 24


@dataclass(frozen=True, slots=True)
class Drawing:
    """The coordinates of one curve: polylines of the actual and expected, the band's polygon, marks, axis labels."""

    actual: tuple[str, ...]
    expected: tuple[str, ...]
    band: tuple[str, ...]
    marks: tuple[tuple[float, float, str], ...]
    shade: tuple[tuple[float, float], ...]
    y_ticks: tuple[tuple[float, str], ...]
    x_ticks: tuple[tuple[float, str], ...]


def scan_page(report: ScanReport) -> str:
    """Return the page as HTML."""
    environment = Environment(
        loader=PackageLoader("comptroller.cli"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    told = [one for one in report.detection.found if one.anomaly.suppressed_reason is None]
    quiet = [one for one in report.detection.found if one.anomaly.suppressed_reason is not None]
    return environment.get_template("scan.html").render(
        report=report, told=[(one, _drawing(one)) for one in told], quiet=quiet, money=output.money, day=output.day,
        days=output.days, width=WIDTH, height=HEIGHT, left=_LEFT, bottom=HEIGHT - _BOTTOM, top=_TOP,
        at_stake=_at_stake(told),
    )  # fmt: skip


def _at_stake(told: Sequence[Found]) -> list[tuple[str, Decimal]]:
    sums: dict[str, Decimal] = {}
    for one in told:
        sums[one.anomaly.currency] = sums.get(one.anomaly.currency, Decimal(0)) + one.anomaly.at_stake
    return sorted(sums.items())


def _drawing(one: Found) -> Drawing | None:
    curve = one.curve
    if curve is None or not curve.actual:
        return None
    scale = _Scale(curve)
    low = [max(value, 0.0) for value in curve.low]
    grain = one.anomaly.grain
    return Drawing(
        actual=scale.lines(curve.actual),
        expected=scale.lines(curve.expected),
        band=scale.areas(low, curve.high),
        marks=tuple(scale.mark(i, curve, grain) for i, is_abnormal in enumerate(curve.abnormal) if is_abnormal),
        shade=scale.shades(curve.abnormal),
        y_ticks=scale.y_ticks(),
        x_ticks=scale.x_ticks(curve, grain),
    )


class _Scale:
    """Turns steps and money into coordinates."""

    def __init__(self, curve: Curve) -> None:
        known = [value for value in (*curve.actual, *curve.expected) if math.isfinite(value)]
        # A band far above everything that happened would flatten the curve; it is cut there.
        self.highest = max(known, default=1.0) * 1.15 or 1.0
        self.count = len(curve.actual)

    def x(self, step: float) -> float:
        return round(_LEFT + (WIDTH - _LEFT - 8) * (step + 0.5) / self.count, 1)

    def y(self, value: float) -> float:
        share = min(max(value, 0.0) / self.highest, 1.0)
        return round(HEIGHT - _BOTTOM - (HEIGHT - _BOTTOM - _TOP) * share, 1)

    def lines(self, values: Sequence[float]) -> tuple[str, ...]:
        return tuple(" ".join(f"{self.x(i)},{self.y(values[i])}" for i in run) for run in _runs(values))

    def areas(self, low: Sequence[float], high: Sequence[float]) -> tuple[str, ...]:
        known = [a if math.isfinite(b) else b for a, b in zip(low, high, strict=True)]
        areas = []
        for run in _runs(known):
            there = [f"{self.x(i)},{self.y(high[i])}" for i in run]
            back = [f"{self.x(i)},{self.y(low[i])}" for i in reversed(run)]
            areas.append(" ".join(there + back))
        return tuple(areas)

    def mark(self, step: int, curve: Curve, grain: Grain) -> tuple[float, float, str]:
        value = curve.actual[step]
        when = curve.start_at + step * _step(grain)
        return self.x(step), self.y(value), f"{output.day(when, grain)}: {value:,.2f}"

    def shades(self, abnormal: Sequence[bool]) -> tuple[tuple[float, float], ...]:
        half = (WIDTH - _LEFT - 8) / self.count / 2
        runs = _runs([0.0 if mark else math.nan for mark in abnormal])
        return tuple((self.x(run[0]) - half, self.x(run[-1]) - self.x(run[0]) + 2 * half) for run in runs)

    def y_ticks(self) -> tuple[tuple[float, str], ...]:
        """Return round amounts from zero up to the highest."""
        step = _round_step(self.highest / _TICKS)
        digits = max(-math.floor(math.log10(step)), 0)
        count = int(self.highest / step)
        return tuple((self.y(step * part), f"{step * part:,.{digits}f}") for part in range(count + 1))

    def x_ticks(self, curve: Curve, grain: Grain) -> tuple[tuple[float, str], ...]:
        """Return about six moments, none so near the edge that its label is cut."""
        every = max(self.count // 6, 1)
        words = "%d %b" if grain is Grain.DAY else "%d %b %H h"
        places = [(self.x(step), curve.start_at + step * _step(grain)) for step in range(0, self.count, every)]
        return tuple((x, moment.strftime(words)) for x, moment in places if x < WIDTH - _LABEL_HALF)


def _round_step(least: float) -> float:
    """Return the smallest of 1, 2, 2.5, 5, 10 times a power of ten that is not below."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= least * (1 - 1e-9))


def _step(grain: Grain) -> timedelta:
    return timedelta(hours=1) if grain is Grain.HOUR else timedelta(days=1)


def _runs(values: Sequence[float]) -> list[list[int]]:
    """Return the stretches of positions whose values are known."""
    runs: list[list[int]] = []
    for position, value in enumerate(values):
        if not math.isfinite(value):
            continue
        if runs and runs[-1][-1] == position - 1:
            runs[-1].append(position)
        else:
            runs.append([position])
    return runs
