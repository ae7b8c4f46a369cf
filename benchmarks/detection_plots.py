"""Draw one picture for each kind of anomaly: the series, its expected band, what was injected and what was flagged.

python -m benchmarks detection_plots [FOLDER]     # default docs/pictures
"""

import sys
from datetime import date
from pathlib import Path

import numpy as np

from comptroller.domains.analytics.engine.daily import judge_daily
from comptroller.domains.analytics.engine.panel import KINDS, Panel
from comptroller.enums import Sensitivity

FIRST = date(2025, 1, 6)
DAYS = 120
SHOWN = 60
WIDTH, HEIGHT, MARGIN = 640, 190, 34
COLOURS = {"spike": "#c0392b", "burst": "#d35400", "shift": "#8e44ad", "drift": "#b7950b", "drop": "#2471a3"}


def example(kind: str) -> tuple[np.ndarray, int, int]:
    """Return one series with an anomaly of the kind, and its first and last day."""
    rng = np.random.default_rng(501)
    weekday = np.arange(DAYS) % 7
    values = np.exp(rng.normal(np.log(200), 0.07, DAYS)) * np.where(weekday >= 5, 0.45, 1.0)
    start, last = {"spike": (95, 95), "burst": (92, 96), "drop": (92, 97)}.get(kind, (92, DAYS - 1))
    days = np.arange(1, last - start + 2)
    factors = {"spike": 2.6, "burst": 1.9, "shift": 1.6, "drift": 1.02**days, "drop": 0.02, "new_spend": 1.0}
    values[start : last + 1] *= factors[kind]
    if kind == "new_spend":
        values[:start] = np.nan
    return values, start, last


def draw(kind: str) -> str:
    """Return the picture as SVG."""
    values, start, last = example(kind)
    judged = judge_daily(Panel(values[None, :], FIRST), sensitivity=Sensitivity.NORMAL)
    days = np.arange(DAYS - SHOWN, DAYS)
    top = 1.12 * np.nanmax(np.concatenate([values[days], judged.high[0, days]]))

    def across(day: float) -> float:
        return MARGIN + (day - days[0]) * (WIDTH - 2 * MARGIN) / (SHOWN - 1)

    def up(value: float) -> float:
        return HEIGHT - 24 - value * (HEIGHT - 48) / top

    def path(row: np.ndarray, order: np.ndarray) -> str:
        return " ".join(f"{across(day):.1f},{up(row[day]):.1f}" for day in order if np.isfinite(row[day]))

    low, high, middle = judged.low[0], judged.high[0], judged.expected[0]
    colour = COLOURS.get(kind, "#16a085")
    marks = "".join(
        f'<circle cx="{across(day):.1f}" cy="{up(values[day]):.1f}" r="4" fill="{colour}">'
        f"<title>{KINDS[judged.kind[0, day] - 1]}</title></circle>"
        for day in days
        if judged.flag[0, day]
    )
    names = sorted({KINDS[code - 1].value for code in judged.kind[0, days] if code})
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        ' font-family="sans-serif" font-size="11">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
        f'<rect x="{across(start) - 4:.1f}" y="20" width="{across(last) - across(start) + 8:.1f}" '
        f'height="{HEIGHT - 44}" fill="#f4ecd8"/>'
        f'<polygon points="{path(low, days)} {path(high, days[::-1])}" fill="#d6e4f0"/>'
        f'<polyline points="{path(middle, days)}" fill="none" stroke="#7f9fbf" stroke-dasharray="4 3"/>'
        f'<polyline points="{path(values, days)}" fill="none" stroke="#222" stroke-width="1.4"/>{marks}'
        f'<text x="{MARGIN}" y="14">{kind.replace("_", " ")}: flagged as {", ".join(names)}</text>'
        f'<text x="{MARGIN}" y="{HEIGHT - 6}" fill="#666">day {days[0]} to {days[-1]}; band: ordinary days; '
        f"dashed: expected; shaded: injected; dots: flagged</text></svg>\n"
    )


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1] / "docs" / "pictures")
    folder.mkdir(parents=True, exist_ok=True)
    for kind in ("spike", "burst", "shift", "drift", "drop", "new_spend"):
        (folder / f"detection-{kind.replace('_', '-')}.svg").write_text(draw(kind))
        print(folder / f"detection-{kind.replace('_', '-')}.svg")


if __name__ == "__main__":
    main()
