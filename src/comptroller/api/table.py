"""All routes; what is not here does not exist."""

from typing import Final

from comptroller.api.areas import access, costs, incidents, limits, spend, system, usage
from comptroller.api.route import Route

AREAS: Final = {
    "incidents": incidents.ROUTES,
    "limits": limits.ROUTES,
    "costs": costs.ROUTES,
    "spend": spend.ROUTES,
    "usage": usage.ROUTES,
    "access": access.ROUTES,
    "system": system.ROUTES,
}
ROUTES: Final[tuple[Route, ...]] = tuple(route for area in AREAS.values() for route in area)
BY_USE_CASE: Final = {route.use_case: route for route in ROUTES if route.use_case is not None}
