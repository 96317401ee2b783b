"""Answer for one queue by formula: Erlang B, C and A, and the service levels by name.

Units: rates per minute, times in minutes (`_min`), probabilities and shares as fractions of all
arrivals. Service and patience are exponential, arrivals Poisson, queues FIFO, and the answers are
those of the steady state. The number of agents may be a real number: the formulas are continued
through Erlang B's integral, so that loads can be added before anything is rounded.

Sources: Erlang (1917); Jagerman, BSTJ 53 (1974), for real n; Palm (1957) and Garnett, Mandelbaum &
Reiman, M&SOM 4 (2002), for impatience.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import special

from router.measures_formulas import SERVICE_LEVELS, ServiceCounts

Array = NDArray[np.float64]

SHORT_ABANDON_MIN: Final = 5 / 60  # an abandonment within 5 s says nothing about the service
# Shares are handed to the journal's own formulas, which count whole contacts, in these parts.
_PARTS: Final = 10**15
_TAIL: Final = 1e-18
_WAITING_MAX: Final = 1 << 22


class QueueModel(Protocol):
    """What every model of one queue can say, in minutes and in shares of all arrivals."""

    @property
    def delay_probability(self) -> float:
        """Return the share of arrivals that find no agent at once."""
        ...

    @property
    def abandon_fraction(self) -> float:
        """Return the share of arrivals that leave without service."""
        ...

    @property
    def wait_mean_served_min(self) -> float:
        """Return the average speed of answer: the mean wait of the served."""
        ...

    @property
    def occupancy(self) -> float:
        """Return busy agents over agents."""
        ...

    def served_within(self, threshold_min: float) -> float:
        """Return the share of arrivals served after at most this wait."""
        ...

    def abandoned_within(self, threshold_min: float) -> float:
        """Return the share of arrivals that leave after at most this wait."""
        ...


def inverse_erlang_b(load_erlang: float, agents: float) -> float:
    """Return 1 / (Erlang B), for any real number of agents of at least 0; inf where B is 0.

    1/E_n = a ∫_0^∞ e^{-ax} (1+x)^n dx at the fraction of n, then 1/E_k = 1 + (k/a) / E_{k-1}.
    Raises ValueError for a negative load or number of agents.
    """
    if not (load_erlang >= 0 and math.isfinite(load_erlang)):
        raise ValueError(f"offered load {load_erlang} erlang: give a finite number of at least 0")
    if not (agents >= 0 and math.isfinite(agents)):
        raise ValueError(f"{agents} agents: give a finite number of at least 0")
    if load_erlang == 0:
        return 1.0 if agents == 0 else math.inf
    whole = math.floor(agents)
    fraction = agents - whole
    inverse = _fraction_of_an_agent(load_erlang, fraction)
    for number in range(1, whole + 1):
        inverse = 1 + (fraction + number) / load_erlang * inverse
    return inverse


def _fraction_of_an_agent(load: float, fraction: float) -> float:
    """Return a ∫ e^{-ax} (1+x)^f dx = e^a a^{-f} Γ(f+1, a) for 0 <= f < 1."""
    if fraction == 0:
        return 1.0
    shape = fraction + 1
    if load < 5:
        upper = float(special.gammaincc(shape, load)) * math.gamma(shape)
        return math.exp(load - fraction * math.log(load)) * upper
    # Legendre's continued fraction, by Lentz: e^a overflows long before a centre is large.
    term = load + 1 - shape
    c, d = 1e300, 1 / term
    value = d
    for step in range(1, 1000):
        factor = -step * (step - shape)
        term += 2
        d = 1 / (factor * d + term)
        c = term + factor / c
        value *= c * d
        if abs(c * d - 1) < 1e-16:
            break
    return load * value


def erlang_b(load_erlang: float, agents: float) -> float:
    """Return the blocking probability of M/G/n/n, for any service law with this load."""
    return 1 / inverse_erlang_b(load_erlang, agents)


@dataclass(frozen=True)
class ErlangC:
    """M/M/n: nobody ever gives up.

    Raises ValueError when the agents cannot keep up (load >= agents): there is no steady state.
    """

    arrival_rate_per_min: float
    service_rate_per_min: float
    agents: float

    def __post_init__(self) -> None:
        check_rates(self.arrival_rate_per_min, self.service_rate_per_min, self.agents)
        if self.load_erlang >= self.agents:
            raise ValueError(
                f"Erlang C: {self.agents:g} agents for {self.load_erlang:g} erlang never catch up; "
                "give more agents than erlang, or a patience (Erlang A)"
            )

    @property
    def load_erlang(self) -> float:
        """Return a = λ/μ."""
        return self.arrival_rate_per_min / self.service_rate_per_min

    @property
    def occupancy(self) -> float:
        """Return ρ = a/n."""
        return self.load_erlang / self.agents

    @property
    def _spare_rate(self) -> float:
        return self.agents * self.service_rate_per_min - self.arrival_rate_per_min

    @cached_property
    def delay_probability(self) -> float:
        """Return C = E / (1 - ρ (1 - E)), E of Erlang B."""
        inverse = inverse_erlang_b(self.load_erlang, self.agents)
        return 1 / (inverse - self.occupancy * (inverse - 1)) if math.isfinite(inverse) else 0.0

    @property
    def abandon_fraction(self) -> float:
        """Return 0: nobody gives up."""
        return 0.0

    @property
    def wait_mean_min(self) -> float:
        """Return C / (nμ - λ)."""
        return self.delay_probability / self._spare_rate

    @property
    def wait_mean_served_min(self) -> float:
        """Return the mean wait: all are served."""
        return self.wait_mean_min

    @property
    def wait_mean_delayed_min(self) -> float:
        """Return the mean wait of those who wait."""
        return 1 / self._spare_rate

    @property
    def queue_length_mean(self) -> float:
        """Return the mean number waiting (Little)."""
        return self.arrival_rate_per_min * self.wait_mean_min

    @property
    def number_in_system_mean(self) -> float:
        """Return the mean number waiting or served."""
        return self.queue_length_mean + self.load_erlang

    def waits_longer(self, threshold_min: float) -> float:
        """Return P(W > t) = C e^{-(nμ-λ)t}."""
        return self.delay_probability * math.exp(-self._spare_rate * threshold_min)

    def wait_quantile_min(self, share: float) -> float:
        """Return the wait that this share of arrivals does not exceed; 0 <= share < 1."""
        if 1 - share >= self.delay_probability:
            return 0.0
        return math.log(self.delay_probability / (1 - share)) / self._spare_rate

    def served_within(self, threshold_min: float) -> float:
        """Return the share of arrivals served after at most this wait."""
        return 1 - self.waits_longer(threshold_min)

    def abandoned_within(self, threshold_min: float) -> float:
        """Return 0: nobody gives up."""
        return 0.0


def check_rates(arrival_rate_per_min: float, service_rate_per_min: float, agents: float) -> None:
    """Raise ValueError unless there are arrivals, service and agents."""
    named = (
        ("arrival rate", arrival_rate_per_min),
        ("service rate", service_rate_per_min),
        ("number of agents", agents),
    )
    for name, value in named:
        if not (value > 0 and math.isfinite(value)):
            raise ValueError(f"{name} {value}: give a finite number above 0")


class Offered:
    """What becomes of a contact that finds j others waiting before him and all agents busy.

    Agents end contacts at nμ, each waiting contact gives up at θ, so its offered wait is
    V = Σ_{i=0..j} Exp(nμ + iθ), and e^{-θV} ~ Beta(r, j+1) with r = nμ/θ. Nothing here asks where
    the distribution of j comes from: a steady state, an instant of a day, a live queue.
    With θ = 0 nobody gives up, and V is a sum of j+1 exponential times at nμ. Each method returns
    one number for each j = 0..count-1.
    """

    def __init__(self, capacity_per_min: float, patience_rate_per_min: float, count: int) -> None:
        self.rate = patience_rate_per_min
        self.capacity = capacity_per_min
        self.ratio = capacity_per_min / patience_rate_per_min if patience_rate_per_min else math.inf
        self.places = np.arange(1, count + 1, dtype=np.float64)

    def served(self) -> Array:
        """Return P(served) = r / (r+j+1)."""
        if not self.rate:
            return np.ones_like(self.places)
        answer: Array = self.ratio / (self.ratio + self.places)
        return answer

    def served_within(self, threshold_min: float) -> Array:
        """Return P(served within T) = r/(r+j+1) (1 - I_x(r+1, j+1)), x = e^{-θT}."""
        answer: Array
        if not self.rate:
            answer = special.gammainc(self.places, self.capacity * threshold_min)
            return answer
        gone = -math.expm1(-self.rate * threshold_min)
        answer = self.served() * special.betainc(self.places, self.ratio + 1, gone)
        return answer

    def still_waiting(self, threshold_min: float) -> Array:
        """Return P(neither served nor gone at T) = x I_x(r, j+1)."""
        answer: Array
        if not self.rate:
            answer = special.gammaincc(self.places, self.capacity * threshold_min)
            return answer
        x = math.exp(-self.rate * threshold_min)
        answer = x * special.betainc(self.ratio, self.places, x)
        return answer

    def wait_of_served_min(self) -> Array:
        """Return E[wait; served] = r/(r+j+1) (ψ(r+j+2) - ψ(r+1)) / θ, from -E[B ln B]/θ."""
        answer: Array
        if not self.rate:
            answer = self.places / self.capacity
            return answer
        steps = special.digamma(self.ratio + self.places + 1) - special.digamma(self.ratio + 1)
        answer = self.served() * steps / self.rate
        return answer


@dataclass(frozen=True)
class ErlangA:
    """M/M/n+M: each waiting contact gives up after an exponential patience.

    Exact, from the birth-death chain with death rate min(k,n)μ + max(k-n,0)θ. For real n, the
    chain below n is Erlang B continued, and above n the rates nμ + jθ are used as they stand.
    """

    arrival_rate_per_min: float
    service_rate_per_min: float
    patience_rate_per_min: float
    agents: float

    def __post_init__(self) -> None:
        check_rates(self.arrival_rate_per_min, self.service_rate_per_min, self.agents)
        if not (self.patience_rate_per_min > 0 and math.isfinite(self.patience_rate_per_min)):
            raise ValueError(
                f"patience rate {self.patience_rate_per_min}: give a finite number above 0; "
                "customers who never give up are Erlang C"
            )

    @property
    def load_erlang(self) -> float:
        """Return a = λ/μ."""
        return self.arrival_rate_per_min / self.service_rate_per_min

    @cached_property
    def finds_waiting(self) -> Array:
        """Return P(all agents busy and j waiting), j = 0, 1, ... until it is negligible."""
        capacity = self.agents * self.service_rate_per_min
        count = 256
        while True:
            rates = capacity + self.patience_rate_per_min * np.arange(1, count)
            logs = np.concatenate(([0.0], np.cumsum(np.log(self.arrival_rate_per_min / rates))))
            top = float(logs.max())
            weights = np.exp(logs - top)
            if weights[-1] < _TAIL and rates[-1] > self.arrival_rate_per_min:
                break
            count *= 2
            if count > _WAITING_MAX:
                raise ValueError(
                    f"Erlang A: more than {_WAITING_MAX:,} would wait; "
                    "give a shorter patience or more agents"
                )
        below = (inverse_erlang_b(self.load_erlang, self.agents) - 1) * math.exp(-top)
        answer: Array = weights / (below + weights.sum())
        return answer

    @cached_property
    def _offered(self) -> Offered:
        capacity = self.agents * self.service_rate_per_min
        return Offered(capacity, self.patience_rate_per_min, len(self.finds_waiting))

    @cached_property
    def delay_probability(self) -> float:
        """Return the probability that all agents are busy."""
        return float(self.finds_waiting.sum())

    @cached_property
    def abandon_fraction(self) -> float:
        """Return the share of arrivals that give up."""
        return float(self.finds_waiting @ (1 - self._offered.served()))

    @property
    def wait_mean_min(self) -> float:
        """Return the mean time in queue over all arrivals: Pab / θ."""
        return self.abandon_fraction / self.patience_rate_per_min

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

    @cached_property
    def _served_wait_min(self) -> float:
        return float(self.finds_waiting @ self._offered.wait_of_served_min())

    @property
    def wait_mean_served_min(self) -> float:
        """Return the average speed of answer."""
        return self._served_wait_min / (1 - self.abandon_fraction)

    @property
    def wait_mean_abandoned_min(self) -> float:
        """Return the mean wait of those who give up."""
        return (self.wait_mean_min - self._served_wait_min) / self.abandon_fraction

    def served_within(self, threshold_min: float) -> float:
        """Return the share of arrivals served after at most this wait."""
        late = float(
            self.finds_waiting
            @ (self._offered.served() - self._offered.served_within(threshold_min))
        )
        return 1 - self.abandon_fraction - late

    def waits_longer(self, threshold_min: float) -> float:
        """Return the share of arrivals still in queue after this time."""
        return float(self.finds_waiting @ self._offered.still_waiting(threshold_min))

    def abandoned_within(self, threshold_min: float) -> float:
        """Return the share of arrivals that give up after at most this wait."""
        in_time = self._offered.served_within(threshold_min)
        waiting = self._offered.still_waiting(threshold_min)
        return max(0.0, float(self.finds_waiting @ (1 - in_time - waiting)))


def service_levels(
    model: QueueModel, threshold_min: float, *, short_min: float = SHORT_ABANDON_MIN
) -> dict[str, float]:
    """Return every service level in use, by the names of `router.measures_formulas`.

    They are that module's own functions, so a planned and a measured service level cannot mean
    two things. An abandonment is short within `short_min`, and forgotten where the name says so.
    """
    abandoned = model.abandon_fraction
    shares = (
        1 - abandoned,
        model.served_within(threshold_min),
        abandoned,
        model.abandoned_within(threshold_min),
        model.abandoned_within(short_min),
    )
    counts = ServiceCounts(*(round(share * _PARTS) for share in shares))
    return {name: formula(counts) or 0.0 for name, formula in SERVICE_LEVELS.items()}
