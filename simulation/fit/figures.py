"""Hold a figure with its standard error."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indexes = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Figure:
    """An estimate and its standard error; `nan` as error: not known."""

    value: float
    error: float = math.nan

    def __str__(self) -> str:
        if not math.isfinite(self.value):
            return "none"
        if not math.isfinite(self.error):
            return f"{self.value:.3g}"
        # As many digits as two of the error's.
        digits = 1 - math.floor(math.log10(self.error)) if self.error > 0 else 3
        digits = max(0, min(digits, 5))
        return f"{self.value:.{digits}f} ± {self.error:.{digits}f}"

    def off(self, truth: float) -> float:
        """Return by how many standard errors a value differs from the figure."""
        return (self.value - truth) / self.error if self.error > 0 else math.inf


def share_of(hits: int, trials: int) -> Figure:
    """Return a share; its error by Agresti and Coull (1998), never 0 for shares of 0 and 1."""
    if trials <= 0:
        return Figure(math.nan)
    smoothed = (hits + 2) / (trials + 4)
    return Figure(hits / trials, math.sqrt(smoothed * (1 - smoothed) / (trials + 4)))


def mean_of(values: Array) -> Figure:
    """Return a mean."""
    if not len(values):
        return Figure(math.nan)
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return Figure(float(np.mean(values)), error)


def correlation_of(first: Array, second: Array) -> Figure:
    """Return Pearson's correlation; its error is (1 - r²)/√(n - 1)."""
    number = len(first)
    if number < 4 or np.std(first) == 0 or np.std(second) == 0:
        return Figure(math.nan)
    found = float(np.corrcoef(first, second)[0, 1])
    return Figure(found, (1 - found * found) / math.sqrt(number - 1))
