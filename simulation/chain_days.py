"""Follow one pool through a day exactly: staff and rates that change, closing, uncertain volume.

M(t)/M/s(t)+M by uniformization, from any start: an empty morning or the live state. Rates per
minute, times in minutes. When staff falls, a busy agent finishes the contact and takes no new one
until fewer than the new number are busy; when staff rises, new agents take waiting contacts at
once. All answers are expectations; a ratio over a day is a ratio of two of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import linalg

from simulation.chains import Chain, ChainError, State, explore
from simulation.erlang import Array, Offered

_EDGE_MINUTES_MAX: Final = 1e-12
_NEGLIGIBLE: Final = 1e-22
_WEIGHT_MIN: Final = 1e-13
_WAITING_FIRST: Final = 64
_WAITING_MAX: Final = 8192


@dataclass(frozen=True)
class Period:
    """A stretch of the day with one rate of arrivals and one number of agents."""

    length_min: float
    arrival_rate_per_min: float
    agents: int


@dataclass(frozen=True)
class Customers:
    """How long contacts take and customers stay; a patience rate of 0: for ever."""

    service_rate_per_min: float
    patience_rate_per_min: float = 0.0
    balk_probability: float = 0.0


@dataclass(frozen=True)
class PeriodAnswer:
    """What is expected of one period: minutes spent in each state (busy agents, waiting)."""

    period: Period
    customers: Customers
    chain: Chain
    spent_min: Array

    def _sum(self, values: Array) -> float:
        return float(values @ self.spent_min)

    @property
    def all_busy_min(self) -> float:
        """Return the minutes in which an arrival finds nobody."""
        return self._sum((self.chain.column(0) >= self.period.agents).astype(np.float64))

    @property
    def arrivals_mean(self) -> float:
        """Return the expected arrivals."""
        return self.period.arrival_rate_per_min * self.period.length_min

    @property
    def delayed_mean(self) -> float:
        """Return the expected arrivals that find nobody, balking included."""
        return self.period.arrival_rate_per_min * self.all_busy_min

    @property
    def delay_probability(self) -> float:
        """Return the share of the period's arrivals that find nobody."""
        return self.all_busy_min / self.period.length_min

    @property
    def wait_sum_mean_min(self) -> float:
        """Return the minutes spent in queue, by all together."""
        return self._sum(self.chain.column(1))

    @property
    def queue_length_mean(self) -> float:
        """Return the time average of the number waiting."""
        return self.wait_sum_mean_min / self.period.length_min

    @property
    def abandonments_mean(self) -> float:
        """Return the expected number that leave in this period, balking included."""
        balking = self.customers.balk_probability * self.delayed_mean
        return balking + self.customers.patience_rate_per_min * self.wait_sum_mean_min

    @property
    def busy_agents_mean(self) -> float:
        """Return the time average of busy agents, those after their shift included."""
        return self._sum(self.chain.column(0)) / self.period.length_min

    @property
    def agents_finishing_after_shift_mean(self) -> float:
        """Return the time average of agents at work beyond the period's number."""
        beyond = np.maximum(self.chain.column(0) - self.period.agents, 0)
        return self._sum(beyond) / self.period.length_min

    def delayed_by_place(self) -> Array:
        """Return the expected arrivals that find j waiting and stay, j = 0, 1, ..."""
        busy = self.chain.column(0) >= self.period.agents
        waiting = self.chain.column(1)[busy].astype(np.int64)
        minutes = np.zeros(waiting.max(initial=0) + 1)
        np.add.at(minutes, waiting, self.spent_min[busy])
        stay = self.period.arrival_rate_per_min * (1 - self.customers.balk_probability)
        answer: Array = stay * minutes
        return answer


@dataclass(frozen=True)
class DayAnswer:
    """A day's periods, what follows after closing (None: still open), and the last distribution."""

    periods: tuple[PeriodAnswer, ...]
    closing: PeriodAnswer | None
    end: dict[State, float]

    @property
    def arrivals_mean(self) -> float:
        """Return the expected arrivals."""
        return sum(part.arrivals_mean for part in self.periods)

    @property
    def abandonments_mean(self) -> float:
        """Return the expected number that leave without service, after closing included."""
        return sum(part.abandonments_mean for part in self._all)

    @property
    def wait_sum_mean_min(self) -> float:
        """Return the minutes spent in queue, after closing included."""
        return sum(part.wait_sum_mean_min for part in self._all)

    @property
    def delay_probability(self) -> float:
        """Return the share of all arrivals that find nobody."""
        return sum(part.delayed_mean for part in self.periods) / self.arrivals_mean

    @property
    def _all(self) -> tuple[PeriodAnswer, ...]:
        return self.periods if self.closing is None else (*self.periods, self.closing)

    def _delayed(self) -> tuple[Array, Offered]:
        """Return who finds j waiting over the day, and what becomes of them; staff is constant."""
        staff = {part.period.agents for part in self._all}
        if len(staff) != 1 or any(part.agents_finishing_after_shift_mean for part in self._all):
            raise ValueError(
                f"waits need one number of agents all day, not {sorted(staff)}: "
                "what a contact meets later is not in its state; simulate"
            )
        customers = self.periods[0].customers
        parts = [part.delayed_by_place() for part in self.periods]
        found = np.zeros(max(map(len, parts)))
        for part in parts:
            found[: len(part)] += part
        capacity = staff.pop() * customers.service_rate_per_min
        return found, Offered(capacity, customers.patience_rate_per_min, len(found))

    def served_within_count_mean(self, threshold_min: float) -> float:
        """Return the expected number served after at most this wait; staff must be constant."""
        found, offered = self._delayed()
        at_once = self.arrivals_mean - sum(part.delayed_mean for part in self.periods)
        return at_once + float(found @ offered.served_within(threshold_min))

    def abandoned_after_count_mean(self, threshold_min: float) -> float:
        """Return the expected number that give up later than this; staff must be constant."""
        found, offered = self._delayed()
        later = offered.served() - offered.served_within(threshold_min)
        return float(found @ (offered.still_waiting(threshold_min) - later))

    def wait_sum_served_mean_min(self) -> float:
        """Return the minutes in queue of those who get served; staff must be constant."""
        found, offered = self._delayed()
        return float(found @ offered.wait_of_served_min())


def follow_day(
    periods: Sequence[Period],
    customers: Customers,
    *,
    start: Mapping[State, float] | None = None,
    agents_after_closing: int | None = None,
) -> DayAnswer:
    """Return what is expected of a day that starts in `start` (busy, waiting), empty if None.

    With `agents_after_closing`, arrivals end after the last period and those agents serve who is
    left. Queues are cut where the chain spends less than 1e-12 minutes; raises ChainError when
    that is nowhere.
    """
    begin: dict[State, float] = dict(start) if start is not None else {(0, 0): 1.0}
    waiting_max = max(_WAITING_FIRST, 2 * max(state[1] for state in begin))
    while waiting_max <= _WAITING_MAX:
        answer = _follow(periods, customers, begin, agents_after_closing, waiting_max)
        if answer is not None:
            return answer
        waiting_max *= 2
    raise ChainError(f"more than {_WAITING_MAX} wait: give more agents or a shorter day")


def _follow(
    periods: Sequence[Period],
    customers: Customers,
    begin: dict[State, float],
    agents_after_closing: int | None,
    waiting_max: int,
) -> DayAnswer | None:
    """Return the answer with queues cut at `waiting_max`, None if that cuts too much."""
    now = begin
    answers: list[PeriodAnswer] = []
    for period in periods:
        chain, first = _enter(now, period, customers, waiting_max)
        end, spent = chain.after(first, period.length_min)
        if spent[chain.column(1) >= waiting_max].sum() > _EDGE_MINUTES_MAX:
            return None
        answers.append(PeriodAnswer(period, customers, chain, spent))
        now = _keep(chain, end)
    if agents_after_closing is None:
        return DayAnswer(tuple(answers), None, now)
    last = Period(math.inf, 0.0, agents_after_closing)
    chain, first = _enter(now, last, customers, waiting_max)
    closing = PeriodAnswer(last, customers, chain, chain.until_absorbed(first))
    return DayAnswer(tuple(answers), closing, {(0, 0): 1.0})


def _keep(chain: Chain, end: Array) -> dict[State, float]:
    pairs = zip(chain.index, end, strict=True)
    return {state: float(chance) for state, chance in pairs if chance > _NEGLIGIBLE}


def _enter(
    now: dict[State, float], period: Period, customers: Customers, waiting_max: int
) -> tuple[Chain, Array]:
    """Return the period's chain and the distribution once new agents took whom they could."""
    agents, service = period.agents, customers.service_rate_per_min
    joining = period.arrival_rate_per_min * (1 - customers.balk_probability)
    entered: dict[State, float] = {}
    for (busy, queue), chance in now.items():
        taken = min(queue, max(agents - busy, 0))
        state: State = (busy + taken, queue - taken)
        entered[state] = entered.get(state, 0.0) + chance

    def moves(state: State) -> Iterator[tuple[float, State]]:
        busy, queue = state
        if busy < agents:
            yield period.arrival_rate_per_min, (busy + 1, queue)
        elif queue < waiting_max:
            yield joining, (busy, queue + 1)
        if busy:
            takes_next = queue > 0 and busy <= agents
            yield busy * service, (busy, queue - 1) if takes_next else (busy - 1, queue)
        if queue:
            yield queue * customers.patience_rate_per_min, (busy, queue - 1)

    chain = explore(entered, moves)
    first = np.zeros(len(chain.index))
    for state, chance in entered.items():
        first[chain.index[state]] = chance
    return chain, first


def mix_over_busyness(
    gamma_shape: float, nodes: int, answer_for: Callable[[float], Array]
) -> Array:
    """Return E[answer(Z)], Z the day's busyness: gamma with this shape and mean 1.

    Gauss-Laguerre by Golub & Welsch (1969), which stays finite for any shape; nodes that weigh
    nothing are left out.
    """
    places = np.arange(nodes)
    diagonal = 2 * places + gamma_shape
    beside = np.sqrt(places[1:] * (places[1:] + gamma_shape - 1))
    factors, vectors = linalg.eigh_tridiagonal(diagonal, beside)
    weights = vectors[0] ** 2
    kept = np.flatnonzero(weights > _WEIGHT_MIN)
    answers = np.array([answer_for(float(factors[node] / gamma_shape)) for node in kept])
    total: Array = weights[kept] @ answers
    return total
