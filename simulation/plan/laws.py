"""Turn uniforms into durations: one uniform each, by inversion of the law.

So a longer mean makes every duration longer in proportion, and two scenarios that differ in a
mean still meet the same customers.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from scipy import special

from configs.durations import parse_clock
from configs.planning import Law, LawName, PlainLaw
from simulation import time_laws
from simulation.time_laws import Array

_MINUTE_MS: Final = 60_000
_LARGEST_UNIFORM: Final = 1 - 2**-53


def law_at(law: Law, clock_ms: int) -> PlainLaw:
    """Return the law that holds at a time of day (ms since midnight)."""
    found: PlainLaw = law
    for later in law.later:
        if clock_ms < parse_clock(later.start):
            break
        found = later
    return found


def durations_at(law: Law, uniforms: Array, clocks_ms: Array) -> Array:
    """Return the duration (ms, not rounded) of each number, by the law of its time of day."""
    values = durations(law, uniforms)
    for later in law.later:
        held = clocks_ms >= parse_clock(later.start)
        values[held] = durations(later, uniforms[held])
    return values


def durations(law: PlainLaw, uniforms: Array) -> Array:
    """Return the duration (ms, not rounded) that belongs to each number in [0, 1).

    Lognormal: sigma^2 = ln(1 + cv^2). Gamma: shape 1 / cv^2. Weibull: the shape k with this cv,
    found by bisection. A hazard curve: the x at which the integrated hazard is -ln(1 - u).
    """
    match law.law:
        case LawName.CONSTANT:
            return np.full_like(uniforms, float(law.mean_ms))
        case LawName.EXPONENTIAL:
            return np.asarray(-law.mean_ms * np.log1p(-uniforms))
        case LawName.LOGNORMAL:
            variance = math.log1p(law.cv * law.cv)
            normals = special.ndtri(np.maximum(uniforms, 2**-60))
            return np.asarray(law.mean_ms * np.exp(math.sqrt(variance) * normals - variance / 2))
        case LawName.GAMMA:
            shape = 1 / law.cv**2
            return np.asarray(law.mean_ms / shape * special.gammaincinv(shape, uniforms))
        case LawName.WEIBULL:
            shape = weibull_shape(law.cv)
            scale = law.mean_ms / math.gamma(1 + 1 / shape)
            return np.asarray(scale * (-np.log1p(-uniforms)) ** (1 / shape))
        case LawName.UNIFORM:
            return np.asarray(law.low_ms + (law.high_ms - law.low_ms) * uniforms)
        case LawName.EMPIRICAL:
            values = np.sort(np.asarray(law.values_ms, dtype=float))
            return np.asarray(values[(uniforms * len(values)).astype(int)])
        case LawName.HAZARD:
            return _by_hazard(law, -np.log1p(-np.minimum(uniforms, _LARGEST_UNIFORM)))


def _by_hazard(law: PlainLaw, exponentials: Array) -> Array:
    since = np.asarray(law.from_ms, dtype=float)
    rates = np.asarray(law.per_minute) / _MINUTE_MS
    reached = np.concatenate(([0.0], np.cumsum(np.diff(since) * rates[:-1])))
    piece = np.searchsorted(reached, exponentials, side="right") - 1
    # With a last rate of 0 some never end; a century is never.
    rest = (exponentials - reached[piece]) / np.maximum(rates[piece], 1e-13)
    return np.asarray(since[piece] + rest)


def duration_ms(law: PlainLaw, uniform: float) -> int:
    """Return one duration in whole milliseconds, at least 0."""
    if law.law is LawName.CONSTANT:
        return law.mean_ms
    if law.law is LawName.EXPONENTIAL:
        return round(-law.mean_ms * math.log1p(-uniform))
    if law.law is LawName.LOGNORMAL:
        # As in `durations`, number by number: an array of one costs five times as much.
        variance = math.log1p(law.cv * law.cv)
        normal = float(special.ndtri(max(uniform, 2**-60)))
        return round(law.mean_ms * float(np.exp(math.sqrt(variance) * normal - variance / 2)))
    if law.law is LawName.GAMMA:
        shape = 1 / law.cv**2
        return round(law.mean_ms / shape * float(special.gammaincinv(shape, uniform)))
    return round(float(durations(law, np.asarray([uniform]))[0]))


def mean_ms(law: PlainLaw) -> float:
    """Return the mean of a law, ms; of one that changes over the day, that of its first."""
    match law.law:
        case LawName.UNIFORM:
            return (law.low_ms + law.high_ms) / 2
        case LawName.EMPIRICAL:
            return sum(law.values_ms) / len(law.values_ms)
        case LawName.HAZARD:
            return _hazard_mean_ms(law)
        case _:
            return float(law.mean_ms)


def _hazard_mean_ms(law: PlainLaw) -> float:
    """Return the integral of the tail e^{-H(x)}."""
    mean, alive = 0.0, 1.0
    edges = (*law.from_ms, None)
    for since, until, per_minute in zip(edges, edges[1:], law.per_minute, strict=False):
        assert since is not None, "only the last piece has no end"
        rate = per_minute / _MINUTE_MS
        length = math.inf if until is None else until - since
        if rate == 0:
            mean += alive * length
            continue
        mean += alive * -math.expm1(-rate * length) / rate
        alive *= math.exp(-rate * length)
    return mean


def as_time_law(law: PlainLaw) -> time_laws.TimeLaw:
    """Return the same law for the formulas, in minutes; sampled ones by their mean (exponential).

    The modified offered load depends little on more than the mean and the spread of the work.
    """
    mean_min = mean_ms(law) / _MINUTE_MS
    match law.law:
        case LawName.CONSTANT:
            return time_laws.Deterministic(mean_min)
        case LawName.UNIFORM:
            return time_laws.Uniform(law.low_ms / _MINUTE_MS, law.high_ms / _MINUTE_MS)
        case LawName.LOGNORMAL:
            return time_laws.Lognormal(mean_min, law.cv**2)
        case LawName.GAMMA | LawName.WEIBULL:
            shape = 1 / law.cv**2
            return time_laws.Gamma(shape, mean_min / shape)
        case _:
            return time_laws.Exponential(mean_min)


def weibull_shape(cv: float) -> float:
    """Return the Weibull shape k with Gamma(1+2/k) / Gamma(1+1/k)^2 = 1 + cv^2."""
    wanted = math.log1p(cv * cv)
    low, high = 0.05, 200.0
    for _ in range(200):
        shape = math.sqrt(low * high)
        if math.lgamma(1 + 2 / shape) - 2 * math.lgamma(1 + 1 / shape) > wanted:
            low = shape
        else:
            high = shape
    return math.sqrt(low * high)
