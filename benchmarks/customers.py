"""Draw the customers of one round, once, so that every model meets the same people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.erlang_a import Exact, solve

SERVED_AT_ONCE, SERVED_AFTER_WAIT, ABANDONED = 0, 1, 2


@dataclass(frozen=True, kw_only=True)
class Model:
    """Describe a centre: `agents` at `load`, exponential service and patience.

    With `categories` > 1 the arrivals spread evenly over them and agent number k serves the
    two neighbours k and k + 1 (modulo `categories`): a closed chain of skills.
    """

    agents: int = 100
    load: float = 0.95
    service_mean_ms: int = 240_000
    patience_mean_ms: int = 120_000
    categories: int = 1

    @property
    def interarrival_mean_ms(self) -> float:
        """Return the mean time between two arrivals in milliseconds."""
        return self.service_mean_ms / (self.load * self.agents)

    def exact(self) -> Exact:
        """Return the exact values; only a model of one category has them."""
        assert self.categories == 1
        return solve(
            agents=self.agents,
            arrivals=1 / self.interarrival_mean_ms,
            service=1 / self.service_mean_ms,
            patience=1 / self.patience_mean_ms,
        )

    def serves(self, agent: int) -> tuple[int, ...]:
        """Return the categories which an agent serves."""
        if self.categories == 1:
            return (0,)
        return (agent % self.categories, (agent + 1) % self.categories)

    @property
    def warm_up(self) -> int:
        """Return how many customers pass before the steady state: ten service times' worth."""
        return round(10 * self.load * self.agents)


@dataclass(frozen=True)
class Customers:
    """Hold arrival instants, service times, patiences (integer ms) and categories, by customer."""

    arrivals_ms: list[int]
    services_ms: list[int]
    patiences_ms: list[int]
    categories: list[int]

    def __len__(self) -> int:
        return len(self.arrivals_ms)


def draw_customers(model: Model, count: int, seed: int) -> Customers:
    """Draw `count` customers; the same seed gives the same people."""
    streams = [np.random.default_rng([seed, purpose]) for purpose in range(4)]
    gaps = streams[0].exponential(model.interarrival_mean_ms, count)
    services = streams[1].exponential(model.service_mean_ms, count)
    patiences = streams[2].exponential(model.patience_mean_ms, count)
    categories = streams[3].integers(0, model.categories, count)
    return Customers(
        np.cumsum(gaps).astype(np.int64).tolist(),
        np.maximum(services.astype(np.int64), 1).tolist(),
        np.maximum(patiences.astype(np.int64), 1).tolist(),
        categories.tolist(),
    )
