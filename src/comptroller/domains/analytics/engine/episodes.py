"""Join the flagged steps of each series to episodes: from when to when, of what kind, at what cost.

Interface:
    ``find_episodes(observation, rules=None) -> list[Episode]``, ordered by series and start; ``DEFAULT_RULES``.

How steps join: flagged steps of one direction with at most ``bridge`` unflagged ones between them are one episode;
lasting kinds (SHIFT, DRIFT) bridge ``lasting_bridge`` steps, because their flags come and go while the level stays.
Steps of a lasting kind at its end that show less than a tenth of its largest excess are cut: means over several
days echo a burst that is over. An episode is open until a settled step after it is normal: provisional steps extend an
episode but never close one, and are never drops. Its kind is that of its steps, weighed by money; a lasting kind needs
a quarter. Amounts are exact integers of quanta over all steps of [start, end).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from comptroller.domains.analytics.engine.observation import Observation
from comptroller.domains.analytics.engine.panel import KIND_CODES, KINDS
from comptroller.enums import AnomalyKind, Grain
from comptroller.money import quantum_exponent

UP: Final = 1
DOWN: Final = -1
_DROP: Final = KIND_CODES[AnomalyKind.DROP]
_SPIKE: Final = KIND_CODES[AnomalyKind.SPIKE]
_LASTING: Final = (KIND_CODES[AnomalyKind.SHIFT], KIND_CODES[AnomalyKind.DRIFT])
_ECHO_SHARE: Final = 0.1
# A shift of which half is judged as a burst, before it has lasted long enough, is still a shift.
_LASTING_SHARE: Final = 0.25


@dataclass(frozen=True, slots=True)
class EpisodeRules:
    """Say how many unflagged steps an episode survives.

    Attributes:
        bridge: For every kind.
        lasting_bridge: Between two steps of a lasting kind; long enough that no weekend (or night) cuts it in two.
    """

    bridge: int = 1
    lasting_bridge: int = 7


DEFAULT_RULES: Final = {Grain.DAY: EpisodeRules(), Grain.HOUR: EpisodeRules(bridge=3, lasting_bridge=24)}
"""What is used where nothing else is said: a day or a week, three hours or a day."""


@dataclass(frozen=True, slots=True)
class Episode:
    """Hold one stretch of abnormal cost of one series; amounts are quanta over [start, end).

    Attributes:
        series: Row of the observation.
        kind: What it is as a whole.
        direction: +1 for too much, -1 for too little.
        start: First flagged step, absolute.
        end: Step after the last flagged one.
        is_open: Whether a later step may still extend it.
        actual: What was spent.
        expected: What was expected, with the ends of the band as ``low`` and ``high``.
        score: The highest score in it; 1.0 is the threshold.
        flagged_steps: How many of its steps are flagged.
    """

    series: int
    kind: AnomalyKind
    direction: int
    start: int
    end: int
    is_open: bool
    actual: int
    expected: int
    low: int
    high: int
    score: float
    flagged_steps: int

    @property
    def excess(self) -> int:
        """Return what was spent beyond the expected; negative for a drop."""
        return self.actual - self.expected

    @property
    def stakes(self) -> int:
        """Return the money at stake: the excess in the episode's direction, at least 0."""
        return max(self.excess * self.direction, 0)


def find_episodes(observation: Observation, rules: EpisodeRules | None = None) -> list[Episode]:
    """Return the episodes of all series, ordered by series and start.

    Args:
        observation: The run's facts.
        rules: How gaps are bridged; those of the grain unless given.
    """
    rules = rules or DEFAULT_RULES[observation.grain]
    series, steps, directions = _flagged(observation)
    if series.size == 0:
        return []
    kinds = observation.judgement.kind[series, steps]
    gaps = np.diff(steps) - 1
    lasting = np.isin(kinds, _LASTING)
    allowed = np.where(lasting[:-1] & lasting[1:], rules.lasting_bridge, rules.bridge)
    breaks = (np.diff(series) != 0) | (np.diff(directions) != 0) | (gaps > allowed)
    firsts = np.concatenate(([0], np.flatnonzero(breaks) + 1))
    lasts = np.concatenate((firsts[1:], [series.size]))
    return [
        _episode(observation, int(series[first]), steps[first:last], int(directions[first]))
        for first, last in zip(firsts, lasts, strict=True)
    ]


def _flagged(observation: Observation) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.int8]]:
    """Return series, column and direction of each flagged step that counts."""
    verdict = observation.judgement
    series, steps = np.nonzero(verdict.flag)
    kinds = verdict.kind[series, steps]
    units = observation.units(np.unique(series))
    unit_of_row = dict(zip(np.unique(series).tolist(), units.tolist(), strict=True))
    actual = observation.actual_quanta[series, steps] / np.array([unit_of_row[row] for row in series.tolist()])
    expected = np.nan_to_num(verdict.expected[series, steps].astype(np.float64))
    down = (kinds == _DROP) | (actual < expected)
    directions = np.where(down, DOWN, UP).astype(np.int8)
    absolute = steps + observation.first_step
    low_until = observation.settled_until if observation.drops_until is None else observation.drops_until
    counts = ~(down & (absolute >= low_until))
    if observation.judged_from is not None:
        counts &= absolute >= observation.judged_from
    return series[counts], steps[counts], directions[counts]


def amounts_over(observation: Observation, series: int, start: int, end: int) -> tuple[int, int, int, int]:
    """Return actual, expected, low and high of one series over [start, end), in quanta.

    Each step is rounded once (half-even), so that the parts of a stretch add up to the whole.
    """
    verdict = observation.judgement
    span = slice(start - observation.first_step, end - observation.first_step)
    unit = 10 ** -quantum_exponent(observation.keys[series].currency)
    return (
        sum(observation.actual_quanta[series, span].tolist()),
        _quanta(verdict.expected[series, span], unit),
        _quanta(verdict.low[series, span], unit),
        _quanta(verdict.high[series, span], unit),
    )


def _episode(observation: Observation, series: int, steps: NDArray[np.intp], direction: int) -> Episode:
    verdict = observation.judgement
    codes = verdict.kind[series, steps]
    excess = _step_excess(observation, series, steps) * direction
    while steps.size > 1 and codes[-1] in _LASTING and excess[-1] < _ECHO_SHARE * excess.max():
        steps, codes, excess = steps[:-1], codes[:-1], excess[:-1]
    start, end = (int(step) + observation.first_step for step in (steps[0], steps[-1] + 1))
    actual, expected, low, high = amounts_over(observation, series, start, end)
    return Episode(
        series=series,
        kind=_kind(codes, excess),
        direction=direction,
        start=start,
        end=end,
        is_open=end >= observation.settled_until,
        actual=actual,
        expected=expected,
        low=low,
        high=high,
        score=float(verdict.score[series, steps].max()),
        flagged_steps=int(steps.size),
    )


def _step_excess(observation: Observation, series: int, steps: NDArray[np.intp]) -> NDArray[np.float64]:
    unit = 10.0 ** -quantum_exponent(observation.keys[series].currency)
    actual = observation.actual_quanta[series, steps] / unit
    excess: NDArray[np.float64] = actual - np.nan_to_num(observation.judgement.expected[series, steps])
    return excess


def _quanta(amounts: NDArray[np.float32], unit: int) -> int:
    return sum(round(amount * unit) for amount in np.nan_to_num(amounts.astype(np.float64)).tolist())


def _kind(codes: NDArray[np.uint8], excess: NDArray[np.float64]) -> AnomalyKind:
    """Return the kind of an episode from the kinds of its steps and the money of each."""
    money = np.maximum(excess, 0.0)
    weights = {kind: float(money[codes == code].sum()) for code, kind in enumerate(KINDS, start=1)}
    if codes[0] in (KIND_CODES[AnomalyKind.NEW_SPEND], _DROP):
        return KINDS[int(codes[0]) - 1]
    shift, drift = weights[AnomalyKind.SHIFT], weights[AnomalyKind.DRIFT]
    if np.isin(codes, _LASTING).any() and shift + drift >= _LASTING_SHARE * float(money.sum()):
        return AnomalyKind.SHIFT if shift >= drift else AnomalyKind.DRIFT
    if weights[AnomalyKind.DROP] > 0:
        return AnomalyKind.DROP
    return AnomalyKind.SPIKE if codes.size == 1 and codes[0] == _SPIKE else AnomalyKind.BURST
