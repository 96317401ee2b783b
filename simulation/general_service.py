"""Answer for service that is not exponential: M/G/1, breaks, appointments, fixed lengths.

Rates per minute, times in minutes; steady state, no abandonment, FIFO. Sources: Pollaczek (1930),
Khinchine (1932); Fuhrmann & Cooper (1985) for breaks; Crommelin (1932) for M/D/n.
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass
from functools import cached_property

from scipy import optimize

from simulation.time_laws import TimeLaw, check_positive


@dataclass(frozen=True)
class OneAgent:
    """M/G/1: one agent, work of any law (Pollaczek-Khinchine).

    With `vacation`, the agent takes a break of this law whenever idle, another one if still
    nobody waits, and never cuts it short: each wait grows by the rest of a break.
    """

    arrival_rate_per_min: float
    service: TimeLaw
    vacation: TimeLaw | None = None

    def __post_init__(self) -> None:
        check_positive("arrival rate", self.arrival_rate_per_min)
        check_stable(self.occupancy, "one agent")

    @property
    def occupancy(self) -> float:
        """Return ρ = λ E[S]."""
        return self.arrival_rate_per_min * self.service.moment(1)

    @property
    def _queue_wait_min(self) -> float:
        residual = self.arrival_rate_per_min * self.service.moment(2) / 2
        return residual / (1 - self.occupancy)

    @property
    def wait_mean_min(self) -> float:
        """Return λE[S²] / (2(1-ρ)), plus E[V²] / (2E[V]) with breaks."""
        if self.vacation is None:
            return self._queue_wait_min
        return self._queue_wait_min + self.vacation.moment(2) / (2 * self.vacation.moment(1))

    @property
    def wait_standard_deviation_min(self) -> float:
        """Return sd(W), E[W²] = 2E[W]² + λE[S³]/(3(1-ρ)); the rest of a break is independent."""
        third = self.arrival_rate_per_min * self.service.moment(3) / (3 * (1 - self.occupancy))
        variance = self._queue_wait_min**2 + third
        if self.vacation is not None:
            mean = self.vacation.moment(1)
            rest = self.vacation.moment(2) / (2 * mean)
            variance += self.vacation.moment(3) / (3 * mean) - rest**2
        return math.sqrt(variance)

    @property
    def queue_length_mean(self) -> float:
        """Return the mean number waiting (Little)."""
        return self.arrival_rate_per_min * self.wait_mean_min

    @property
    def time_in_system_mean_min(self) -> float:
        """Return wait and service."""
        return self.wait_mean_min + self.service.moment(1)


@dataclass(frozen=True)
class EvenArrivals:
    """D/M/1: arrivals at equal distances d, as appointments, one agent.

    σ = e^{-μ(1-σ)d} is the share that waits.
    """

    interarrival_min: float
    service_rate_per_min: float

    def __post_init__(self) -> None:
        check_positive("time between arrivals", self.interarrival_min)
        check_positive("service rate", self.service_rate_per_min)
        check_stable(1 / (self.interarrival_min * self.service_rate_per_min), "one agent")

    @cached_property
    def delay_probability(self) -> float:
        """Return σ, the root below 1."""
        distance = self.service_rate_per_min * self.interarrival_min
        # From x = μ(1-σ)d: x = d μ (1 - e^{-x}), the root above 0, which lies above 2(dμ-1)/(dμ).
        gap = optimize.brentq(
            lambda x: x + distance * math.expm1(-x),
            2 * (distance - 1) / distance * 0.5,
            distance,
            xtol=1e-16,
            rtol=1e-15,
        )
        return math.exp(-gap)

    @property
    def wait_mean_min(self) -> float:
        """Return σ / (μ(1-σ))."""
        share = self.delay_probability
        return share / (self.service_rate_per_min * (1 - share))


@dataclass(frozen=True)
class FixedService:
    """M/D/n: every contact takes exactly `service_min`.

    The n-1 roots z_k of z^n = e^{a(z-1)} inside the unit circle give the number in system:
    E[N] = Σ 1/(1-z_k) - (n(n-1) - 2na + a²) / (2(n-a)), and P(N < n) = (n-a) / Π(1-z_k).
    """

    arrival_rate_per_min: float
    service_min: float
    agents: int

    def __post_init__(self) -> None:
        check_positive("arrival rate", self.arrival_rate_per_min)
        check_positive("service time", self.service_min)
        check_positive("number of agents", self.agents)
        check_stable(self.load_erlang / self.agents, f"{self.agents} agents")

    @property
    def load_erlang(self) -> float:
        """Return a."""
        return self.arrival_rate_per_min * self.service_min

    @cached_property
    def _roots(self) -> tuple[complex, ...]:
        ratio = self.load_erlang / self.agents
        roots = []
        for number in range(1, self.agents):
            turn = cmath.exp(2j * cmath.pi * number / self.agents)
            root = turn * cmath.exp(-ratio)
            # Newton on z - turn e^{ratio (z-1)}, from inside the circle where it contracts.
            for _ in range(100):
                image = turn * cmath.exp(ratio * (root - 1))
                step = (root - image) / (1 - ratio * image)
                root -= step
                if abs(step) < 1e-16:
                    break
            roots.append(root)
        return tuple(roots)

    @property
    def delay_probability(self) -> float:
        """Return P(all agents busy)."""
        product = math.prod((1 - root for root in self._roots), start=1 + 0j)
        return 1 - (self.agents - self.load_erlang) / product.real

    @property
    def number_in_system_mean(self) -> float:
        """Return E[N]."""
        n, a = self.agents, self.load_erlang
        reciprocals = sum((1 / (1 - root) for root in self._roots), start=0j).real
        return reciprocals - (n * (n - 1) - 2 * n * a + a * a) / (2 * (n - a))

    @property
    def queue_length_mean(self) -> float:
        """Return the mean number waiting."""
        return self.number_in_system_mean - self.load_erlang

    @property
    def wait_mean_min(self) -> float:
        """Return the mean wait (Little)."""
        return self.queue_length_mean / self.arrival_rate_per_min


def check_stable(occupancy: float, who: str) -> None:
    """Raise ValueError when the work never gets done."""
    if occupancy >= 1:
        raise ValueError(
            f"{who} at occupancy {occupancy:g} never catch up; give more agents or less work"
        )
