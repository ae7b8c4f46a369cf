"""Overview, Spend, Breaches, Audit: pages that only show."""

from datetime import UTC, date, datetime
from typing import Final

import msgspec
from litestar import Response

from comptroller.api.policy import Policy
from comptroller.enums import Dimension
from comptroller.errors import InvalidInputError
from comptroller.spine.orchestrator import audit, overview
from comptroller.types.overview import Spending
from comptroller.web import charts
from comptroller.web.visit import Page, Visit, link

PERIODS: Final = (7, 14, 30, 90, 365)
LIVE_DIMENSIONS: Final = ("agent", "model", "team", "user")
_LIST: Final = 50


async def show_overview(visit: Visit) -> Response[bytes]:
    """Show what is burning now."""
    by = visit.query.get("by") or LIVE_DIMENSIONS[0]
    found = await visit.ask(overview.look, dimension=by[:64])
    return visit.page("overview.html", title="Overview", found=found, by=by, dimensions=LIVE_DIMENSIONS)


async def show_spend(visit: Visit) -> Response[bytes]:
    """Show spend by a dimension over time, stacked, against the period before."""
    by, days = visit.query.get("by") or "service", visit.number("days", 30, least=1, most=365)
    until = _date(visit.query.get("until", ""))
    currency = visit.query.get("currency") or None
    found = await visit.ask(overview.show_spending, dimension=by, days=days, until=until, currency=currency)
    drawing = None if found is None else charts.stack(found.days, found.names, found.series)
    return visit.page(
        "spend.html", title="Spend", found=found, drawing=drawing, by=by, days=days, until=until,
        dimensions=list(Dimension), periods=PERIODS, plot=_plot(found),
    )  # fmt: skip


async def show_breaches(visit: Visit) -> Response[bytes]:
    """Show refusals and crossings, the newest first."""
    before = visit.query.get("before") or None
    found = await visit.ask(overview.list_breaches, before=before, count=_LIST)
    more = link("/breaches", before=found[-1].id) if len(found) == _LIST else None
    return visit.page("breaches.html", title="Breaches", found=found, more=more, is_first=before is None)


async def show_audit(visit: Visit) -> Response[bytes]:
    """Show who changed what."""
    before, kind = visit.query.get("before") or None, visit.query.get("type") or None
    found = await visit.ask(audit.list_audit, object_type=kind, before=before, count=_LIST)
    more = link("/audit", before=found[-1].id, type=kind) if len(found) == _LIST else None
    return visit.page("audit.html", title="Audit", found=found, more=more, kind=kind)


def _plot(found: Spending | None) -> str:
    """Return what the browser draws as lines; numbers for the eye, not for sums."""
    if found is None:
        return ""
    days = [datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() for day in found.days]
    series = [[float(value) for value in row] for row in found.series]
    return msgspec.json.encode({"days": days, "names": found.names, "series": series}).decode()


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InvalidInputError(f"until must be a date such as 2026-03-31: {text[:20]!r}") from error


PAGES: Final = (
    Page("GET", "/", Policy.READ, show_overview),
    Page("GET", "/spend", Policy.READ, show_spend),
    Page("GET", "/breaches", Policy.READ, show_breaches),
    Page("GET", "/audit", Policy.READ, show_audit),
)
