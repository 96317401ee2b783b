"""Solve skill-based routing exactly for small centres: V, N, W and X designs as Markov chains.

Types of contacts meet pools of agents, all laws exponential, rates per minute. A contact goes to
the first pool in its order with somebody idle, else it waits; a freed agent takes the first in
line of the first type in its pool's order that waits. FIFO within a type, no interruption. A type
may have to leave some agents of a pool idle (reserve), may balk, and waits may be forbidden.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from simulation.chains import EDGE_MASS_MAX, Chain, State, explore, solve_capped
from simulation.erlang import Array

_FIRST_CAP = 24


@dataclass(frozen=True)
class Design:
    """Which contacts meet which agents, and in what order.

    `service_rates_per_min[pool][type]`, `pools_of_type[type]` and `types_of_pool[pool]` in order of
    preference; `reserves[(type, pool)]`: so many agents of the pool must stay idle after a contact
    of that type starts there; `balk_probabilities`: who is not served at once leaves at once;
    `waiting`: False sends away everyone who is not served at once. Raises ValueError when the
    two orders disagree on who can serve whom.
    """

    arrival_rates_per_min: tuple[float, ...]
    agents: tuple[int, ...]
    service_rates_per_min: tuple[tuple[float, ...], ...]
    patience_rates_per_min: tuple[float, ...]
    pools_of_type: tuple[tuple[int, ...], ...]
    types_of_pool: tuple[tuple[int, ...], ...]
    reserves: dict[tuple[int, int], int] = field(default_factory=dict)
    balk_probabilities: tuple[float, ...] = ()
    waiting: bool = True

    def __post_init__(self) -> None:
        forward = {(kind, pool) for kind, pools in enumerate(self.pools_of_type) for pool in pools}
        back = {(kind, pool) for pool, kinds in enumerate(self.types_of_pool) for kind in kinds}
        if forward != back:
            raise ValueError(
                f"(type, pool) {sorted(forward ^ back)} stand in one order only; "
                "name each pair both in pools_of_type and in types_of_pool"
            )
        for kind, pool in forward:
            if not self.service_rates_per_min[pool][kind] > 0:
                raise ValueError(f"pool {pool} serves type {kind} at no rate; give one above 0")

    @cached_property
    def groups(self) -> tuple[tuple[int, int, float], ...]:
        """Return (pool, first type, rate) of each count in a state: types of one rate share one."""
        found: dict[tuple[int, float], int] = {}
        for pool, kinds in enumerate(self.types_of_pool):
            for kind in sorted(kinds):
                found.setdefault((pool, self.service_rates_per_min[pool][kind]), kind)
        return tuple((pool, kind, rate) for (pool, rate), kind in found.items())

    def group_of(self, kind: int, pool: int) -> int:
        """Return the place in a state that counts this type at work in this pool."""
        rate = self.service_rates_per_min[pool][kind]
        return next(
            place
            for place, (found, _, speed) in enumerate(self.groups)
            if found == pool and speed == rate
        )

    @cached_property
    def _places(self) -> dict[tuple[int, int], int]:
        return {
            (kind, pool): self.group_of(kind, pool)
            for kind, pools in enumerate(self.pools_of_type)
            for pool in pools
        }

    def queue_place(self, kind: int) -> int:
        """Return the place in a state that counts this type waiting."""
        return len(self.groups) + kind

    def idle(self, state: State, pool: int) -> int:
        """Return how many agents of a pool are idle."""
        busy = sum(state[place] for place, group in enumerate(self.groups) if group[0] == pool)
        return self.agents[pool] - busy

    def pool_for(self, state: State, kind: int) -> int | None:
        """Return the pool that takes an arrival of this type now, None if it must wait."""
        for pool in self.pools_of_type[kind]:
            if self.idle(state, pool) > self.reserves.get((kind, pool), 0):
                return pool
        return None

    def after_release(self, state: State, pool: int) -> State:
        """Return the state after an agent of the pool became idle and looked at the queues."""
        idle = self.idle(state, pool)
        for kind in self.types_of_pool[pool]:
            if state[self.queue_place(kind)] and idle > self.reserves.get((kind, pool), 0):
                state = _add(state, self.queue_place(kind), -1)
                return _add(state, self._places[kind, pool], 1)
        return state

    def balk(self, kind: int) -> float:
        """Return the balk probability of a type."""
        return self.balk_probabilities[kind] if self.balk_probabilities else 0.0

    def moves(self, state: State, caps: Sequence[int]) -> Iterator[tuple[float, State]]:
        """Yield what may happen next, no queue beyond its cap."""
        for kind, rate in enumerate(self.arrival_rates_per_min):
            pool = self.pool_for(state, kind)
            if pool is not None:
                yield rate, _add(state, self._places[kind, pool], 1)
            elif self.waiting and state[self.queue_place(kind)] < caps[kind]:
                yield rate * (1 - self.balk(kind)), _add(state, self.queue_place(kind), 1)
        for kind, rate in enumerate(self.patience_rates_per_min):
            place = self.queue_place(kind)
            if rate and state[place]:
                yield state[place] * rate, _add(state, place, -1)
        yield from self.completions(state)

    def completions(self, state: State) -> Iterator[tuple[float, State]]:
        """Yield the ends of contacts, each with what the freed agent does next."""
        for place, (pool, _, rate) in enumerate(self.groups):
            if state[place]:
                yield state[place] * rate, self.after_release(_add(state, place, -1), pool)


def _add(state: State, place: int, change: int) -> State:
    return (*state[:place], state[place] + change, *state[place + 1 :])


class DesignAnswer:
    """The steady state of a design; lists go by type or by pool.

    Queues are cut where less than `edge_mass_max` lies beyond; a larger value is faster.
    """

    def __init__(self, design: Design, *, edge_mass_max: float = EDGE_MASS_MAX) -> None:
        self.design = design
        types = len(design.arrival_rates_per_min)
        queues = [design.queue_place(kind) for kind in range(types)]
        empty = (0,) * (len(design.groups) + types)
        caps = [_FIRST_CAP if design.waiting else 1] * types
        self.chain: Chain = solve_capped(
            empty, design.moves, queues, caps, edge_mass_max=edge_mass_max
        )

    @cached_property
    def _delayed(self) -> Array:
        """Return 1 where an arrival of the type finds no agent, [type, state]."""
        kinds = range(len(self.design.arrival_rates_per_min))
        return np.array(
            [
                [self.design.pool_for(state, kind) is None for state in self.chain.index]
                for kind in kinds
            ],
            dtype=np.float64,
        )

    @cached_property
    def delay_probability(self) -> list[float]:
        """Return by type the share of arrivals that find no agent they may be given to."""
        return [float(value) for value in self._delayed @ self.chain.stationary]

    @property
    def delay_probability_all(self) -> float:
        """Return the share of all arrivals that find no agent they may be given to."""
        rates = self.design.arrival_rates_per_min
        pairs = zip(rates, self.delay_probability, strict=True)
        return sum(rate * share for rate, share in pairs) / sum(rates)

    @cached_property
    def queue_length_mean(self) -> list[float]:
        """Return the mean number waiting by type."""
        kinds = range(len(self.design.arrival_rates_per_min))
        return [self._mean(self.design.queue_place(kind)) for kind in kinds]

    def _mean(self, place: int) -> float:
        return float(self.chain.stationary @ self.chain.column(place))

    @property
    def wait_mean_min(self) -> list[float]:
        """Return the mean time in queue by type over all arrivals, 0 for those who balk."""
        pairs = zip(self.queue_length_mean, self.design.arrival_rates_per_min, strict=True)
        return [length / rate for length, rate in pairs]

    @property
    def abandon_fraction(self) -> list[float]:
        """Return by type the share that leaves without service, balking included."""
        design = self.design
        return [
            design.patience_rates_per_min[kind] * wait
            + design.balk(kind) * self.delay_probability[kind]
            for kind, wait in enumerate(self.wait_mean_min)
        ]

    def at_work(self, kind: int, pool: int) -> float:
        """Return the mean number of a pool's agents at work on a type (and types of its rate)."""
        return self._mean(self.design.group_of(kind, pool))

    @property
    def occupancy(self) -> list[float]:
        """Return busy agents over agents by pool."""
        design = self.design
        answer = []
        for pool, agents in enumerate(design.agents):
            places = [place for place, group in enumerate(design.groups) if group[0] == pool]
            answer.append(sum(self._mean(place) for place in places) / agents)
        return answer

    def taken_by(self, kind: int, pool: int) -> float:
        """Return the share of a type's arrivals that go to this pool at once."""
        chosen = [self.design.pool_for(state, kind) == pool for state in self.chain.index]
        return float(self.chain.stationary @ np.array(chosen, dtype=np.float64))

    def served_within(self, kind: int, threshold_min: float) -> float:
        """Return the share of a type's arrivals served after at most this wait.

        One contact is followed: it joins the end of its type's queue, nobody joins behind it, and
        the chain runs until it is served, gives up, or the time is over.
        """
        design, place = self.design, self.design.queue_place(kind)
        served, gone = (-1,), (-2,)

        def follow(state: State) -> Iterator[tuple[float, State]]:
            if len(state) == 1:
                return
            ahead = state[place] - 1
            patience = design.patience_rates_per_min[kind]
            for rate, target in design.moves(state, caps):
                if target[place] == state[place]:
                    yield rate, target
            yield patience, gone
            yield ahead * patience, _add(state, place, -1)
            for rate, target in design.completions(state):
                if target[place] < state[place]:
                    yield rate, target if ahead else served

        types = range(len(design.arrival_rates_per_min))
        caps = [int(self.chain.column(design.queue_place(k)).max()) for k in types]
        caps[kind] = 0  # nobody behind
        joined = {
            _add(state, place, 1): float(chance) * (1 - design.balk(kind))
            for state, chance in zip(self.chain.index, self.chain.stationary, strict=True)
            if design.pool_for(state, kind) is None
        }
        chain = explore([*joined, served, gone], follow)
        start = np.zeros(len(chain.index))
        for state, chance in joined.items():
            start[chain.index[state]] = chance
        end, _ = chain.after(start, threshold_min)
        return 1 - self.delay_probability[kind] + float(end[chain.index[served]])
