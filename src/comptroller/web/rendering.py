"""Templates and the words in which numbers and instants are shown."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from comptroller.money import COUNT_UNITS, Money
from comptroller.web import charts

STATIC: Final = Path(__file__).parent / "static"
_WHOLE_FROM: Final = 1000
_CENT: Final = Decimal("0.01")
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("comptroller.web"), autoescape=select_autoescape(), undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters |= {
        "amount": amount, "money": money, "moneys": moneys, "instant": instant, "age": age, "percent": percent,
        "scope": scope, "path": quote, "told": told,
    }  # fmt: skip
    made.globals |= {"static": static_path, "charts": charts}
    return made


def render(template: str, **values: Any) -> str:
    """Return a page as HTML."""
    return _environment().get_template(template).render(**values)


@cache
def static_files() -> Mapping[str, bytes]:
    """Return the files that pages load, by name."""
    return {path.name: path.read_bytes() for path in sorted(STATIC.iterdir()) if path.is_file()}


@cache
def static_path(name: str) -> str:
    """Return where a file is loaded from; the path changes with its content."""
    return f"/static/{hashlib.sha256(static_files()[name]).hexdigest()[:12]}/{name}"


def amount(value: Decimal) -> str:
    """Return an amount as a person reads it; small ones keep the digits that say something."""
    if value == 0 or abs(value) >= _WHOLE_FROM:
        return f"{value:,.0f}"
    return f"{value:,.2f}" if abs(value) >= _CENT else f"{value:.2g}"


def money(value: Money) -> str:
    """Return money as a person reads it."""
    shown = f"{value.amount:,.0f}" if value.unit in COUNT_UNITS else amount(value.amount)
    return f"{shown} {value.unit}"


def moneys(values: tuple[Money, ...]) -> str:
    """Return several currencies' money in one line; none is a plain zero."""
    return " + ".join(money(value) for value in values) or "0"


def instant(value: datetime) -> str:
    """Return an instant in UTC."""
    return f"{value:%Y-%m-%d %H:%M} UTC"


def age(value: datetime, now: datetime) -> str:
    """Return how far an instant is from now, in one unit."""
    seconds = (now - value).total_seconds()
    words = _span(timedelta(seconds=abs(seconds)))
    return f"in {words}" if seconds < 0 else f"{words} ago"


def _span(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    if seconds < 2 * _DAY:
        return f"{seconds // _HOUR} h"
    return f"{seconds // _DAY} days"


def percent(share: float) -> str:
    """Return a share in percent."""
    return f"{share * 100:.0f} %"


def told(value: Any) -> str:
    """Return a value of the audit in words."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={told(one)}" for name, one in value.items())
    return ", ".join(map(told, value)) if isinstance(value, list) else str(value)


def scope(where: Mapping[str, Any]) -> str:
    """Return dimension values in one line."""
    return ", ".join(f"{name}={value}" for name, value in sorted(where.items())) or "everything"
