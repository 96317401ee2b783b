"""Describe how long things take: patience, work, breaks, as laws with a tail and moments.

Times are minutes. A law knows its tail P(X > x), the integrated tail ∫_0^x P(X > u) du in closed
form, its first three moments, and where its tail is not smooth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]


class TimeLaw(Protocol):
    """A law of a time that is never negative."""

    def tail(self, times_min: Array) -> Array:
        """Return P(X > x) for each x."""
        ...

    def integrated_tail(self, times_min: Array) -> Array:
        """Return ∫_0^x P(X > u) du for each x >= 0."""
        ...

    def moment(self, order: int) -> float:
        """Return E[X^order], order 1 to 3."""
        ...

    @property
    def corners_min(self) -> tuple[float, ...]:
        """Return where the tail jumps or has a corner."""
        ...


@dataclass(frozen=True)
class Exponential:
    """Exponential with this mean."""

    mean_min: float

    def __post_init__(self) -> None:
        check_positive("mean of an exponential law", self.mean_min)

    def tail(self, times_min: Array) -> Array:
        """Return e^{-x/m}."""
        answer: Array = np.exp(-times_min / self.mean_min)
        return answer

    def integrated_tail(self, times_min: Array) -> Array:
        """Return m (1 - e^{-x/m})."""
        answer: Array = -self.mean_min * np.expm1(-times_min / self.mean_min)
        return answer

    def moment(self, order: int) -> float:
        """Return k! m^k."""
        return math.factorial(order) * self.mean_min**order

    @property
    def corners_min(self) -> tuple[float, ...]:
        """Return nothing: smooth."""
        return ()


@dataclass(frozen=True)
class Deterministic:
    """Always exactly this long."""

    value_min: float

    def __post_init__(self) -> None:
        check_positive("length of a fixed time", self.value_min)

    def tail(self, times_min: Array) -> Array:
        """Return 1 before the value, 0 from it on."""
        answer: Array = np.where(times_min < self.value_min, 1.0, 0.0)
        return answer

    def integrated_tail(self, times_min: Array) -> Array:
        """Return min(x, value)."""
        answer: Array = np.minimum(times_min, self.value_min)
        return answer

    def moment(self, order: int) -> float:
        """Return the power."""
        return self.value_min**order

    @property
    def corners_min(self) -> tuple[float, ...]:
        """Return the value."""
        return (self.value_min,)


@dataclass(frozen=True)
class Uniform:
    """Uniform between two times."""

    low_min: float
    high_min: float

    def __post_init__(self) -> None:
        if not 0 <= self.low_min < self.high_min < math.inf:
            raise ValueError(
                f"uniform from {self.low_min} to {self.high_min}: give 0 <= low < high"
            )

    def tail(self, times_min: Array) -> Array:
        """Return the straight line from 1 at low to 0 at high."""
        width = self.high_min - self.low_min
        answer: Array = np.clip((self.high_min - times_min) / width, 0.0, 1.0)
        return answer

    def integrated_tail(self, times_min: Array) -> Array:
        """Return x up to low, then low plus the area below the line."""
        width = self.high_min - self.low_min
        into = np.clip(times_min, self.low_min, self.high_min) - self.low_min
        answer: Array = np.minimum(times_min, self.low_min) + into - into * into / (2 * width)
        return answer

    def moment(self, order: int) -> float:
        """Return (h^{k+1} - l^{k+1}) / ((k+1)(h-l))."""
        power = order + 1
        return (self.high_min**power - self.low_min**power) / (
            power * (self.high_min - self.low_min)
        )

    @property
    def corners_min(self) -> tuple[float, ...]:
        """Return low and high."""
        return (self.low_min, self.high_min)


@dataclass(frozen=True)
class Lognormal:
    """Lognormal, given by its mean and squared coefficient of variation (variance / mean²)."""

    mean_min: float
    cv_squared: float

    def __post_init__(self) -> None:
        check_positive("mean of a lognormal law", self.mean_min)
        check_positive("squared coefficient of variation", self.cv_squared)

    @property
    def sigma(self) -> float:
        """Return the standard deviation of the logarithm."""
        return math.sqrt(math.log1p(self.cv_squared))

    def _standard(self, times_min: Array) -> Array:
        log_mean = math.log(self.mean_min) - self.sigma**2 / 2
        with np.errstate(divide="ignore"):
            answer: Array = (np.log(times_min) - log_mean) / self.sigma
        return answer

    def tail(self, times_min: Array) -> Array:
        """Return Φ(-z)."""
        answer: Array = special.ndtr(-self._standard(times_min))
        return answer

    def integrated_tail(self, times_min: Array) -> Array:
        """Return x Φ(-z) + m Φ(z - σ): what lies beyond x, and the mean of what does not."""
        z = self._standard(times_min)
        answer: Array = times_min * special.ndtr(-z) + self.mean_min * special.ndtr(z - self.sigma)
        return answer

    def moment(self, order: int) -> float:
        """Return m^k (1 + c²)^{k(k-1)/2}."""
        return self.mean_min**order * math.pow(1 + self.cv_squared, order * (order - 1) / 2)

    @property
    def corners_min(self) -> tuple[float, ...]:
        """Return nothing: smooth."""
        return ()


@dataclass(frozen=True)
class Gamma:
    """Gamma, by shape and scale."""

    shape: float
    scale_min: float

    def __post_init__(self) -> None:
        check_positive("shape of a gamma law", self.shape)
        check_positive("scale of a gamma law", self.scale_min)

    def tail(self, times_min: Array) -> Array:
        """Return the regularized upper incomplete gamma function."""
        answer: Array = special.gammaincc(self.shape, times_min / self.scale_min)
        return answer

    def integrated_tail(self, times_min: Array) -> Array:
        """Return x P(X > x) + E[X; X <= x]."""
        scaled = times_min / self.scale_min
        within = self.shape * self.scale_min * special.gammainc(self.shape + 1, scaled)
        answer: Array = times_min * special.gammaincc(self.shape, scaled) + within
        return answer

    def moment(self, order: int) -> float:
        """Return s^k a (a+1) ... (a+k-1)."""
        return self.scale_min**order * math.prod(self.shape + step for step in range(order))

    @property
    def corners_min(self) -> tuple[float, ...]:
        """Return nothing: smooth."""
        return ()


def check_positive(name: str, value: float) -> None:
    """Raise ValueError unless a number is finite and above 0."""
    if not (value > 0 and math.isfinite(value)):
        raise ValueError(f"{name} {value}: give a finite number above 0")
