"""Say how much an anomaly matters, and whether its incident opens with a notice.

Interface:
    ``judge_severity(draft, daily_total, rules) -> Severity``; ``rank(draft, severity, rules)`` is a sort key, gravest
    first; ``suppression(draft, notice, planned, muted) -> SuppressedReason | None``;
    ``impact_percent(draft)``.

Severity counts points as a person would: money first, then how unusual, then how long.
The money at stake gives 0 to 3 points by its amount (``SeverityRules.amounts``) and 0 to 3 by its share of what the
tenant spends a day (``shares``); the mean of both counts (a currency without amounts goes by its share alone). A very
unusual score and a long duration add a quarter each; a drop loses one point, since it burns nothing. 2.5 points are
CRITICAL, 1.5 HIGH, 0.5 MEDIUM. Stakes below ``trifle`` are LOW whatever their share.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Final, assert_never

from comptroller.domains.analytics.engine.drafts import AnomalyDraft, days_of
from comptroller.domains.analytics.engine.episodes import DOWN
from comptroller.domains.analytics.engine.observation import SeriesKey, step_length
from comptroller.enums import AnomalyKind, Dimension, Severity, SuppressedReason, ThresholdJoin
from comptroller.money import from_quanta

_ORDER: Final = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)
# A series carries an anomaly, for planned windows, when it shows this share of its excess.
_CARRIES: Final = Decimal("0.8")


@dataclass(frozen=True, slots=True)
class Amounts:
    """Hold the amounts of one currency from which 3, 2 and 1 points are given, and what is a trifle."""

    critical: Decimal
    high: Decimal
    medium: Decimal
    trifle: Decimal


def _amounts(scale: int) -> Amounts:
    return Amounts(Decimal(2000 * scale), Decimal(200 * scale), Decimal(20 * scale), Decimal(scale))


# Rounded to what one US dollar buys, so that the steps are round amounts in each currency; no exchange rate.
_DEFAULT_AMOUNTS: Final = MappingProxyType(
    {code: _amounts(1) for code in ("USD", "EUR", "GBP", "CHF", "CAD", "AUD", "NZD", "SGD")}
    | {code: _amounts(5) for code in ("BRL", "PLN", "ILS", "MYR", "AED", "SAR", "CNY")}
    | {code: _amounts(10) for code in ("SEK", "NOK", "DKK", "HKD", "MXN", "ZAR")}
    | {code: _amounts(100) for code in ("JPY", "INR", "RUB", "PHP")}
    | {code: _amounts(1000) for code in ("KRW", "CLP", "COP")}
    | {"IDR": _amounts(10000), "VND": _amounts(20000)}
)


@dataclass(frozen=True, slots=True)
class SeverityRules:
    """Hold the thresholds of severity; they are settings.

    Attributes:
        amounts: By currency; one that is missing goes by its share alone.
        shares: Shares of the tenant's daily spend in that currency from which 3, 2 and 1 points are given.
        unusual_score: From this score on (1.0 is the detector's threshold) a quarter point is added.
        long_days: From this many days on a quarter point is added.
    """

    amounts: Mapping[str, Amounts] = field(default_factory=lambda: _DEFAULT_AMOUNTS)
    shares: tuple[Decimal, Decimal, Decimal] = (Decimal(1), Decimal("0.3"), Decimal("0.05"))
    unusual_score: float = 3.0
    long_days: int = 7


@dataclass(frozen=True, slots=True)
class NoticeRules:
    """Say from when on an anomaly is worth a notice, as AWS Cost Anomaly Detection does; both ends included.

    Attributes:
        amounts: Least money at stake by currency; one that is missing always meets it. None: not asked.
        percent: Least excess in percent of the expected. None: not asked.
        join: Whether both or either must be met.
    """

    amounts: Mapping[str, Decimal] | None = None
    percent: Decimal | None = None
    join: ThresholdJoin = ThresholdJoin.AND


@dataclass(frozen=True, slots=True)
class Scope:
    """Name the series that a planned window or a mute is about; None stands for any."""

    dimension: Dimension | None = None
    value: str | None = None
    currency: str | None = None
    kind: AnomalyKind | None = None

    def covers(self, key: SeriesKey, kind: AnomalyKind) -> bool:
        """Return whether the series and kind are in this scope."""
        asked = ((self.dimension, key.dimension), (self.value, key.value), (self.currency, key.currency))
        return all(want is None or want == have for want, have in (*asked, (self.kind, kind)))


@dataclass(frozen=True, slots=True)
class PlannedWindow:
    """Hold days on which a scope's cost is expected to be abnormal: exactly the days of [start, end).

    Days are days (``step_of(date)``) for hourly anomalies too.
    """

    scope: Scope
    start: int
    end: int


def judge_severity(draft: AnomalyDraft, daily_total: int, rules: SeverityRules | None = None) -> Severity:
    """Return the severity of an anomaly.

    Args:
        draft: The anomaly.
        daily_total: What the tenant usually spends a day in the anomaly's currency, in quanta (a median; 0 if unknown).
        rules: The thresholds.
    """
    rules = rules or SeverityRules()
    stakes = from_quanta(draft.stakes, draft.primary.currency)
    amounts = rules.amounts.get(draft.primary.currency)
    if draft.stakes == 0 or (amounts is not None and stakes < amounts.trifle):
        return Severity.LOW
    money = [] if amounts is None else [_points(stakes, (amounts.critical, amounts.high, amounts.medium))]
    if daily_total > 0:
        money.append(_points(Decimal(draft.stakes) / daily_total, rules.shares))
    points = sum(money) / max(len(money), 1)
    points += 0.25 * (draft.score >= rules.unusual_score)
    points += 0.25 * (draft.steps * step_length(draft.grain).total_seconds() >= rules.long_days * 86400)
    points -= draft.direction == DOWN
    reached = [severity for severity, least in zip(_ORDER, (2.5, 1.5, 0.5), strict=False) if points >= least]
    return reached[0] if reached else Severity.LOW


def _points(amount: Decimal, thresholds: tuple[Decimal, Decimal, Decimal]) -> int:
    return sum(amount >= threshold for threshold in thresholds)


def rank(draft: AnomalyDraft, severity: Severity, rules: SeverityRules | None = None) -> tuple[float | str, ...]:
    """Return a sort key: the gravest first, then the most money, the most unusual, the longest.

    Currencies compare by their ``medium`` amounts, not by an exchange rate.
    """
    amounts = (rules or SeverityRules()).amounts.get(draft.primary.currency, _amounts(1))
    stakes = float(from_quanta(draft.stakes, draft.primary.currency) / amounts.medium)
    return (_ORDER.index(severity), -stakes, -draft.score, -draft.steps, draft.start, draft.anomaly_id)


def impact_percent(draft: AnomalyDraft) -> Decimal | None:
    """Return the money at stake in percent of the expected; None where nothing was expected (without bound)."""
    return Decimal(draft.stakes) * 100 / draft.expected if draft.expected > 0 else None


def suppression(
    draft: AnomalyDraft,
    notice: NoticeRules,
    planned: Iterable[PlannedWindow] = (),
    muted: Iterable[Scope] = (),
) -> SuppressedReason | None:
    """Return why the anomaly's incident opens without a notice; None if it is to be told.

    A planned window counts only if the windows in whose scope the anomaly lies cover every day of it; ask again when
    it is extended. Nothing here prevents the anomaly.
    """
    if _is_planned(draft, planned):
        return SuppressedReason.PLANNED
    if any(scope.covers(draft.primary, draft.kind) for scope in muted):
        return SuppressedReason.MUTED
    return None if _is_notable(draft, notice) else SuppressedReason.BELOW_THRESHOLD


def _is_planned(draft: AnomalyDraft, planned: Iterable[PlannedWindow]) -> bool:
    carrying = [draft.primary]
    carrying += [e.key for e in draft.evidence if abs(e.excess) >= _CARRIES * abs(draft.excess)]
    carrying += [carrier.key for carrier in draft.carriers if carrier.share >= _CARRIES]
    first, end = days_of(draft)
    covered: set[int] = set()
    for window in planned:
        if any(window.scope.covers(key, draft.kind) for key in carrying):
            covered.update(range(max(window.start, first), min(window.end, end)))
    return len(covered) == end - first


def _is_notable(draft: AnomalyDraft, notice: NoticeRules) -> bool:
    met: list[bool] = []
    if notice.amounts is not None:
        least = notice.amounts.get(draft.primary.currency)
        met.append(least is None or from_quanta(draft.stakes, draft.primary.currency) >= least)
    if notice.percent is not None:
        percent = impact_percent(draft)
        met.append(percent is None or percent >= notice.percent)
    if not met:
        return True
    match notice.join:
        case ThresholdJoin.AND:
            return all(met)
        case ThresholdJoin.OR:
            return any(met)
        case _:
            assert_never(notice.join)
