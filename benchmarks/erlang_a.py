"""Compute the exact steady state of M/M/c+M (Erlang-A) from its birth-death chain.

Nothing is imported from the product: the judge of the benchmark models must not share
a mistake with one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log


@dataclass(frozen=True)
class Exact:
    """Shares of all arrivals: `wait` find every agent busy, `abandon` leave unserved."""

    wait: float
    abandon: float


def solve(*, agents: int, arrivals: float, service: float, patience: float) -> Exact:
    """Solve the chain with arrival rate `arrivals` and rates `service`, `patience` per person.

    All rates are in one unit. Birth rate is constant, the death rate in state n is
    `min(n, agents) * service + max(0, n - agents) * patience`. By PASTA an arrival waits with
    the probability of n >= agents; abandonments per arrival are patience * E[queue] / arrivals.
    Source: Garnett, Mandelbaum & Reiman, "Designing a Call Center with Impatient Customers",
    M&SOM 4(3), 2002. Weights are kept as logarithms so that thousands of agents do not overflow.
    """
    assert min(agents, arrivals, service, patience) > 0
    weights = [0.0]
    state, top = 0, 0.0
    while True:
        state += 1
        death = min(state, agents) * service + max(0, state - agents) * patience
        weights.append(weights[-1] + log(arrivals) - log(death))
        top = max(top, weights[-1])
        # Past the last agent the ratio only falls; 80 e-folds below the top nothing is left.
        if state > agents and weights[-1] < top - 80:
            break
    shares = [exp(weight - top) for weight in weights]
    total = sum(shares)
    wait = sum(shares[agents:]) / total
    queue_mean = sum((n - agents) * share for n, share in enumerate(shares) if n > agents) / total
    return Exact(wait=wait, abandon=patience * queue_mean / arrivals)
