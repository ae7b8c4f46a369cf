"""What a role may do, what it may hand on, and when a login is not heard."""

from datetime import datetime, timedelta
from typing import Final

from comptroller.enums import Role
from comptroller.errors import NotAllowedError

# Each role's rights as a set of words; handing a role on needs all of its rights.
RIGHTS: Final = {
    Role.VIEWER: frozenset({"read"}),
    Role.AGENT: frozenset({"spend"}),
    Role.OPERATOR: frozenset({"read", "spend", "operate"}),
    Role.ADMIN: frozenset({"read", "spend", "operate", "administer"}),
}
ATTEMPTS_MAX: Final = {"account": 5, "address": 50}  # an address may stand for an office
ATTEMPTS_WINDOW: Final = timedelta(minutes=15)


def check_grant(giver: Role, given: Role) -> None:
    """Check that nobody hands on more than they have.

    Raises:
        NotAllowedError: If the given role has a right that the giver lacks.
    """
    if not RIGHTS[given] <= RIGHTS[giver]:
        raise NotAllowedError(f"a {giver} cannot hand on the role {given}: it has rights that a {giver} lacks")


def earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    """Return the earlier of two ends, where absent is never."""
    if one is None or other is None:
        return one or other
    return min(one, other)


def wait_seconds(kind: str, count: int, first_at: datetime, now: datetime) -> int:
    """Return for how long an account's or an address's logins are not heard: 0 while it may try."""
    if count <= ATTEMPTS_MAX[kind]:
        return 0
    return max(0, int((first_at + ATTEMPTS_WINDOW - now).total_seconds()) + 1)
