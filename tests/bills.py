"""FOCUS files of tests' own making: what cost how much on which day, the rest filled in."""

import csv
import gzip
import io
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

FIRST = date(2026, 6, 1)
DAYS = 90
COLUMNS = (
    "BilledCost", "EffectiveCost", "ListCost", "ContractedCost", "BillingCurrency", "BillingAccountId", "SubAccountId",
    "BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd", "ChargeCategory", "ProviderName",
    "ServiceName", "RegionId", "Tags", "ChargeDescription",
)  # fmt: skip
Cost = Callable[[int], float]
Row = dict[str, str]


def steady(level: float) -> Cost:
    """Return a cost that wavers by two percent around a level."""
    return lambda day: level * (1 + 0.02 * ((day * 37) % 11 - 5) / 5)


def spiked(level: float, days: Iterable[int], factor: float) -> Cost:
    """Return a steady cost that is multiplied on some days."""
    known, calm = frozenset(days), steady(level)
    return lambda day: calm(day) * (factor if day in known else 1)


def day_after(day: int, *, first: date = FIRST) -> date:
    """Return the date of a day's number."""
    return first + timedelta(days=day)


def noon(day: int) -> datetime:
    """Return the noon of a day's number."""
    at = day_after(day)
    return datetime(at.year, at.month, at.day, 12, tzinfo=UTC)


def row(day: int, service: str, cost: float | str, **other: str) -> Row:
    """Return one row; ``other`` are FOCUS columns."""
    at = day_after(day)
    month = at.replace(day=1)
    amount = cost if isinstance(cost, str) else f"{cost:.4f}"
    values = {
        "BilledCost": amount,
        "EffectiveCost": amount,
        "ListCost": amount,
        "ContractedCost": amount,
        "BillingCurrency": "USD",
        "BillingAccountId": "billing-1",
        "SubAccountId": "account-1",
        "BillingPeriodStart": month.isoformat(),
        "BillingPeriodEnd": (month + timedelta(days=32)).replace(day=1).isoformat(),
        "ChargePeriodStart": at.isoformat(),
        "ChargePeriodEnd": (at + timedelta(days=1)).isoformat(),
        "ChargeCategory": "Usage",
        "ProviderName": "AWS",
        "ServiceName": service,
        "RegionId": "eu-central-1",
        "Tags": "",
        "ChargeDescription": f"{service} usage",
    }
    return values | other


def rows(series: Mapping[str, Cost], days: Iterable[int] = range(DAYS), **other: str) -> list[Row]:
    """Return a row for each service and day."""
    return [row(day, service, cost(day), **other) for day in days for service, cost in series.items()]


def text_of(content: Iterable[Row]) -> str:
    """Return rows as a FOCUS CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(content)
    return out.getvalue()


def write(path: Path, content: Iterable[Row]) -> Path:
    """Write rows as a FOCUS CSV, compressed if the name says so."""
    raw = text_of(content).encode()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path
