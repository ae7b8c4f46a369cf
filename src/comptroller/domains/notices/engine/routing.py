"""Which channel tells which notice, and when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from comptroller.domains.notices.engine.times import read_times
from comptroller.enums import Severity
from comptroller.errors import InvalidInputError
from comptroller.types.notices import ChannelRules
from comptroller.words import member

_ORDER: Final = list(Severity)
KINDS: Final = ("incident", "limit", "kill")
SECONDS_MAX: Final = 7 * 86_400
RETRY_FIRST: Final = 5.0
RETRY_MAX: Final = 3600.0
ATTEMPTS_MAX: Final = 12  # with these waits about five hours; then it is dead, and an incident says so


@dataclass(frozen=True, slots=True)
class Notice:
    """What routing needs to know of a notice."""

    kind: str
    severity: Severity
    dimensions: Mapping[str, str]


def wants(rules: ChannelRules, notice: Notice, now: datetime) -> bool:
    """Tell whether a channel tells a notice."""
    if _ORDER.index(notice.severity) > _ORDER.index(rules.severity):
        return False
    if rules.kinds and not any(notice.kind == kind or notice.kind.startswith(f"{kind}.") for kind in rules.kinds):
        return False
    if any(notice.dimensions.get(name) not in values for name, values in rules.where.items()):
        return False
    return rules.only is None or read_times(rules.only, rules.timezone).end_of(now) is not None


def ready_at(rules: ChannelRules, severity: Severity, now: datetime) -> datetime:
    """Return from when on a notice may leave: CRITICAL at once, others after quiet hours and gathering."""
    if severity is Severity.CRITICAL:
        return now
    quiet_until = None if rules.quiet is None else read_times(rules.quiet, rules.timezone).end_of(now)
    return (quiet_until or now) + timedelta(seconds=rules.group_seconds)


def retry_after(attempts: int, luck: float) -> timedelta:
    """Return how long to wait after so many attempts; ``luck`` in [0, 1) spreads those that failed together."""
    full = min(RETRY_FIRST * 2 ** (attempts - 1), RETRY_MAX)
    return timedelta(seconds=full * (0.5 + luck / 2))


def check_rules(rules: ChannelRules) -> ChannelRules:
    """Return rules that are acceptable.

    Raises:
        InvalidInputError: If one is not.
    """
    for times in (rules.only, rules.quiet):
        if times is not None:
            read_times(times, rules.timezone)
    for name, seconds in (("group", rules.group_seconds), ("repeat", rules.repeat_seconds)):
        if not 0 <= seconds <= SECONDS_MAX:
            raise InvalidInputError(f"{name} must be between 0 and {SECONDS_MAX} seconds: {seconds}")
    for kind in rules.kinds:
        if kind.split(".", maxsplit=1)[0] not in KINDS:
            raise InvalidInputError(f"kind {kind!r} is unknown: begin with one of {', '.join(KINDS)}")
    return rules


def rules_as_json(rules: ChannelRules) -> dict[str, Any]:
    """Return rules as they are stored."""
    return {
        "severity": rules.severity.value,
        "kinds": list(rules.kinds),
        "where": {name: list(values) for name, values in rules.where.items()},
        "only": rules.only,
        "quiet": rules.quiet,
        "timezone": rules.timezone,
        "group_seconds": rules.group_seconds,
        "repeat_seconds": rules.repeat_seconds,
        "to_owner": rules.to_owner,
    }


def rules_of_json(stored: Mapping[str, Any]) -> ChannelRules:
    """Return rules as they were stored."""
    return ChannelRules(
        **{
            **stored,
            "severity": member(Severity, "severity", stored["severity"]),
            "kinds": tuple(stored["kinds"]),
            "where": {name: tuple(values) for name, values in stored["where"].items()},
        }
    )
