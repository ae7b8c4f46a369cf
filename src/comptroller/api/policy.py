"""Who may call what: every route names one policy, and a route without one cannot be made."""

from enum import StrEnum
from typing import Final

from comptroller.enums import Role
from comptroller.types.access import Principal


class Policy(StrEnum):
    """What a route asks of whoever calls it."""

    PUBLIC = "public"
    SIGNED_IN = "signed-in"
    READ = "read"
    SPEND = "spend"
    OPERATE = "operate"
    ADMINISTER = "administer"
    WATCH = "watch"
    HOME = "home"


ROLES: Final = {
    Policy.SIGNED_IN: frozenset(Role),
    Policy.READ: frozenset({Role.VIEWER, Role.OPERATOR, Role.ADMIN}),
    Policy.SPEND: frozenset({Role.AGENT, Role.OPERATOR, Role.ADMIN}),
    Policy.OPERATE: frozenset({Role.OPERATOR, Role.ADMIN}),
    Policy.ADMINISTER: frozenset({Role.ADMIN}),
    # The process's metrics and the tenants are no single tenant's: they are for the home tenant's people.
    Policy.WATCH: frozenset({Role.VIEWER, Role.OPERATOR, Role.ADMIN}),
    Policy.HOME: frozenset({Role.ADMIN}),
}
_HOME_ONLY: Final = frozenset({Policy.WATCH, Policy.HOME})


def allows(policy: Policy, principal: Principal) -> bool:
    """Tell whether a principal may call a route of this policy, which is not a public one."""
    return principal.role in ROLES[policy] and (principal.is_home or policy not in _HOME_ONLY)
