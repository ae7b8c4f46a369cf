"""Drawings as SVG, made on the server: readable without JavaScript, and in the colours of the page's style."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

WIDTH: Final = 720
HEIGHT: Final = 220
LEFT: Final = 56
BOTTOM: Final = 22
TOP: Final = 8
TICKS: Final = 4
_STEPS: Final = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True, slots=True)
class Bar:
    """One rectangle: its place, the index of its series, and what it stands for."""

    x: float
    y: float
    width: float
    height: float
    series: int
    told: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What all drawings have: ticks of the amounts and of the days."""

    y_ticks: tuple[tuple[float, str], ...]
    x_ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class Stack:
    """Bars on top of each other, one column a day."""

    bars: tuple[Bar, ...]
    frame: Frame


@dataclass(frozen=True, slots=True)
class Band:
    """A line with the expected band on the days that are judged abnormal."""

    line: tuple[str, ...]
    bars: tuple[Bar, ...]
    shade: tuple[float, float, float, float] | None
    expected: tuple[float, float, float] | None
    frame: Frame


def spark(amounts: Sequence[Decimal], *, width: int = 240, height: int = 44) -> str:
    """Return the points of a small line."""
    if not amounts:
        return ""
    top = float(max(amounts)) or 1.0
    step = width / max(len(amounts) - 1, 1)
    return " ".join(
        f"{index * step:.1f},{height - 2 - max(float(value), 0) / top * (height - 4):.1f}"
        for index, value in enumerate(amounts)
    )


def stack(days: Sequence[date], names: Sequence[str], series: Sequence[Sequence[Decimal]]) -> Stack:
    """Return bars stacked by day; what is below zero is not drawn."""
    sums = [sum(max(float(row[index]), 0.0) for row in series) for index in range(len(days))]
    top = nice(max(sums, default=0.0))
    slot = (WIDTH - LEFT) / max(len(days), 1)
    bars = []
    for index, day in enumerate(days):
        level = 0.0
        for number, (name, row) in enumerate(zip(names, series, strict=True)):
            value = max(float(row[index]), 0.0)
            if value <= 0:
                continue
            y0, y1 = _y(level, top), _y(level + value, top)
            told = f"{day} {name}: {row[index]:,.2f}"
            bars.append(Bar(LEFT + index * slot + 0.5, y1, max(slot - 1, 0.5), y0 - y1, number, told))
            level += value
    return Stack(tuple(bars), Frame(_amount_ticks(top), _day_ticks(days)))


def band(
    days: Sequence[date], amounts: Sequence[Decimal | None], *, first: date, last: date, expected: Decimal,
    low: Decimal, high: Decimal,
) -> Band:  # fmt: skip
    """Return a series with what was expected on its abnormal days, first to last; amounts are a day's."""
    known = [float(value) for value in amounts if value is not None]
    top = nice(max([*known, float(high), float(expected)], default=0.0))
    slot = (WIDTH - LEFT) / max(len(days), 1)
    bars = []
    for index, (day, value) in enumerate(zip(days, amounts, strict=True)):
        if value is not None and value > 0:
            y = _y(float(value), top)
            is_abnormal = first <= day <= last
            told = f"{day}: {value:,.2f}"
            bars.append(
                Bar(LEFT + index * slot + 0.5, y, max(slot - 1, 0.5), HEIGHT - BOTTOM - y, int(is_abnormal), told)
            )
    inside = [index for index, day in enumerate(days) if first <= day <= last]
    shade = line = None
    if inside:
        x0, x1 = LEFT + inside[0] * slot, LEFT + (inside[-1] + 1) * slot
        y0, y1 = _y(max(float(high), 0.0), top), _y(max(float(low), 0.0), top)
        shade = (x0, y0, x1 - x0, max(y1 - y0, 1.0))
        line = (x0, x1, _y(max(float(expected), 0.0), top))
    return Band((), tuple(bars), shade, line, Frame(_amount_ticks(top), _day_ticks(days)))


def nice(value: float) -> float:
    """Return a round number that is not below a value."""
    if value <= 0:
        return 1.0
    power = 10.0 ** (len(f"{int(value)}") - 1) if value >= 1 else 10.0 ** -len(f"{int(1 / value)}")
    return next((step * power for step in _STEPS if step * power >= value), 10 * power)


def _y(value: float, top: float) -> float:
    return TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM)


def _amount_ticks(top: float) -> tuple[tuple[float, str], ...]:
    return tuple((_y(top * part / TICKS, top), _short(top * part / TICKS)) for part in range(TICKS + 1))


def _short(value: float) -> str:
    for limit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.3g}{letter}"
    return f"{value:.3g}"


def _day_ticks(days: Sequence[date]) -> tuple[tuple[float, str], ...]:
    if not days:
        return ()
    slot = (WIDTH - LEFT) / len(days)
    every = max(len(days) // 6, 1)
    return tuple((LEFT + (index + 0.5) * slot, f"{days[index]:%d %b}") for index in range(every // 2, len(days), every))
