"""Let customers give up by any law, balk, or find no line: M/M/n+G and M/M/n/K+M.

Rates per minute, times in minutes, shares of all arrivals; steady state. Sources: Baccelli &
Hebuterne (1981); Zeltyn & Mandelbaum, Queueing Systems 51 (2005).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np

from simulation.erlang import Array, check_rates, inverse_erlang_b
from simulation.time_laws import TimeLaw

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(20)
_PANELS: Final = 60  # between two corners; more change no digit that is checked
_FALL: Final = 50.0  # e^-50 of the peak is where the tail of the offered wait is cut


@dataclass(frozen=True)
class GeneralPatience:
    """M/M/n+G: patience of any law; `balk_probability` leave at once if all agents are busy.

    The offered wait (of a customer with endless patience) has the density
    v(x) = λ e^{λH(x) - nμx} / (E + λJ), H the integrated patience tail, J = ∫ e^{λH - nμx} dx and
    E = 1 / ErlangB(n-1). A balking customer counts as abandoned after a wait of 0. Integrals are
    composite Gauss-Legendre between the corners of the law. The number of agents may be real.
    """

    arrival_rate_per_min: float
    service_rate_per_min: float
    agents: float
    patience: TimeLaw
    balk_probability: float = 0.0

    def __post_init__(self) -> None:
        check_rates(self.arrival_rate_per_min, self.service_rate_per_min, self.agents)
        if not 0 <= self.balk_probability <= 1:
            raise ValueError(f"balk probability {self.balk_probability}: give 0 to 1")

    @property
    def load_erlang(self) -> float:
        """Return a = λ/μ."""
        return self.arrival_rate_per_min / self.service_rate_per_min

    def _tail(self, times: Array) -> Array:
        return (1 - self.balk_probability) * self.patience.tail(times)

    def _area(self, times: Array) -> Array:
        return (1 - self.balk_probability) * self.patience.integrated_tail(times)

    def _exponent(self, times: Array) -> Array:
        capacity = self.agents * self.service_rate_per_min
        return self.arrival_rate_per_min * self._area(times) - capacity * times

    @cached_property
    def _horizon(self) -> tuple[float, float]:
        """Return where the density has died away, and the peak of its exponent."""
        end = 1 / (self.agents * self.service_rate_per_min)
        for _ in range(200):
            grid = self._exponent(np.linspace(0.0, end, 2001))
            peak = float(grid.max())
            if grid[-1] < peak - _FALL:
                return end, peak
            end *= 1.5
        raise ValueError(
            "M/M/n+G: the queue grows without end; give more agents, or a patience that ends"
        )

    def _points(self, *corners_min: float) -> tuple[Array, Array]:
        """Return the nodes and weights over the whole wait, cut at all corners."""
        end, _ = self._horizon
        cuts = {0.0, end, *self.patience.corners_min, *corners_min}
        inside = sorted(cut for cut in cuts if 0 <= cut <= end)
        # The first piece starts finer: some laws have all their bends near 0.
        pieces = [np.linspace(low, high, _PANELS + 1) for low, high in pairwise(inside)]
        graded = inside[1] * (np.arange(_PANELS + 1) / _PANELS) ** 2
        edges = np.unique(np.concatenate([graded, *pieces[1:]]))
        half = np.diff(edges) / 2
        middle = edges[:-1] + half
        nodes = middle[:, None] + half[:, None] * _NODES[None, :]
        return nodes.ravel(), (half[:, None] * _WEIGHTS[None, :]).ravel()

    def _spread(self, *corners_min: float) -> tuple[Array, Array]:
        """Return waits and their probabilities, those of all who find every agent busy."""
        nodes, weights = self._points(*corners_min)
        _, peak = self._horizon
        mass = self.arrival_rate_per_min * weights * np.exp(self._exponent(nodes) - peak)
        inverse = inverse_erlang_b(self.load_erlang, self.agents)
        below = (inverse - 1) * self.load_erlang / self.agents * math.exp(-peak)
        return nodes, mass / (below + mass.sum())

    @cached_property
    def delay_probability(self) -> float:
        """Return ∫ v."""
        return float(self._spread()[1].sum())

    @cached_property
    def abandon_fraction(self) -> float:
        """Return ∫ v P(patience <= x), balking included."""
        waits, mass = self._spread()
        return float(mass @ (1 - self._tail(waits)))

    @cached_property
    def wait_mean_min(self) -> float:
        """Return ∫ v H: the mean time in queue over all arrivals."""
        waits, mass = self._spread()
        return float(mass @ self._area(waits))

    @cached_property
    def _served_wait_min(self) -> float:
        waits, mass = self._spread()
        return float(mass @ (waits * self._tail(waits)))

    @property
    def wait_mean_served_min(self) -> float:
        """Return the average speed of answer."""
        return self._served_wait_min / (1 - self.abandon_fraction)

    @property
    def wait_mean_abandoned_min(self) -> float:
        """Return the mean wait of those who give up, 0 for the balking ones."""
        return (self.wait_mean_min - self._served_wait_min) / self.abandon_fraction

    @property
    def queue_length_mean(self) -> float:
        """Return the mean number waiting (Little)."""
        return self.arrival_rate_per_min * self.wait_mean_min

    @property
    def busy_agents_mean(self) -> float:
        """Return a (1 - Pab)."""
        return self.load_erlang * (1 - self.abandon_fraction)

    @property
    def occupancy(self) -> float:
        """Return busy agents over agents."""
        return self.busy_agents_mean / self.agents

    def served_within(self, threshold_min: float) -> float:
        """Return the share of arrivals served after at most this wait."""
        waits, mass = self._spread(threshold_min)
        late = float(mass @ np.where(waits > threshold_min, self._tail(waits), 0.0))
        return 1 - self.abandon_fraction - late

    def abandoned_within(self, threshold_min: float) -> float:
        """Return the share of arrivals that leave after at most this wait, balking included."""
        waits, mass = self._spread(threshold_min)
        return float(mass @ (1 - self._tail(np.minimum(waits, threshold_min))))


@dataclass(frozen=True)
class LimitedLines:
    """M/M/n/K+M: at most `lines` contacts in the system, one more is lost.

    Birth-death chain on 0..lines; a patience rate of 0 is a patience without end.
    """

    arrival_rate_per_min: float
    service_rate_per_min: float
    patience_rate_per_min: float
    agents: int
    lines: int

    def __post_init__(self) -> None:
        check_rates(self.arrival_rate_per_min, self.service_rate_per_min, self.agents)
        if self.lines < self.agents:
            raise ValueError(f"{self.lines} lines for {self.agents} agents: give at least as many")
        if not self.patience_rate_per_min >= 0:
            raise ValueError(f"patience rate {self.patience_rate_per_min}: give 0 or more")

    @cached_property
    def number_in_system(self) -> Array:
        """Return P(k in the system), k = 0..lines."""
        present = np.arange(1, self.lines + 1, dtype=np.float64)
        waiting = np.maximum(present - self.agents, 0)
        ending = np.minimum(present, self.agents) * self.service_rate_per_min
        ending += waiting * self.patience_rate_per_min
        logs = np.concatenate(([0.0], np.cumsum(np.log(self.arrival_rate_per_min / ending))))
        weights = np.exp(logs - logs.max())
        answer: Array = weights / weights.sum()
        return answer

    @property
    def blocked_fraction(self) -> float:
        """Return the share of arrivals that find no line."""
        return float(self.number_in_system[-1])

    @property
    def accepted_and_delayed_fraction(self) -> float:
        """Return the share of arrivals that get a line and wait."""
        return float(self.number_in_system[self.agents : self.lines].sum())

    @property
    def queue_length_mean(self) -> float:
        """Return the mean number waiting."""
        waiting = np.maximum(np.arange(self.lines + 1) - self.agents, 0)
        return float(self.number_in_system @ waiting)

    @property
    def busy_agents_mean(self) -> float:
        """Return the mean number of agents at work."""
        return float(self.number_in_system @ np.minimum(np.arange(self.lines + 1), self.agents))

    @property
    def abandon_fraction(self) -> float:
        """Return the share of all arrivals that give up."""
        return self.patience_rate_per_min * self.queue_length_mean / self.arrival_rate_per_min

    @property
    def wait_mean_accepted_min(self) -> float:
        """Return the mean time in queue over those who got a line."""
        return self.queue_length_mean / (self.arrival_rate_per_min * (1 - self.blocked_fraction))
