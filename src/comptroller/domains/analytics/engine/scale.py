"""How wide a series' noise is and how heavy its tails: five Student-t models, weighted by how well each foretold it."""

from functools import cache
from math import lgamma, log, pi
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

FREEDOM: Final = (2.2, 3.5, 6.0, 15.0, 200.0)
PRIOR_WEIGHTS: Final = (0.04, 0.08, 0.18, 0.35, 0.35)
PRIOR_SD: Final = 0.10
PRIOR_SD_SPARSE: Final = 0.40
PRIOR_DAYS: Final = 3.0
RATE: Final = 1 / 60
FORGETTING: Final = 1 - 1 / 120
CLIP: Final = 4.5
"""One day counts for at most so many deviations when the models are weighed."""
MIN_VARIANCE: Final = 1e-4
OWN_SHARE: Final = 1.4
OTHER_SHARE: Final = 0.6
LOWEST_LOG: Final = -3.0
HIGHEST_LOG: Final = 5.3
KNOTS: Final = 600
BAND_TAIL: Final = 0.005
"""The band that is drawn leaves out this share of ordinary days on each side."""

_CONSTANTS: Final = tuple(lgamma((v + 1) / 2) - lgamma(v / 2) - 0.5 * log(v * pi) for v in FREEDOM)
_FREEDOM: Final = np.array(FREEDOM, dtype=np.float32)[:, None]
_CONSTANT: Final = np.array(_CONSTANTS, dtype=np.float32)[:, None]
_FIRST_KNOTS: Final = (np.arange(len(FREEDOM), dtype=np.int32) * KNOTS)[:, None]


@cache
def _log_tails() -> Floats:
    """Return the log upper tail of each model at ``KNOTS`` logarithms of the distance, by the trapezoid rule."""
    points = np.exp(np.linspace(log(1e-3), log(1e5), 40_000))
    knots = np.linspace(LOWEST_LOG, HIGHEST_LOG, KNOTS)
    rows = []
    for freedom, constant in zip(FREEDOM, _CONSTANTS, strict=True):
        density = np.exp(constant - (freedom + 1) / 2 * np.log1p(points**2 / freedom))
        slices = 0.5 * (density[1:] + density[:-1]) * np.diff(points)
        tail = np.append(np.cumsum(slices[::-1])[::-1], 0.0)
        rows.append(np.interp(knots, np.log(points), np.log(np.maximum(tail, 1e-300))))
    tails: Floats = np.maximum(np.array(rows), -80.0).astype(np.float32)
    return tails


@cache
def _band_quantiles() -> tuple[float, ...]:
    knots = np.linspace(LOWEST_LOG, HIGHEST_LOG, KNOTS)
    return tuple(float(np.exp(np.interp(-log(BAND_TAIL), -row, knots))) for row in _log_tails())


def weigh(fit: Floats) -> Floats:
    """Return the weight of each model from its discounted log likelihood; weights add up to one."""
    with_prior = fit + np.log(np.array(PRIOR_WEIGHTS, dtype=np.float32))[:, None]
    weights = np.exp(with_prior - with_prior.max(axis=0))
    total = weights[0] + weights[1] + weights[2] + weights[3] + weights[4]
    return np.asarray(weights / total, dtype=np.float32)


def deviation(variance: Floats, weights: Floats) -> Floats:
    """Return one standard width per series over all models."""
    total = weights[0] * variance[0]
    for model in range(1, len(FREEDOM)):
        total = total + weights[model] * variance[model]
    return np.asarray(np.sqrt(total), dtype=np.float32)


def band_width(variance: Floats, weights: Floats) -> Floats:
    """Return how far ordinary days lie from the level."""
    widths = np.sqrt(variance)
    total = np.zeros(variance.shape[1], dtype=np.float32)
    for model, quantile in enumerate(_band_quantiles()):
        total += weights[model] * widths[model] * quantile
    return total


def surprise(distance: Floats, variance: Floats, weights: Floats) -> Floats:
    """Return minus the log of the probability that an ordinary day lies further out than ``distance``."""
    scale = (KNOTS - 1) / (HIGHEST_LOG - LOWEST_LOG)
    log_distance = np.log(np.maximum(distance, 1e-9)) - LOWEST_LOG
    place = (log_distance - 0.5 * np.log(variance)) * scale
    np.maximum(place, 0.0, out=place)
    np.minimum(place, KNOTS - 1.001, out=place)
    left = place.astype(np.int32)
    place -= left
    left += _FIRST_KNOTS
    table = _log_tails().ravel()
    low = table[left]
    low += (table[left + 1] - low) * place
    tails = np.exp(low)
    tails *= weights
    tail = tails[0] + tails[1] + tails[2] + tails[3] + tails[4]
    return np.asarray(-np.log(tail), dtype=np.float32)


def learn(variance: Floats, fit: Floats, days: Floats, residual: Floats, taught: NDArray[np.bool_]) -> None:
    """Update widths, fits and the count of days in place from the residuals of the series in ``taught``.

    Each side learns from its own days, and at a share of the rate from the other's: a series that often falls far
    need not be one that rises far.
    """
    rate = np.where(taught, np.maximum(RATE, 1 / (days + PRIOR_DAYS)), 0).astype(np.float32)
    square = residual * residual
    upward = residual > 0
    own, other = np.float32(OWN_SHARE), np.float32(OTHER_SHARE)
    share = np.stack([np.where(upward, other, own), np.where(upward, own, other)])[:, None, :]
    ratio = square / variance
    np.minimum(ratio, CLIP**2, out=ratio)
    gain = np.log1p(ratio / _FREEDOM) * (-0.5 * (_FREEDOM + 1))
    gain -= 0.5 * np.log(variance)
    gain += _CONSTANT
    gain -= (1 - FORGETTING) * fit
    gain *= share * taught
    fit += gain
    target = (_FREEDOM + 1) / (_FREEDOM + ratio) * ratio * variance
    np.maximum(target, MIN_VARIANCE, out=target)
    target -= variance
    target *= rate * share
    variance += target
    days += taught
