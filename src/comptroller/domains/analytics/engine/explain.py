"""Name the dimension values that carry an anomaly's excess.

Interface:
    ``Explainer(observation).explain(draft) -> tuple[Carrier, ...]`` from the marginal series of a run;
    ``explain_slice(draft, keys, actual_quanta, first_step) -> tuple[Carrier, ...]`` from daily cost of the primary
    series alone, split by the other dimensions (sharper: other anomalies of the same days are not in it).
    ``replace(draft, carriers=...)`` puts the answer where ``describe`` reads it.

Per axis, the smallest set of at most five values that carries at least 80 % of the excess is named, the largest
first; an axis on which it is spread wider is left out. The primary series carries all of it on its own axis. Series
that the anomaly has as evidence come before others: a series with a larger excess of its own may be abnormal for
another reason, and of several such that do not fit none is named. A share is of the anomaly's excess and at most 1.

What a value usually costs is, for anomalies of up to three steps, the detector's expectation. For longer ones, which
it follows within days, sooner on some series than on others, it is the median of the same weekdays (hours) of the four
weeks (days) before the anomaly.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from comptroller.domains.analytics.engine.drafts import AnomalyDraft, Carrier
from comptroller.domains.analytics.engine.observation import Observation, SeriesKey
from comptroller.enums import Dimension, Grain
from comptroller.money import from_quanta, quantum_exponent

# The requirement's "carry at least 80 % of the excess".
CARRIED_SHARE: Final = 0.8
# More names than a hand has fingers explain nothing.
MOST_VALUES: Final = 5
# A single value fits when its excess is the anomaly's, give or take a fifth.
_FIT: Final = 0.2
# A value below this share is noise in the list of names.
_LEAST_SHARE: Final = 0.05
# The half band is about three standard deviations; what is within one is no reason to name a value.
_BAND_TO_DEVIATION: Final = 1 / 3
# Four weeks, or days of hours, say what is usual.
_BASE_CYCLES: Final = 4
# So long the detector's expectation has not followed a new level much.
_FOLLOWED_STEPS: Final = 3
_CYCLE: Final = {Grain.DAY: 7, Grain.HOUR: 24}

Floats = NDArray[np.float64]


class Explainer:
    """Explain the anomalies of one run from its marginal series; built once, asked per anomaly."""

    def __init__(self, observation: Observation) -> None:
        self._keys = observation.keys
        self._first = observation.first_step
        self._row_of = {key: row for row, key in enumerate(observation.keys)}
        currencies = np.array([key.currency for key in observation.keys], dtype=np.str_)
        totals = np.array([key.dimension is Dimension.TOTAL for key in observation.keys], dtype=np.bool_)
        self._of = {str(currency): (currencies == currency) & ~totals for currency in np.unique(currencies)}
        units = np.array([10.0 ** -quantum_exponent(key.currency) for key in observation.keys])
        # Steps first: the days of one anomaly are then one stretch of memory over all series.
        actual: NDArray[np.float32] = np.ascontiguousarray(observation.actual_quanta.T, dtype=np.float32)
        self._actual = actual
        self._actual /= units.astype(np.float32)
        verdict = observation.judgement
        self._expected = np.nan_to_num(np.ascontiguousarray(verdict.expected.T))
        self._noise = np.nan_to_num(verdict.high - verdict.low).mean(axis=1) / 2 * _BAND_TO_DEVIATION

    def explain(self, draft: AnomalyDraft) -> tuple[Carrier, ...]:
        """Return the values that carry the anomaly, per axis in alphabetical order."""
        mask = self._of.get(draft.primary.currency)
        if mask is None:
            return ()
        least = _LEAST_SHARE * float(from_quanta(draft.stakes, draft.primary.currency))
        excess = self._excess(draft, mask, least)
        telling = mask & (excess >= least) & (excess >= self._noise * np.sqrt(draft.steps))
        rows = {*np.flatnonzero(telling).tolist()}
        rows |= {self._row_of[item.key] for item in draft.evidence if item.key in self._row_of}
        return _name(draft, [(self._keys[row], float(excess[row])) for row in rows])

    def _excess(self, draft: AnomalyDraft, mask: NDArray[np.bool_], least: float) -> Floats:
        """Return the excess of every series over the anomaly's days, positive in its direction."""
        start, end = max(draft.start - self._first, 0), draft.end - self._first
        actual = self._actual[start:end].sum(axis=0, dtype=np.float64)
        excess = actual - self._expected[start:end].sum(axis=0, dtype=np.float64)
        cycle = _CYCLE[draft.grain]
        if draft.steps > _FOLLOWED_STEPS and start >= cycle:
            before = self._actual[max(2 * start - end, 0) : start].sum(axis=0)
            rows = np.flatnonzero(mask & (np.maximum(actual, before) >= least))
            earlier = self._actual[max(start - _BASE_CYCLES * cycle, 0) : start, rows]
            excess[rows] = actual[rows] - _usual(earlier, end - start, cycle)
        signed: Floats = excess * draft.direction
        return signed


def explain_slice(
    draft: AnomalyDraft, keys: Sequence[SeriesKey], actual_quanta: NDArray[np.int64], first_step: int
) -> tuple[Carrier, ...]:
    """Return the values that carry the anomaly, from the cost of the primary series split along other dimensions.

    Args:
        draft: The anomaly.
        keys: The names of the rows: other dimensions' values.
        actual_quanta: Their cost within the primary series, (rows, steps), quanta.
        first_step: Absolute number of column 0.
    """
    unit = 10.0 ** -quantum_exponent(draft.primary.currency)
    start, end = max(draft.start - first_step, 0), draft.end - first_step
    amounts: Floats = actual_quanta.T.astype(np.float64) / unit
    cycle = _CYCLE[draft.grain]
    if start >= cycle:
        usual = _usual(amounts[max(start - _BASE_CYCLES * cycle, 0) : start], end - start, cycle)
    else:
        usual = (amounts[:start].mean(axis=0) if start else np.zeros(len(keys))) * (end - start)
    excess = (amounts[start:end].sum(axis=0) - usual) * draft.direction
    return _name(draft, list(zip(keys, excess.tolist(), strict=True)))


def _usual(earlier: NDArray[np.floating], steps: int, cycle: int) -> Floats:
    """Return what each series usually costs over the next steps: medians of the same weekdays (hours) before."""
    cycles = len(earlier) // cycle
    typical = np.median(earlier[-cycles * cycle :].reshape(cycles, cycle, -1), axis=0)
    usual: Floats = typical[np.arange(steps) % cycle].sum(axis=0, dtype=np.float64)
    return usual


def _name(draft: AnomalyDraft, shown: Sequence[tuple[SeriesKey, float]]) -> tuple[Carrier, ...]:
    """Return the carriers of all axes from the excess of values, in currency units, in the anomaly's direction."""
    whole = float(from_quanta(draft.stakes, draft.primary.currency))
    if whole <= 0:
        return ()
    evidence = {item.key for item in draft.evidence}
    shares: dict[str, dict[SeriesKey, float]] = defaultdict(dict)
    for key, excess in sorted(shown):
        shares[key.axis][key] = excess / whole
    named = [Carrier(draft.primary, 1.0)] if draft.primary.dimension is not Dimension.TOTAL else []
    for axis, values in shares.items():
        if axis not in {draft.primary.axis, Dimension.TOTAL.value}:
            known = {key: share for key, share in values.items() if key in evidence}
            picked = _smallest(known) or _smallest({k: share for k, share in values.items() if share >= _LEAST_SHARE})
            named += [Carrier(key, min(values[key], 1.0)) for key in picked]
    return tuple(sorted(named, key=lambda carrier: (carrier.key.axis, -carrier.share, carrier.key)))


def _smallest(shares: Mapping[SeriesKey, float]) -> list[SeriesKey]:
    """Return the fewest values that carry 80 %: the one that fits best, the only one able to, or up to five together.

    Where several could each carry all of it and none fits, none is named: they are abnormal for other reasons too.
    """
    able = [key for key, share in shares.items() if share >= CARRIED_SHARE]
    fitting = [key for key in able if shares[key] - 1 <= _FIT]
    if fitting:
        return [min(fitting, key=lambda key: abs(shares[key] - 1))]
    if able:
        return able if len(able) == 1 else []
    picked: list[SeriesKey] = []
    carried = 0.0
    for key in sorted(shares, key=lambda k: -shares[k])[:MOST_VALUES]:
        picked.append(key)
        carried += shares[key]
        if carried >= CARRIED_SHARE:
            return picked
    return []
