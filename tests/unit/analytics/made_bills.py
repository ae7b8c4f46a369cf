"""Bills made with a seed: cells of (service, account, region), known culprits, and verdicts that know the truth."""

from dataclasses import dataclass, field

import numpy as np

from comptroller.domains.analytics.engine.observation import Observation, SeriesKey, settled_end
from comptroller.domains.analytics.engine.panel import KIND_CODES, Judgement
from comptroller.enums import AnomalyKind, Dimension

FIRST = 20_000  # 2024-10-04
AXES = (Dimension.SERVICE, Dimension.ACCOUNT, Dimension.REGION)
UNIT = 10**9


@dataclass(frozen=True)
class Culprit:
    """Extra cost in a slice of cells: an index per axis, None for all values of it."""

    start: int
    end: int
    amount: float  # a day over the slice, spread in proportion to its cells; negative for a drop
    service: int | None = None
    account: int | None = None
    region: int | None = None

    @property
    def slice(self):
        return tuple(slice(None) if i is None else slice(i, i + 1) for i in (self.service, self.account, self.region))


@dataclass
class Bill:
    seed: int = 0
    shape: tuple[int, int, int] = (6, 5, 4)
    days: int = 60
    noise: float = 0.05
    size: float = 10.0
    presence: float = 1.0
    band: float = 5.0  # standard deviations; noise alone flags nothing
    culprits: list[Culprit] = field(default_factory=list)

    def observe(self, days: int | None = None, provisional: int = 2, currency: str = "USD") -> Observation:
        """Return what a run sees that reads the first ``days`` days."""
        days = self.days if days is None else days
        base, cost = self.cells()
        keys, mean, actual, sigma = [], [], [], []
        variance = (base * self.noise) ** 2
        for axis, dimension in enumerate(AXES):
            others = tuple(i for i in range(3) if i != axis)
            keys += [SeriesKey(dimension, f"{dimension.value}-{i}", currency) for i in range(self.shape[axis])]
            mean.append(base.sum(axis=others))
            actual.append(cost.sum(axis=others))
            sigma.append(np.sqrt(variance.sum(axis=others)))
        keys.append(SeriesKey(Dimension.TOTAL, "(total)", currency))
        mean.append(np.array([base.sum()]))
        actual.append(cost.sum(axis=(0, 1, 2))[None])
        sigma.append(np.sqrt([variance.sum()]))
        return judge(
            keys,
            np.concatenate(actual)[:, :days],
            np.concatenate(mean),
            np.concatenate(sigma),
            provisional=provisional,
            band=self.band,
        )

    def cells(self):
        rng = np.random.default_rng(self.seed)
        base = rng.lognormal(0, 1, self.shape) * self.size * (rng.random(self.shape) < self.presence)
        cost = base[..., None] * (1 + self.noise * rng.standard_normal((*self.shape, self.days)))
        for culprit in self.culprits:
            part = base[culprit.slice]
            total = part.sum()
            weights = part / total if total > 0 else np.full(part.shape, 1 / part.size)
            cost[culprit.slice][..., culprit.start : culprit.end] += weights[..., None] * culprit.amount
        return base, np.maximum(cost, 0)


def judge(keys, actual, mean, sigma, *, provisional=2, first=FIRST, band=3.5):
    """Return an observation whose verdicts know the true mean and noise of each row."""
    mean = np.broadcast_to(np.asarray(mean, dtype=float)[:, None], actual.shape)
    half = np.broadcast_to(band * np.asarray(sigma, dtype=float)[:, None], actual.shape)
    score = np.abs(actual - mean) / np.where(half > 0, half, 1e-9)
    flag = score > 1
    kind = np.where(flag, KIND_CODES[AnomalyKind.SPIKE], 0)
    kind = np.where(flag & (actual < mean), KIND_CODES[AnomalyKind.DROP], kind)
    judgement = Judgement(
        score=score.astype(np.float32),
        flag=flag,
        kind=kind.astype(np.uint8),
        expected=mean.astype(np.float32),
        low=(mean - half).astype(np.float32),
        high=(mean + half).astype(np.float32),
    )
    quanta = np.round(actual * UNIT).astype(np.int64)
    end = first + actual.shape[1]
    return Observation(keys, quanta, judgement, first, settled_end(end, provisional_days=provisional))


def key(dimension, value, currency="USD"):
    return SeriesKey(Dimension(dimension), value, currency)
