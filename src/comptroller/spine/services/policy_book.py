"""What a process remembers of a tenant's policy between groups; every group checks that it is still in force."""

from datetime import datetime
from typing import Final

from comptroller.domains.policies.engine.policy import Policy
from comptroller.domains.policies.engine.terms import Line, Route
from comptroller.types.spend import Outcome, Scope

_SCOPES_MAX: Final = 65_536  # some hundred bytes each; a scope that is forgotten is worked out again


class PolicyBook:
    """One tenant's policy as last read, and the routes worked out from it. Not for two groups at once."""

    def __init__(self) -> None:
        self.policy: Policy | None = None
        self.lines: dict[str, Line] = {}
        self._routes: dict[Scope, Route] = {}
        self._stored: set[str] = set()

    def turn(self, policy: Policy) -> None:
        """Go on with another version of the policy."""
        self.policy = policy
        self._routes.clear()
        self.lines.clear()

    def route(self, policy: Policy, scope: Scope, now: datetime) -> Route:
        """Return what the policy says of a scope, worked out at most once until a window turns."""
        route = self._routes.get(scope)
        if route is not None and now < route.valid_until:
            return route
        if len(self._routes) >= _SCOPES_MAX:
            self._routes.clear()
            self.lines.clear()
        route = self._routes[scope] = policy.route(scope, now)
        for line in route.lines:
            self.lines[line.balance_id] = line
        return route

    def is_stored(self, route_id: str) -> bool:
        """Tell whether a route's row is known to be committed."""
        return route_id in self._stored

    def confirm(self, outcome: Outcome) -> None:
        """Remember what a committed group has stored."""
        if len(self._stored) >= _SCOPES_MAX:
            self._stored.clear()
        self._stored.update(outcome.routes)
