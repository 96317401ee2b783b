"""Let some classes go first: strict priority, waits by class, priority that grows with the wait.

Rates per minute, times in minutes; steady state, no abandonment, FIFO within a class. Classes are
tuples: the first goes first. Sources: Cobham (1954); Kleinrock, Naval Research Logistics Quarterly
11 (1964); Davis, Operations Research 14 (1966), for waits of two classes; Abate & Valko (2004) for
the inversion.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final

from simulation.erlang import ErlangC
from simulation.general_service import check_stable
from simulation.time_laws import TimeLaw

# Talbot's contour with this many points: 12 digits before rounding takes over.
_TALBOT_POINTS: Final = 24


def cobham_waits_min(
    residual_work_min: float, loads_per_agent: Sequence[float]
) -> tuple[float, ...]:
    """Return the mean wait by class: W0 / ((1 - s_{k-1})(1 - s_k)), s_k = load of classes 1..k.

    `residual_work_min` is W0: Σ λE[S²]/2 for one agent, C/(nμ) for n agents with equal μ.
    """
    sums = [0.0, *accumulate(loads_per_agent)]
    check_stable(sums[-1], "the agents")
    return tuple(residual_work_min / ((1 - before) * (1 - upto)) for before, upto in pairwise(sums))


def residual_work_min(arrival_rates_per_min: Sequence[float], services: Sequence[TimeLaw]) -> float:
    """Return W0 = Σ λE[S²]/2: the mean work left of whom one agent is busy with."""
    return sum(
        rate * law.moment(2) / 2 for rate, law in zip(arrival_rates_per_min, services, strict=True)
    )


def one_agent_waits_min(
    arrival_rates_per_min: Sequence[float], services: Sequence[TimeLaw]
) -> tuple[float, ...]:
    """Return the mean wait by class of M/G/1 with priorities that never interrupt."""
    loads = [r * law.moment(1) for r, law in zip(arrival_rates_per_min, services, strict=True)]
    return cobham_waits_min(residual_work_min(arrival_rates_per_min, services), loads)


def interrupting_times_min(
    arrival_rates_per_min: Sequence[float], services: Sequence[TimeLaw]
) -> tuple[float, ...]:
    """Return the mean time in system by class when a higher class interrupts (preemptive resume).

    T_k = E[S_k]/(1 - s_{k-1}) + Σ_{i<=k} λ_i E[S_i²]/2 / ((1 - s_{k-1})(1 - s_k)).
    """
    times = []
    before = work = 0.0
    for rate, law in zip(arrival_rates_per_min, services, strict=True):
        work += rate * law.moment(2) / 2
        upto = before + rate * law.moment(1)
        check_stable(upto, "one agent")
        times.append(law.moment(1) / (1 - before) + work / ((1 - before) * (1 - upto)))
        before = upto
    return tuple(times)


def many_agents_waits_min(
    arrival_rates_per_min: Sequence[float], service_rate_per_min: float, agents: float
) -> tuple[float, ...]:
    """Return the mean wait by class of M/M/n with equal μ and priorities that never interrupt."""
    capacity = agents * service_rate_per_min
    pooled = ErlangC(sum(arrival_rates_per_min), service_rate_per_min, agents)
    loads = [rate / capacity for rate in arrival_rates_per_min]
    return cobham_waits_min(pooled.delay_probability / capacity, loads)


@dataclass(frozen=True)
class TwoClasses:
    """M/M/n with equal μ, class 1 before class 2, never interrupting: the law of both waits."""

    arrival_rate_1_per_min: float
    arrival_rate_2_per_min: float
    service_rate_per_min: float
    agents: float

    @property
    def pooled(self) -> ErlangC:
        """Return both classes as one FIFO queue."""
        rate = self.arrival_rate_1_per_min + self.arrival_rate_2_per_min
        return ErlangC(rate, self.service_rate_per_min, self.agents)

    def waits_longer(self, threshold_min: float) -> tuple[float, float]:
        """Return P(W > t) of class 1 and of class 2.

        P(W_1 > t) = C e^{-(nμ - λ_1)t}. W_2 has the transform
        (1-C) + C h / (h + s + λ_1 - λ_1 β(s)), h = nμ - λ, β the busy period of class 1,
        inverted along Talbot's contour.
        """
        delay = self.pooled.delay_probability
        capacity = self.agents * self.service_rate_per_min
        rate = self.arrival_rate_1_per_min
        first = delay * math.exp(-(capacity - rate) * threshold_min)
        if threshold_min <= 0:
            return delay, delay
        spare = capacity - rate - self.arrival_rate_2_per_min

        def tail(s: complex) -> complex:
            u = s + rate + capacity
            w = 2 * math.sqrt(rate * capacity)
            # Two roots, never the root of the product: the branch cut must stay on [-w, w].
            lambda_beta = (u - cmath.sqrt(u + w) * cmath.sqrt(u - w)) / 2
            served = spare / (spare + s + rate - lambda_beta)
            return delay * (1 - served) / s

        return first, invert_laplace(tail, threshold_min)

    def served_within(self, threshold_min: float) -> tuple[float, float]:
        """Return the share of class 1 and of class 2 served after at most this wait."""
        first, second = self.waits_longer(threshold_min)
        return 1 - first, 1 - second


def invert_laplace(transform: Callable[[complex], complex], time_min: float) -> float:
    """Return the function at `time_min` whose Laplace transform this is (fixed Talbot).

    For transforms with singularities on the negative real axis only.
    """
    points = _TALBOT_POINTS
    scale = 2 * points / (5 * time_min)
    total = 0.5 * math.exp(scale * time_min) * transform(complex(scale)).real
    for number in range(1, points):
        angle = number * math.pi / points
        cot = 1 / math.tan(angle)
        s = scale * angle * complex(cot, 1)
        slope = complex(1, angle + (angle * cot - 1) * cot)
        total += (cmath.exp(time_min * s) * transform(s) * slope).real
    return total * scale / points


def accumulating_waits_min(
    arrival_rates_per_min: Sequence[float],
    weights: Sequence[float],
    service_rate_per_min: float,
    agents: float,
) -> tuple[float, ...]:
    """Return the mean wait by class when a freed agent takes the largest weight times wait.

    Weights must increase. Kleinrock (1964):
    W_p = [W0/(1-ρ) - Σ_{i<p} ρ_i W_i (1 - b_i/b_p)] / [1 - Σ_{i>p} ρ_i (1 - b_p/b_i)].
    """
    if any(low >= high for low, high in pairwise(weights)):
        raise ValueError(f"weights {list(weights)}: give them in increasing order")
    capacity = agents * service_rate_per_min
    pooled = ErlangC(sum(arrival_rates_per_min), service_rate_per_min, agents)
    loads = [rate / capacity for rate in arrival_rates_per_min]
    waits: list[float] = []
    for place, weight in enumerate(weights):
        work = pooled.wait_mean_min - sum(
            load * wait * (1 - low / weight)
            for load, wait, low in zip(loads, waits, weights, strict=False)
        )
        overtaken = sum(
            load * (1 - weight / high)
            for load, high in zip(loads[place + 1 :], weights[place + 1 :], strict=True)
        )
        waits.append(work / (1 - overtaken))
    return tuple(waits)
