"""Say how busy the day is, given what came so far.

A day's busyness Z is gamma with mean 1 and shape alpha. When n contacts came where m were expected,
Z has the gamma law of shape alpha + n and rate alpha + m: the prior counts as alpha contacts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scipy import special

from configs.planning import Busyness


@dataclass(frozen=True, kw_only=True)
class Posterior:
    """The law of a demand's busyness; shape 0: it is 1, days do not differ."""

    shape: float
    rate: float

    @property
    def mean(self) -> float:
        """Return the expected factor."""
        return self.shape / self.rate if self.shape else 1.0

    def factor(self, uniform: float) -> float:
        """Return the factor that belongs to a number in [0, 1)."""
        if not self.shape:
            return 1.0
        return (
            float(special.gammaincinv(self.shape, min(max(uniform, 1e-15), 1 - 1e-15))) / self.rate
        )


def posteriors(
    busyness: Busyness, expected: Mapping[str, float], seen: Mapping[str, int]
) -> dict[str, Posterior]:
    """Return the law of each demand's busyness, given contacts expected and seen by now.

    With correlation 1 one factor rules all demands, and all that came tells of it; else each
    demand tells of its own. A demand of which nothing is known (not in `seen`) keeps the prior.
    """
    found: dict[str, Posterior] = {}
    together = busyness.correlation == 1.0 and not busyness.correlations and not busyness.alphas
    known = [name for name in expected if name in seen]
    for name in expected:
        alpha = busyness.alphas.get(name, busyness.alpha)
        if not alpha:
            found[name] = Posterior(shape=0.0, rate=0.0)
            continue
        tell = known if together else [name] if name in seen else []
        came = sum(seen[one] for one in tell)
        due = sum(expected[one] for one in tell)
        found[name] = Posterior(shape=alpha + came, rate=alpha + due)
    return found
