"""Follow a load through the day: modified offered load, and the identity for θ = μ.

Rates per minute, times in minutes. The modified offered load is what infinitely many agents would
have in hand, m(t) = ∫_0^∞ λ(t-u) P(S > u) du: it lags behind the arrivals by the work, where an
interval's own rate times mean work (SIPP) does not. Staff each instant for it. Source: Green,
Kolesar & Whitt, POM 16 (2007); Feldman, Mandelbaum, Massey & Whitt, Management Science 54 (2008).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from scipy import special

from simulation.erlang import Array
from simulation.time_laws import TimeLaw

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(20)


def modified_offered_load(
    arrival_rates_per_min: Sequence[float],
    interval_min: float,
    service: TimeLaw,
    times_min: Array,
) -> Array:
    """Return m(t) in erlang at each time, empty at 0, for a rate that is constant by interval.

    Exact: an interval [u, v] adds λ (H(t-u) - H(t-v)), H the integrated tail of the work.
    """
    load = np.zeros_like(times_min)
    for number, rate in enumerate(arrival_rates_per_min):
        since = np.maximum(times_min - number * interval_min, 0.0)
        until = np.maximum(times_min - (number + 1) * interval_min, 0.0)
        load += rate * (service.integrated_tail(since) - service.integrated_tail(until))
    return load


def identity_mean(
    rate_per_min: Callable[[float], float], service_rate_per_min: float, time_min: float
) -> float:
    """Return m(t), m' = λ(t) - μm, m(0) = 0, for any smooth rate.

    When patience and service have one rate, the number in system at t is Poisson with this mean,
    for every staffing and every routing: whether a contact waits or is served, it leaves at μ.
    """
    panels = max(8, math.ceil(4 * time_min * max(service_rate_per_min, 1.0)))
    edges = np.linspace(0.0, time_min, panels + 1)
    total = 0.0
    for low, high in pairwise(edges):
        half = (high - low) / 2
        for node, weight in zip(_NODES, _WEIGHTS, strict=True):
            instant = float(low + half * (1 + node))
            decay = math.exp(-service_rate_per_min * (time_min - instant))
            total += float(half * weight) * rate_per_min(instant) * decay
    return total


def identity_delay_probability(mean: float, agents: int) -> float:
    """Return P(Poisson(mean) >= agents)."""
    return float(special.gammainc(agents, mean)) if agents > 0 else 1.0


def identity_queue_length(mean: float, agents: int) -> float:
    """Return E[(Poisson(mean) - agents)^+] = m P(N >= n-1) - n P(N >= n), n = agents."""
    if agents <= 0:
        return mean - agents
    return mean * identity_delay_probability(
        mean, agents - 1
    ) - agents * identity_delay_probability(mean, agents)
