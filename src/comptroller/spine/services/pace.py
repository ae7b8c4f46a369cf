"""How fast money goes: who spends what per hour now, and when a balance will run out."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from comptroller.domains.policies.driver import pace as driver
from comptroller.domains.policies.engine.dimensions import ABSENT, Pairs
from comptroller.domains.policies.engine.policy import subject_values
from comptroller.money import COUNT_UNITS, Money, spend_quanta
from comptroller.spine.services import see
from comptroller.types.caller import Caller
from comptroller.types.limits import Standing
from comptroller.types.sight import Forecast, TopRow
from comptroller.types.spend import place_of

_LOOKED_BACK: Final = timedelta(hours=24)
_HOUR: Final = timedelta(hours=1)


def top(session: Session, caller: Caller, by: str, count: int) -> list[TopRow]:
    """Return the values of a dimension by what they spent in the last hour, the most first."""
    conn, now = session.connection(), caller.now()
    spent: dict[tuple[str, str], int] = {}
    held: dict[tuple[str, str], int] = {}
    for one in driver.spent_by_hour(conn, caller.tenant, now - _HOUR):
        _add(spent, one.dimensions.get(by, ABSENT), one.currency, one.amounts[0])
    for currency, dimensions, quanta in driver.held_now(conn, caller.tenant):
        _add(held, dimensions.get(by, ABSENT), currency, quanta)
    refusals: dict[str, int] = {}
    for details, occurrences in driver.refusals_since(conn, caller.tenant, now - _HOUR):
        value = subject_values(_json(details.get("subject"))).get(by, ABSENT)
        refusals[value] = refusals.get(value, 0) + occurrences
    keys = sorted(spent.keys() | held.keys(), key=lambda key: (-spent.get(key, 0), -held.get(key, 0), key))[:count]
    return [
        TopRow(
            value=value,
            per_hour=Money.of_quanta(spent.get((value, unit), 0), unit),
            held=Money.of_quanta(held.get((value, unit), 0), unit),
            left=_left(session, caller, by, value, unit),
            refusals=refusals.get(value, 0),
        )
        for value, unit in keys
    ]


def forecast(session: Session, caller: Caller, pairs: Pairs) -> list[Forecast]:
    """Return when each balance of a subject will run out at its pace, the soonest first."""
    now = caller.now()
    hours = driver.spent_by_hour(session.connection(), caller.tenant, now - _LOOKED_BACK)
    told = []
    for standing in see.explain(session, caller, pairs).standings:
        unit = standing.limit.ceiling.unit
        paces = _paces(standing, unit, hours, now)
        if unit != "runs":
            told.append(_forecast(standing, unit, paces, now))
    return sorted(told, key=lambda one: (one.runs_out_at is None, one.runs_out_at or now, one.standing.limit.name))


def _paces(standing: Standing, unit: str, hours: list[driver.RouteHour], now: datetime) -> list[float]:
    """Return quanta an hour: over all hours since the first spend, the fastest hour, the slowest."""
    place = place_of(unit)
    sums: dict[datetime, int] = {}
    for one in hours:
        if standing.balance_id in one.balances:
            sums[one.hour] = sums.get(one.hour, 0) + one.amounts[place]
    if not sums:
        return [0.0, 0.0, 0.0]
    elapsed = max((now - min(sums)) / _HOUR, 1 / 60)
    whole = [sums.get(min(sums) + number * _HOUR, 0) for number in range(int(elapsed) + 1)]
    mean = sum(whole) / elapsed
    return [mean, max(mean, *map(float, whole)), min(mean, *map(float, whole[:-1] or whole))]


def _forecast(standing: Standing, unit: str, paces: list[float], now: datetime) -> Forecast:
    left = max(0, spend_quanta(standing.left.amount, unit))
    mean, fast, slow = (_runs_out(left, pace, now, standing.window_end) for pace in paces)
    return Forecast(standing, Money.of_quanta(round(paces[0]), unit), mean, fast, slow)


def _runs_out(left: int, pace: float, now: datetime, ends: datetime | None) -> datetime | None:
    if left == 0:
        return now
    if pace <= 0 or left / pace > 24 * 366 * 100:
        return None
    at = now + timedelta(hours=left / pace)
    return None if ends is not None and at >= ends else at


def _left(session: Session, caller: Caller, by: str, value: str, unit: str) -> Money | None:
    pairs: Pairs = () if value == ABSENT else ((by, value),)
    lefts = [each.left for each in see.explain(session, caller, pairs).standings if each.left.unit == unit]
    return min(lefts, key=lambda money: money.amount, default=None)


def _add(sums: dict[tuple[str, str], int], value: str, currency: str | None, quanta: int) -> None:
    if currency is not None and currency not in COUNT_UNITS:
        sums[value, currency] = sums.get((value, currency), 0) + quanta


def _json(subject: object) -> str:
    return subject if isinstance(subject, str) and subject.startswith("{") else ""
