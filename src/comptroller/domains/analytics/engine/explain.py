"""Name the dimension values that carry an anomaly's excess.

Interface:
    ``Explainer(observation).explain(draft) -> tuple[Carrier, ...]`` from the marginal series of a run;
    ``explain_slice(draft, keys, actual_quanta, first_step) -> tuple[Carrier, ...]`` from daily cost of the primary
    series alone, split by the other dimensions (sharper: other anomalies of the same days are not in it).
    ``replace(draft, carriers=...)`` puts the answer where ``describe`` reads it.

Per axis, the smallest set of at most five values that carries at least 80 % of the excess is named, the largest
first; an axis on which it is spread wider is left out. The primary series carries all of it on its own axis. Series
that the anomaly has as evidence come before others: a series with a larger excess of its own may be abnormal for
another reason. A share is of the anomaly's excess and at most 1.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from comptroller.domains.analytics.engine.drafts import AnomalyDraft, Carrier
from comptroller.domains.analytics.engine.observation import Observation, SeriesKey
from comptroller.enums import Dimension
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
# How many days before an anomaly say what a slice costs normally.
_BASE_STEPS: Final = 28

Floats = NDArray[np.float64]


class Explainer:
    """Explain the anomalies of one run from its marginal series; built once, asked per anomaly."""

    def __init__(self, observation: Observation) -> None:
        self._observation = observation
        self._rows: dict[str, NDArray[np.intp]] = {}
        rows: dict[str, list[int]] = defaultdict(list)
        for row, key in enumerate(observation.keys):
            if key.dimension is not Dimension.TOTAL:
                rows[key.currency].append(row)
        for currency, members in rows.items():
            self._rows[currency] = np.array(members, dtype=np.intp)

    def explain(self, draft: AnomalyDraft) -> tuple[Carrier, ...]:
        """Return the values that carry the anomaly, per axis in alphabetical order."""
        rows = self._rows.get(draft.primary.currency)
        if rows is None:
            return ()
        seen = self._observation
        span = slice(max(draft.start - seen.first_step, 0), draft.end - seen.first_step)
        unit = 10.0 ** -quantum_exponent(draft.primary.currency)
        actual = seen.actual_quanta[rows, span].sum(axis=1, dtype=np.float64) / unit
        verdict = seen.judgement
        expected = np.nan_to_num(verdict.expected[rows, span].astype(np.float64)).sum(axis=1)
        band = np.nan_to_num(verdict.high[rows, span] - verdict.low[rows, span]).mean(axis=1) / 2
        noise = band * _BAND_TO_DEVIATION * np.sqrt(draft.steps)
        return _name(draft, [seen.keys[row] for row in rows], (actual - expected) * draft.direction, noise)


def explain_slice(
    draft: AnomalyDraft, keys: Sequence[SeriesKey], actual_quanta: NDArray[np.int64], first_step: int
) -> tuple[Carrier, ...]:
    """Return the values that carry the anomaly, from the cost of the primary series split along other dimensions.

    What is normal is taken from the 28 steps before the anomaly: their mean, without the two extremes.

    Args:
        draft: The anomaly.
        keys: The names of the rows: other dimensions' values.
        actual_quanta: Their cost within the primary series, (rows, steps), quanta.
        first_step: Absolute number of column 0.
    """
    unit = 10.0 ** -quantum_exponent(draft.primary.currency)
    start, end = max(draft.start - first_step, 0), draft.end - first_step
    base = np.sort(actual_quanta[:, max(start - _BASE_STEPS, 0) : start].astype(np.float64), axis=1)
    if base.shape[1] > MOST_VALUES:
        base = base[:, 1:-1]
    usual = base.mean(axis=1) if base.shape[1] else np.zeros(len(keys))
    noise = base.std(axis=1) * np.sqrt(draft.steps) / unit if base.shape[1] else usual
    excess = (actual_quanta[:, start:end].sum(axis=1, dtype=np.float64) - usual * draft.steps) / unit
    return _name(draft, keys, excess * draft.direction, noise)


def _name(draft: AnomalyDraft, keys: Sequence[SeriesKey], excess: Floats, noise: Floats) -> tuple[Carrier, ...]:
    """Return the carriers of all axes; ``excess`` is positive in the anomaly's direction, in currency units."""
    whole = float(from_quanta(draft.stakes, draft.primary.currency))
    if whole <= 0:
        return ()
    evidence = {item.key for item in draft.evidence}
    telling = np.flatnonzero((excess >= _LEAST_SHARE * whole) & (excess >= noise))
    known = [row for row, key in enumerate(keys) if key in evidence]
    by_axis: dict[str, list[int]] = defaultdict(list)
    for row in sorted({*telling.tolist(), *known}, key=lambda r: keys[r]):
        by_axis[keys[row].axis].append(row)
    named = [Carrier(draft.primary, 1.0)] if draft.primary.dimension is not Dimension.TOTAL else []
    for axis, rows in sorted(by_axis.items()):
        if axis in {draft.primary.axis, Dimension.TOTAL.value}:
            continue
        shown = [row for row in rows if keys[row] in evidence]
        shares = {row: float(excess[row]) / whole for row in rows}
        picked = _smallest(shown, shares) or _smallest(rows, shares)
        named += [Carrier(keys[row], min(shares[row], 1.0)) for row in picked]
    return tuple(sorted(named, key=lambda carrier: (carrier.key.axis, -carrier.share, carrier.key)))


def _smallest(rows: Sequence[int], shares: dict[int, float]) -> list[int]:
    """Return the fewest rows that carry 80 %; a single one that fits comes first, none if it takes more than five."""
    fitting = [row for row in rows if abs(shares[row] - 1) <= _FIT]
    if fitting:
        return [min(fitting, key=lambda row: abs(shares[row] - 1))]
    picked: list[int] = []
    carried = 0.0
    for row in sorted(rows, key=lambda r: -shares[r])[:MOST_VALUES]:
        picked.append(row)
        carried += shares[row]
        if carried >= CARRIED_SHARE:
            return picked
    return []
