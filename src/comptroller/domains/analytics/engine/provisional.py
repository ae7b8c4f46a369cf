"""Learn how full a day of cost is while its provider is still filling it.

Interface:
    ``learn_fullness(samples, rules) -> Fullness | None`` from earlier deliveries;
    ``provisional_steps(fullness, end_day, steps) -> Provisional``: the share of its final amount that each step of a
    panel can be expected to hold (1.0 when final), and from which step on steps are provisional;
    ``fill_samples(deliveries)`` turns what each delivery said into samples.

An age is counted in whole days between a day and the newest day of the delivery that reported it: the newest day has
age 0. A sample is the share of its final amount that a day had at an age. Per age the median share is learned, which
one late correction or one empty delivery cannot move; shares are made non-decreasing in age. A day is final at the
first age from which nine of ten samples had at least 98 % of the final amount. Unknown (fewer than five samples at
an age): the last two days are provisional and count with what is there (share 1.0), and older ones are final.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from comptroller.domains.analytics.engine.observation import PROVISIONAL_DAYS

# A day that its newest report found a week old is taken as final in the samples.
_FINAL_AGE: Final = 7
# A provider that still changes a day after a month is correcting, not filling.
_MOST_AGES: Final = 31
# A learned share below this would turn noise into multiples of money; such a day says nothing yet.
_LEAST_SHARE: Final = 0.05


@dataclass(frozen=True, slots=True)
class FullnessRules:
    """Say when enough is known and when a day counts as final.

    Attributes:
        least_samples: How many samples an age needs.
        final_share: From this share on a day counts as full.
        sure_share: How large a part of the samples must have been full.
    """

    least_samples: int = 5
    final_share: float = 0.98
    sure_share: float = 0.9


@dataclass(frozen=True, slots=True)
class FillSample:
    """Hold what one delivery said of one day: how old the day was, and the share of its final amount it had."""

    age_days: int
    share: float


@dataclass(frozen=True, slots=True)
class Fullness:
    """Hold what was learned: ``shares[age]`` for the ages at which a day is not final yet."""

    shares: tuple[float, ...]

    @property
    def provisional_days(self) -> int:
        """Return how many of the newest days are provisional."""
        return len(self.shares)


@dataclass(frozen=True, slots=True)
class Provisional:
    """Hold the answer for one panel.

    Attributes:
        shares: Per step, the share of its final amount that it can be expected to hold.
        settled_until: Absolute number of the first provisional step.
    """

    shares: NDArray[np.float64]
    settled_until: int


def fill_samples(deliveries: Iterable[tuple[int, Mapping[int, int]]]) -> list[FillSample]:
    """Return the samples in a source's deliveries, given oldest first: (newest day, quanta per day).

    The last delivery that reports a day is final for it if the day was a week old by then; younger days say nothing
    yet and are left out, as are days of no or negative cost.
    """
    known = list(deliveries)
    final: dict[int, tuple[int, int]] = {}
    for newest, amounts in known:
        for day, quanta in amounts.items():
            final[day] = (newest - day, quanta)
    samples = []
    for newest, amounts in known:
        for day, quanta in amounts.items():
            last_age, full = final[day]
            age = newest - day
            if full > 0 and 0 <= age < last_age and last_age >= _FINAL_AGE:
                samples.append(FillSample(age, quanta / full))
    return samples


def learn_fullness(samples: Iterable[FillSample], rules: FullnessRules | None = None) -> Fullness | None:
    """Return how full days are by age; None if the newest day's age is not known well enough."""
    rules = rules or FullnessRules()
    by_age: dict[int, list[float]] = defaultdict(list)
    for sample in samples:
        if 0 <= sample.age_days < _MOST_AGES and np.isfinite(sample.share):
            by_age[sample.age_days].append(sample.share)
    shares: list[float] = []
    for age in range(_MOST_AGES):
        seen = by_age.get(age, [])
        if len(seen) < rules.least_samples:
            shares += [1.0] * (PROVISIONAL_DAYS - len(shares)) if shares else []
            break
        if float(np.quantile(seen, 1 - rules.sure_share)) >= rules.final_share:
            return Fullness(tuple(shares))
        floor = shares[-1] if shares else _LEAST_SHARE
        shares.append(min(max(float(np.median(seen)), floor), 1.0))
    return Fullness(tuple(shares)) if shares else None


def provisional_steps(fullness: Fullness | None, end_day: int, steps: int) -> Provisional:
    """Return how full the steps of a daily panel are.

    Args:
        fullness: What was learned, None if nothing.
        end_day: The day after the panel's last.
        steps: How many days the panel has.
    """
    shares = np.ones(steps)
    if fullness is None:
        return Provisional(shares, end_day - PROVISIONAL_DAYS)
    learned = np.array(fullness.shares[:steps])
    if learned.size:
        shares[-learned.size :] = learned[::-1]
    return Provisional(shares, end_day - fullness.provisional_days)
