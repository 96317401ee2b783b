"""Say how much longer something takes that has taken so long already: one uniform, one residual.

With the tail G of the law and an age a, S = G^-1(u G(a)) has the conditional law of S given
S > a; the residual is S - a. Everything is done with logarithms of tails, so that an age far out
in the tail (where G is 1e-300) still gets a residual of its own. Patience by a hazard curve solves
H(S) = H(a) + e with e = -ln u. One uniform belongs to one contact, so that scenarios share it.
"""

from __future__ import annotations

import bisect
import math
from typing import Final

from scipy import special

from configs.planning import LawName, PlainLaw
from simulation.plan.laws import mean_ms, weibull_shape

_MINUTE_MS: Final = 60_000
_NEVER_MS: Final = 1e13


def total_ms(law: PlainLaw, age_ms: float, uniform: float) -> float:
    """Return S of the law given S > age, ms; `uniform` in (0, 1), small ones long.

    Where the law allows no more (a constant, a largest value), it ends at its age; beyond the
    largest recorded value of an empirical law its mean serves as an exponential tail.
    """
    age_ms = max(age_ms, 0.0)
    exponential = -math.log(max(uniform, 2**-60))
    match law.law:
        case LawName.CONSTANT:
            return max(age_ms, float(law.mean_ms))
        case LawName.EXPONENTIAL:
            return age_ms + law.mean_ms * exponential
        case LawName.LOGNORMAL:
            return _lognormal(law, age_ms, exponential)
        case LawName.GAMMA:
            return _gamma(law, age_ms, exponential)
        case LawName.WEIBULL:
            shape = weibull_shape(law.cv)
            scale = law.mean_ms / math.gamma(1 + 1 / shape)
            return float(scale * ((age_ms / scale) ** shape + exponential) ** (1 / shape))
        case LawName.UNIFORM:
            low = max(age_ms, float(law.low_ms))
            return max(age_ms, law.high_ms - (law.high_ms - low) * uniform)
        case LawName.EMPIRICAL:
            values = sorted(law.values_ms)
            longer = values[bisect.bisect_right(values, age_ms) :]
            if not longer:
                return age_ms + mean_ms(law) * exponential
            return float(longer[min(int((1 - uniform) * len(longer)), len(longer) - 1)])
        case LawName.HAZARD:
            return _hazard(law, age_ms, exponential)


def residual_ms(law: PlainLaw, age_ms: float, uniform: float) -> int:
    """Return how much longer than its age something takes, in whole ms, at least 1."""
    return max(1, round(min(total_ms(law, age_ms, uniform) - age_ms, _NEVER_MS)))


def _lognormal(law: PlainLaw, age_ms: float, exponential: float) -> float:
    variance = math.log1p(law.cv * law.cv)
    sigma, mu = math.sqrt(variance), math.log(law.mean_ms) - variance / 2
    log_tail = 0.0
    if age_ms > 0:
        log_tail = float(special.log_ndtr((mu - math.log(age_ms)) / sigma))
    total = math.exp(mu - sigma * float(special.ndtri_exp(log_tail - exponential)))
    return max(age_ms, total)


def _gamma(law: PlainLaw, age_ms: float, exponential: float) -> float:
    shape = 1 / law.cv**2
    scale = law.mean_ms / shape
    tail = float(special.gammaincc(shape, age_ms / scale))
    if tail < 1e-290:
        # So far out the hazard is that of its exponential end.
        return age_ms + scale * exponential
    inverse = float(special.gammainccinv(shape, tail * math.exp(-exponential)))
    return max(age_ms, scale * inverse)


def _hazard(law: PlainLaw, age_ms: float, exponential: float) -> float:
    """Solve H(S) = H(age) + e over the pieces of the curve."""
    piece = max(bisect.bisect_right(law.from_ms, age_ms) - 1, 0)
    at_ms, left = age_ms, exponential
    while True:
        rate = law.per_minute[piece] / _MINUTE_MS
        last = piece + 1 >= len(law.from_ms)
        room = math.inf if last else rate * (law.from_ms[piece + 1] - at_ms)
        if left <= room and rate > 0:
            return at_ms + left / rate
        if last:
            return _NEVER_MS
        left -= room
        piece += 1
        at_ms = float(law.from_ms[piece])
