"""Fit how busy days differ beyond chance: the busyness factor, its parts, its correlations.

A day's contacts are Poisson with the profile times a factor Z of mean 1. With Z gamma of shape
alpha the total is negative binomial, Var[N] = m + m²/alpha.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from scipy import optimize, special, stats

from simulation.fit.figures import Array, Figure, Flags, Indexes, correlation_of

# Relative variance of Z below which a day cannot be told from Poisson.
_LEAST: Final = 1e-7
_MOST: Final = 20.0


@dataclass(frozen=True, kw_only=True)
class Busyness:
    """The day's factor: gamma shape, the relative variance 1/alpha, and whether it is there.

    `alpha` is infinite where the totals vary no more than Poisson; `p_value` is of the test for
    that (likelihood ratio, half a chi-square).
    """

    alpha: Figure
    relative_variance: float
    p_value: float
    days: int


@dataclass(frozen=True, kw_only=True)
class PartFactors:
    """Two parts of the day that move on their own beside the common factor.

    `split_minute` is where the day is cut (minutes from local midnight). Z = Z_day Z_part:
    `day` and `part` are the relative variances of the two factors. `correlation` is that of the
    two parts' totals after the means of the day kinds, `lag_one` that of a day with the next.
    """

    split_minute: int
    day: Figure
    part: Figure
    correlation: Figure
    lag_one: Figure


def fit_busyness(totals: Array, groups: Mapping[str, Indexes]) -> Busyness:
    """Fit one shape to daily totals of several day kinds by negative binomial likelihood.

    The means of the kinds are nuisance: the likelihood is adjusted for them (Cox & Reid 1987),
    without which few days a kind make days look steadier than they are.
    """
    kept = [totals[rows] for rows in groups.values() if len(rows) >= 2]
    days = sum(len(part) for part in kept)
    if days - len(kept) < 3:
        return Busyness(alpha=Figure(math.nan), relative_variance=0.0, p_value=math.nan, days=days)

    def loss(log_variance: float) -> float:
        return -sum(_likelihood(part, math.exp(log_variance)) for part in kept)

    low, high = math.log(_LEAST), math.log(_MOST)
    found = optimize.minimize_scalar(loss, bounds=(low, high), method="bounded")
    best, least = float(found.x), loss(low)
    if least - float(found.fun) < 1e-3 or best < low + 1:
        return Busyness(alpha=Figure(math.inf), relative_variance=0.0, p_value=1.0, days=days)
    step = 0.02
    curve = (loss(best + step) - 2 * loss(best) + loss(best - step)) / step**2
    error = 1 / math.sqrt(curve) if curve > 0 else math.nan
    alpha = math.exp(-best)
    p_value = 0.5 * float(stats.chi2.sf(2 * max(0.0, least - float(found.fun)), 1))
    return Busyness(
        alpha=Figure(alpha, alpha * error),
        relative_variance=1 / alpha,
        p_value=p_value,
        days=days,
    )


def _likelihood(counts: Array, variance: float) -> float:
    """Return the adjusted log-likelihood of one day kind at a relative variance."""
    mean, alpha = float(counts.mean()), 1 / variance
    value = float(
        (
            special.gammaln(counts + alpha)
            - special.gammaln(alpha)
            - special.gammaln(counts + 1)
            - alpha * np.log1p(mean * variance)
            + counts * (np.log(mean * variance) - np.log1p(mean * variance))
        ).sum()
    )
    return value + 0.5 * math.log(mean + mean * mean * variance)


def fit_parts(
    counts: Array, minutes: int, groups: Mapping[str, Indexes], days: tuple[date, ...]
) -> PartFactors | None:
    """Fit a common factor and one per half of the day; None with too few days.

    Moments: the covariance of the parts' relative totals is the common factor's variance, what
    a part varies beyond that and beyond Poisson is its own. Errors by jackknife over days.
    """
    overall = counts.sum(axis=0)
    if not overall.sum() or len(counts) < 8:
        return None
    hour = max(1, 60 // minutes)
    before = np.concatenate([[0.0], np.cumsum(overall)])
    half = int(np.argmin(np.abs(before - before[-1] / 2)))
    cut = max(hour, round(half / hour) * hour)
    parts = np.stack([counts[:, :cut].sum(axis=1), counts[:, cut:].sum(axis=1)], axis=1)
    if (parts.sum(axis=0) == 0).any():
        return None
    relative, noise = _relative(parts, groups)
    kept = np.isfinite(relative).all(axis=1)
    relative, noise = relative[kept], noise[kept]
    number = len(relative)
    if number < 8:
        return None
    together = relative[:, 0] * relative[:, 1]
    squares = relative**2 - noise

    def moments(chosen: Flags) -> tuple[float, float]:
        common = float(together[chosen].mean())
        own = float(squares[chosen].mean())
        # 1 + own = (1 + common) (1 + part)
        return common, max(0.0, (1 + own) / (1 + max(0.0, common)) - 1)

    everything = np.ones(number, dtype=bool)
    day, part = moments(everything)
    left_out = []
    for index in range(number):
        everything[index] = False
        left_out.append(moments(everything))
        everything[index] = True
    spread = np.array(left_out).std(axis=0) * math.sqrt(number - 1)
    return PartFactors(
        split_minute=cut * minutes,
        day=Figure(max(0.0, day), float(spread[0])),
        part=Figure(part, float(spread[1])),
        correlation=correlation_of(relative[:, 0], relative[:, 1]),
        lag_one=_lag_one(counts.sum(axis=1), groups, days),
    )


def _relative(parts: Array, groups: Mapping[str, Indexes]) -> tuple[Array, Array]:
    """Return the parts' totals over the mean of their day kind, less 1, and Poisson's share.

    Deviations from a mean of n days are widened by n/(n-1), so that squares are not too small.
    """
    relative = np.full(parts.shape, np.nan)
    noise = np.full(parts.shape, np.nan)
    for rows in groups.values():
        if len(rows) < 2:
            continue
        mean = parts[rows].mean(axis=0)
        if (mean == 0).any():
            continue
        widened = math.sqrt(len(rows) / (len(rows) - 1))
        relative[rows] = (parts[rows] / mean - 1) * widened
        noise[rows] = 1 / mean
    return relative, noise


def _lag_one(totals: Array, groups: Mapping[str, Indexes], days: tuple[date, ...]) -> Figure:
    """Return the correlation of a day's total with that of the open day before it."""
    relative, _ = _relative(totals[:, None], groups)
    series = relative[:, 0]
    pairs = [
        (series[index - 1], series[index])
        for index in range(1, len(days))
        if (days[index] - days[index - 1]).days <= 4
    ]
    kept = np.array([pair for pair in pairs if all(map(math.isfinite, pair))])
    if len(kept) < 4:
        return Figure(math.nan)
    return correlation_of(kept[:, 0], kept[:, 1])


def correlate(first: Array, second: Array, groups: Mapping[str, Indexes]) -> Figure:
    """Return the correlation of the busyness factors of two sources, day by day.

    Poisson noise is no part of the factors, so their variances are what the totals vary beyond
    it. Errors by jackknife; `nan` where a source has no factor.
    """
    relative, noise = _relative(np.stack([first, second], axis=1), groups)
    kept = np.isfinite(relative).all(axis=1)
    relative, noise = relative[kept], noise[kept]
    number = len(relative)
    if number < 8:
        return Figure(math.nan)
    products = relative[:, 0] * relative[:, 1]
    squares = relative**2 - noise

    def ratio(product: float, variances: Array) -> float:
        if (variances <= 0).any():
            return math.nan
        return product / math.sqrt(float(variances[0] * variances[1]))

    value = ratio(float(products.mean()), squares.mean(axis=0))
    whole, whole_squares = products.sum(), squares.sum(axis=0)
    left_out = np.array(
        [
            ratio((whole - products[i]) / (number - 1), (whole_squares - squares[i]) / (number - 1))
            for i in range(number)
        ]
    )
    if not np.isfinite(left_out).all() or not math.isfinite(value):
        return Figure(math.nan)
    bounded = max(-1.0, min(1.0, value))
    return Figure(bounded, float(left_out.std()) * math.sqrt(number - 1))


def possible_correlations(matrix: Array) -> Array:
    """Return the correlations nearest to some that may contradict each other.

    Pairs that were estimated one by one need not be a correlation matrix; negative eigenvalues
    are cut off and the diagonal made 1 again.
    """
    values, vectors = np.linalg.eigh(matrix)
    if values[0] >= 0:
        return matrix
    whole = (vectors * np.maximum(values, 1e-6)) @ vectors.T
    scale = np.sqrt(np.diag(whole))
    return np.asarray(whole / np.outer(scale, scale), dtype=np.float64)
