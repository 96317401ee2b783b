"""Judge a number of known truth: how far it is off, and whether it is known well enough."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

# A false alarm has a probability of 6e-5 a number.
PASSES: Final = 4.0
SHARP: Final = 0.005
PROVES: Final = 0.03


@dataclass(frozen=True)
class Verdict:
    """One number of a case: what came out, and by how many standard errors it is off.

    A published number has a standard error of its own, `theirs`, and was rounded by at most
    `slack`. `relative_max`: the standard error, over the value, that a full run should reach.
    """

    name: str
    estimate: float
    error: float
    expected: float
    theirs: float = 0.0
    slack: float = 0.0
    relative_max: float = SHARP

    @property
    def distance_error(self) -> float:
        """Return the standard error of the difference."""
        return math.hypot(self.error, self.theirs)

    @property
    def off(self) -> float:
        """Return the distance in standard errors of the difference."""
        distance = max(0.0, abs(self.estimate - self.expected) - self.slack)
        if distance <= 1e-9 * max(abs(self.expected), 1e-3):
            return 0.0
        return distance / self.distance_error if self.distance_error else math.inf

    @property
    def passes(self) -> bool:
        """Say whether the number came out."""
        return self.off <= PASSES

    @property
    def relative_error(self) -> float:
        """Return the standard error relative to the expected value."""
        return self.distance_error / abs(self.expected) if self.expected else self.error

    @property
    def is_sharp(self) -> bool:
        """Say whether it is known as well as a full run should know it."""
        return self.relative_error <= self.relative_max or self.error <= self.theirs / 2

    @property
    def proves(self) -> bool:
        """Say whether it is known well enough: to 3 %, or as well as it was published."""
        return self.relative_error <= PROVES or self.error <= self.theirs
