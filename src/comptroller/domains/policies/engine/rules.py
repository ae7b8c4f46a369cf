"""The draft of a limit: checked, ready to store."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from comptroller import checks
from comptroller.domains.policies.engine import dimensions
from comptroller.domains.policies.engine.windows import zone
from comptroller.enums import LimitMode, Window
from comptroller.errors import InvalidInputError
from comptroller.money import COUNT_UNITS, Money, as_money, spend_quanta

_PERCENT: Final = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*%\s*\Z")
_THRESHOLDS_MAX: Final = 16
_REASON_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class LimitDraft:
    """A limit as it will be stored."""

    name: str
    unit: str
    ceiling_quanta: int
    every: Window
    timezone: str
    where: dimensions.Pairs
    per: tuple[str, ...]
    require: tuple[str, ...]
    mode: LimitMode
    warn_at: tuple[str, ...]
    opens_incident: bool
    effective_from: datetime | None
    effective_until: datetime | None


def draft_limit(
    *,
    name: object,
    ceiling: object,
    every: object,
    timezone: object,
    where: object,
    per: object,
    require: object,
    mode: object,
    warn_at: object,
    opens_incident: object,
    effective_from: object,
    effective_until: object,
) -> LimitDraft:
    """Return the checked draft.

    Raises:
        InvalidInputError: If a value is not acceptable; the message names it and the mend.
    """
    money = as_money(ceiling)  # type: ignore[arg-type]  # anything else raises by name
    zone(timezone)
    draft = LimitDraft(
        name=checks.required_id("name", name),
        unit=money.unit,
        ceiling_quanta=ceiling_quanta(money),
        every=_window(every, money.unit),
        timezone=str(timezone),
        where=dimensions.pairs("where", where),
        per=dimensions.names("per", per),
        require=dimensions.names("require", require),
        mode=_mode(mode),
        warn_at=thresholds(warn_at, money.unit),
        opens_incident=_flag("opens_incident", opens_incident),
        effective_from=instant("effective_from", effective_from),
        effective_until=instant("effective_until", effective_until),
    )
    return _checked_period(draft)


def redraft(draft: LimitDraft, changes: dict[str, Any]) -> LimitDraft:
    """Return the draft with some of its values changed.

    Raises:
        InvalidInputError: If a new value is not acceptable, or is in another unit.
    """
    changed: dict[str, Any] = {}
    if "ceiling" in changes:
        changed["ceiling_quanta"] = ceiling_in(changes["ceiling"], draft.unit)
    if "name" in changes:
        changed["name"] = checks.required_id("name", changes["name"])
    if "where" in changes:
        changed["where"] = dimensions.pairs("where", changes["where"])
    if "require" in changes:
        changed["require"] = dimensions.names("require", changes["require"])
    if "mode" in changes:
        changed["mode"] = _mode(changes["mode"])
    if "warn_at" in changes:
        changed["warn_at"] = thresholds(changes["warn_at"], draft.unit)
    if "opens_incident" in changes:
        changed["opens_incident"] = _flag("opens_incident", changes["opens_incident"])
    for name in ("effective_from", "effective_until"):
        if name in changes:
            changed[name] = instant(name, changes[name])
    return _checked_period(replace(draft, **changed))


def ceiling_quanta(money: Money) -> int:
    """Return a ceiling in quanta.

    Raises:
        InvalidInputError: If it is zero or below, or finer than the unit's quantum.
    """
    if money.amount <= 0:
        raise InvalidInputError(f"ceiling {money} must be above zero: to refuse everything, kill the scope")
    if money.unit in COUNT_UNITS and money.amount != money.amount.to_integral_value():
        raise InvalidInputError(f"ceiling {money} must be a whole number")
    return spend_quanta(money.amount, money.unit)


def ceiling_in(value: object, unit: str) -> int:
    """Return a new ceiling of a limit that exists.

    Raises:
        InvalidInputError: If it is in another unit than the limit.
    """
    money = as_money(value)  # type: ignore[arg-type]  # anything else raises by name
    if money.unit != unit:
        raise InvalidInputError(f"ceiling {money} is not in {unit}, the limit's unit: archive it and create another")
    return ceiling_quanta(money)


def reason(value: object) -> str:
    """Return why something is changed; it is kept with the change."""
    text = "" if value is None else checks.optional_text("why", value) or ""
    if len(text) > _REASON_MAX:
        raise InvalidInputError(f"why is longer than {_REASON_MAX} characters")
    return text


def instant(name: str, value: object) -> datetime | None:
    """Return None or an aware instant."""
    if value is None:
        return None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise InvalidInputError(f"{name} {checks.shown(value)} must be a datetime with a time zone")
    return value


def thresholds(values: object, unit: str) -> tuple[str, ...]:
    """Return warning thresholds as stored: ``80%`` or an amount in the limit's unit.

    Raises:
        InvalidInputError: If one is neither, is zero, or they are too many.
    """
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise InvalidInputError(f"warn_at must be a list such as ['80%'], not {checks.shown(values)}")
    said = tuple(dict.fromkeys(_threshold(value, unit) for value in values))
    if len(said) > _THRESHOLDS_MAX:
        raise InvalidInputError(f"warn_at has {len(said)} thresholds, at most {_THRESHOLDS_MAX} are kept")
    return said


def threshold_quanta(threshold: str, unit: str, ceiling: int) -> int:
    """Return what a stored threshold means under a ceiling, in quanta."""
    match = _PERCENT.match(threshold)
    if match is None:
        return spend_quanta(Money.parse(threshold).amount, unit)
    above, below = Decimal(match[1]).as_integer_ratio()
    return -(-ceiling * above // (below * 100))  # up: a threshold is crossed, not approached


def _threshold(value: object, unit: str) -> str:
    if isinstance(value, str) and (match := _PERCENT.match(value)):
        if Decimal(match[1]) <= 0:
            raise InvalidInputError(f"warn_at {value!r} must be above zero")
        return f"{match[1]}%"
    money = as_money(value)  # type: ignore[arg-type]  # anything else raises by name
    if money.unit != unit:
        raise InvalidInputError(f"warn_at {money} is not in {unit}, the limit's unit")
    if money.amount <= 0:
        raise InvalidInputError(f"warn_at {money} must be above zero")
    return str(money)


def _window(value: object, unit: str) -> Window:
    if unit == "runs":
        if value not in (None, Window.LIFETIME):
            raise InvalidInputError("a limit on runs counts those that are running: leave every out")
        return Window.LIFETIME
    if value is None:
        return Window.LIFETIME
    try:
        return Window(value)  # type: ignore[arg-type]  # anything else raises by name
    except ValueError as error:
        raise InvalidInputError(f"every {checks.shown(value)} is unknown: use one of {', '.join(Window)}") from error


def _mode(value: object) -> LimitMode:
    try:
        return LimitMode(value)  # type: ignore[arg-type]  # anything else raises by name
    except ValueError as error:
        raise InvalidInputError(f"mode {checks.shown(value)} is unknown: use one of {', '.join(LimitMode)}") from error


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidInputError(f"{name} must be true or false, not {checks.shown(value)}")
    return value


def _checked_period(draft: LimitDraft) -> LimitDraft:
    start, end = draft.effective_from, draft.effective_until
    if start is not None and end is not None and start >= end:
        raise InvalidInputError(f"effective_from {start} is not before effective_until {end}")
    return draft
