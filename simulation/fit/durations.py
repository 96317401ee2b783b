"""Fit the law of a duration: exponential, lognormal, gamma, Weibull, by maximum likelihood.

Three kinds of durations are known: ended ones; ones still open when the record ended (right
censored: longer than what was seen); and very short ones, which are often no service at all but
somebody hanging up. The last are counted and left out, and the laws are fitted to what lies above
the threshold (left truncated), so that leaving them out bends nothing. The law with the least AIC
is taken (Akaike 1974), and how far it is from the data is told: Kolmogorov's distance, and
observed beside fitted quantiles.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from scipy import optimize, special, stats

from simulation.fit.figures import Array, Figure
from simulation.fit.survival import kaplan_meier, quantile_of

QUANTILES: Final = (0.1, 0.5, 0.9, 0.99)
SHORT_S: Final = 10.0
FEWEST: Final = 20
# Beyond this number every k-th observation serves: errors of a hundredth are enough.
_MOST: Final = 200_000


class LawName(StrEnum):
    """Name the laws that are tried."""

    EXPONENTIAL = "exponential"
    LOGNORMAL = "lognormal"
    GAMMA = "gamma"
    WEIBULL = "weibull"


@dataclass(frozen=True, kw_only=True)
class LawFit:
    """One law fitted: its parameters, mean and coefficient of variation, and how well it fits.

    Parameters are `mean` (exponential), `mu`, `sigma` (lognormal, of the logarithm in seconds),
    `shape`, `scale` (gamma, Weibull). `distance` is Kolmogorov's, against the Kaplan-Meier curve;
    `p_value` its asymptotic probability, generous since the parameters come from the same data.
    """

    law: LawName
    parameters: dict[str, Figure]
    mean_s: Figure
    cv: Figure
    aic: float
    distance: float
    p_value: float
    quantiles_s: dict[float, float]


@dataclass(frozen=True, kw_only=True)
class DurationFit:
    """How long something takes: the laws tried, the best first, and the data they were held to.

    `short` were left out: `short_expected` of the rest would be as short by the best law.
    `mean_s` is of the ended ones as they are, short ones apart.
    """

    ended: int
    still_open: int
    short: int
    short_below_s: float
    short_expected: float
    mean_s: Figure
    laws: tuple[LawFit, ...]
    quantiles_s: dict[float, float]

    @property
    def constant(self) -> bool:
        """Say whether all are alike, as where a machine keeps the time."""
        return _is_constant(self.quantiles_s)

    @property
    def best(self) -> LawFit | None:
        """Return the law with the least AIC; None with too little data."""
        return self.laws[0] if self.laws else None


@dataclass(frozen=True, kw_only=True)
class _Data:
    """What laws are fitted to: ended and open durations above the threshold."""

    ended: Array
    still_open: Array
    threshold: float


@dataclass(frozen=True, kw_only=True)
class _Law:
    """A law by free parameters (any real numbers): log density, log tail, and what they mean."""

    names: tuple[str, ...]
    start: Callable[[Array], Array]
    log_density: Callable[[Array, Array], Array]
    log_tail: Callable[[Array, Array], Array]
    meaning: Callable[[Array], Array]
    mean: Callable[[Array], float]
    cv: Callable[[Array], float]


def fit_durations(
    ended_s: Array, open_s: Array | None = None, *, short_below_s: float = SHORT_S
) -> DurationFit:
    """Fit all laws to durations in seconds; fewer than 20 ended ones get no law."""
    still_open = np.asarray([] if open_s is None else open_s, dtype=np.float64)
    short = int((ended_s < short_below_s).sum())
    data = _Data(
        ended=_thin(ended_s[ended_s >= max(short_below_s, 1e-3)]),
        still_open=_thin(still_open[still_open > short_below_s]),
        threshold=short_below_s,
    )
    mean = Figure(math.nan)
    if len(data.ended) > 1:
        spread = float(np.std(data.ended, ddof=1)) / math.sqrt(len(data.ended))
        mean = Figure(float(data.ended.mean()), spread)
    laws: list[LawFit] = []
    observed: dict[float, float] = {}
    if len(data.ended) >= FEWEST:
        curve = kaplan_meier(
            np.concatenate([data.ended, data.still_open]),
            np.concatenate([np.ones(len(data.ended)), np.zeros(len(data.still_open))]) > 0,
        )
        observed = {share: quantile_of(curve, share) for share in QUANTILES}
        if not _is_constant(observed):
            laws = [
                _fit(name, law, data, curve.times_s, curve.survival) for name, law in LAWS.items()
            ]
            laws.sort(key=lambda fit: fit.aic)
    expected = _short_by(laws[0], short_below_s) * len(data.ended) if laws else math.nan
    return DurationFit(
        ended=len(ended_s),
        still_open=len(still_open),
        short=short,
        short_below_s=short_below_s,
        short_expected=expected,
        mean_s=mean,
        laws=tuple(laws),
        quantiles_s=observed,
    )


def _is_constant(quantiles_s: dict[float, float]) -> bool:
    found = quantiles_s.values()
    return bool(found) and max(found) - min(found) <= 0.01 * max(found)


def _thin(values: Array) -> Array:
    step = -(-len(values) // _MOST)
    return values[::step] if step > 1 else values


def _short_by(fit: LawFit, below_s: float) -> float:
    """Return how many durations below the threshold the law has for each one above it."""
    law = LAWS[fit.law]
    free = _free(fit)
    if below_s <= 0:
        return 0.0
    return float(np.expm1(-law.log_tail(free, np.array([below_s])))[0])


def _free(fit: LawFit) -> Array:
    """Return the free parameters of a fitted law: logarithms, but for mu."""
    return np.array(
        [
            figure.value if name == "mu" else math.log(figure.value)
            for name, figure in fit.parameters.items()
        ]
    )


def _fit(name: LawName, law: _Law, data: _Data, times: Array, survival: Array) -> LawFit:
    threshold = np.array([data.threshold]) if data.threshold > 0 else None
    number = len(data.ended) + len(data.still_open)

    def loss(free: Array) -> float:
        value = float(law.log_density(free, data.ended).sum())
        if len(data.still_open):
            value += float(law.log_tail(free, data.still_open).sum())
        if threshold is not None:
            value -= number * float(law.log_tail(free, threshold)[0])
        return -value if math.isfinite(value) else 1e300

    with np.errstate(all="ignore"):
        found = optimize.minimize(
            loss,
            law.start(data.ended),
            method="Nelder-Mead",
            options={"xatol": 1e-6, "fatol": 1e-6, "maxiter": 2000},
        )
        free: Array = found.x
        covariance = _covariance(loss, free)
        values: Array = np.asarray(law.meaning(free), dtype=np.float64)
        errors = _errors(law.meaning, free, covariance)
        mean_error = _errors(lambda point: np.array([law.mean(point)]), free, covariance)[0]
        cv_error = _errors(lambda point: np.array([law.cv(point)]), free, covariance)[0]
        base = float(law.log_tail(free, threshold)[0]) if threshold is not None else 0.0
        fitted = np.exp(law.log_tail(free, times) - base)
        distance = float(np.abs(fitted - survival).max())
        quantiles = {share: _quantile(law, free, base, share) for share in QUANTILES}
    return LawFit(
        law=name,
        parameters={
            key: Figure(float(value), float(error))
            for key, value, error in zip(law.names, values, errors, strict=True)
        },
        mean_s=Figure(law.mean(free), float(mean_error)),
        cv=Figure(law.cv(free), float(cv_error)),
        aic=2 * len(free) + 2 * float(found.fun),
        distance=distance,
        p_value=float(stats.kstwobign.sf(distance * math.sqrt(len(data.ended)))),
        quantiles_s=quantiles,
    )


def _covariance(loss: Callable[[Array], float], free: Array) -> Array:
    """Return the inverse of the observed information, by central differences."""
    size = len(free)
    step = 1e-3
    hessian = np.empty((size, size))
    units = np.eye(size) * step
    for row in range(size):
        for column in range(row, size):
            a, b = units[row], units[column]
            hessian[row, column] = hessian[column, row] = (
                loss(free + a + b) - loss(free + a - b) - loss(free - a + b) + loss(free - a - b)
            ) / (4 * step * step)
    try:
        return np.asarray(np.linalg.inv(hessian), dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.full((size, size), np.nan)


def _errors(meaning: Callable[[Array], Array], free: Array, covariance: Array) -> Array:
    """Return standard errors of functions of the free parameters (delta method)."""
    step = 1e-4
    slopes = np.array(
        [
            (meaning(free + unit) - meaning(free - unit)) / (2 * step)
            for unit in np.eye(len(free)) * step
        ]
    )
    variances: Array = np.einsum("ip,ij,jp->p", slopes, covariance, slopes)
    return np.asarray(np.sqrt(np.where(variances > 0, variances, np.nan)), dtype=np.float64)


def _quantile(law: _Law, free: Array, base: float, share: float) -> float:
    """Return the time that this share stays below, above the threshold."""
    target = math.log1p(-share) + base

    def over(log_time: float) -> float:
        tail = float(law.log_tail(free, np.array([math.exp(log_time)]))[0])
        return (tail if math.isfinite(tail) else -1e300) - target

    try:
        return math.exp(optimize.brentq(over, -20.0, 25.0))
    except ValueError:
        return math.nan


# --- the laws -------------------------------------------------------------------------------------


def _log_moments(values: Array) -> tuple[float, float]:
    logs = np.log(values)
    return float(logs.mean()), max(0.05, float(logs.std()))


def _start_gamma(values: Array) -> Array:
    mean, variance = float(values.mean()), max(1e-9, float(values.var()))
    return np.array([math.log(mean * mean / variance), math.log(variance / mean)])


def _start_weibull(values: Array) -> Array:
    center, spread = _log_moments(values)
    shape = 1.2825 / spread  # a Gumbel variable has the standard deviation pi / sqrt(6)
    return np.array([math.log(shape), center + 0.5772 / shape])


def _weibull_cv(free: Array) -> float:
    inverse = math.exp(-free[0])
    ratio = special.gammaln(1 + 2 * inverse) - 2 * special.gammaln(1 + inverse)
    return math.sqrt(max(0.0, math.expm1(float(ratio))))


def _lognormal_density(free: Array, times: Array) -> Array:
    mu, sigma = free[0], math.exp(free[1])
    logs = np.log(times)
    found: Array = -0.5 * ((logs - mu) / sigma) ** 2 - logs - free[1] - 0.5 * math.log(2 * math.pi)
    return found


def _gamma_density(free: Array, times: Array) -> Array:
    shape = math.exp(free[0])
    found: Array = (
        (shape - 1) * np.log(times)
        - times / math.exp(free[1])
        - shape * free[1]
        - special.gammaln(shape)
    )
    return found


def _weibull_density(free: Array, times: Array) -> Array:
    shape = math.exp(free[0])
    logs = np.log(times) - free[1]
    found: Array = free[0] - free[1] + (shape - 1) * logs - np.exp(shape * logs)
    return found


LAWS: Final[dict[LawName, _Law]] = {
    LawName.EXPONENTIAL: _Law(
        names=("mean",),
        start=lambda values: np.array([math.log(values.mean())]),
        log_density=lambda free, times: -free[0] - times / math.exp(free[0]),
        log_tail=lambda free, times: -times / math.exp(free[0]),
        meaning=np.exp,
        mean=lambda free: math.exp(free[0]),
        cv=lambda free: 1.0,  # noqa: ARG005 - one signature for all
    ),
    LawName.LOGNORMAL: _Law(
        names=("mu", "sigma"),
        start=lambda values: np.array([_log_moments(values)[0], math.log(_log_moments(values)[1])]),
        log_density=_lognormal_density,
        log_tail=lambda free, times: special.log_ndtr(
            (free[0] - np.log(times)) / math.exp(free[1])
        ),
        meaning=lambda free: np.array([free[0], math.exp(free[1])]),
        mean=lambda free: math.exp(free[0] + math.exp(2 * free[1]) / 2),
        cv=lambda free: math.sqrt(math.expm1(math.exp(2 * free[1]))),
    ),
    LawName.GAMMA: _Law(
        names=("shape", "scale"),
        start=_start_gamma,
        log_density=_gamma_density,
        log_tail=lambda free, times: np.log(
            special.gammaincc(math.exp(free[0]), times / math.exp(free[1]))
        ),
        meaning=np.exp,
        mean=lambda free: math.exp(free[0] + free[1]),
        cv=lambda free: math.exp(-free[0] / 2),
    ),
    LawName.WEIBULL: _Law(
        names=("shape", "scale"),
        start=_start_weibull,
        log_density=_weibull_density,
        log_tail=lambda free, times: -np.exp(math.exp(free[0]) * (np.log(times) - free[1])),
        meaning=np.exp,
        mean=lambda free: math.exp(free[1] + float(special.gammaln(1 + math.exp(-free[0])))),
        cv=_weibull_cv,
    ),
}
