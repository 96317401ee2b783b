"""Find staff by formula: fewest agents, shifts that cover a need, the cheapest N-design.

Rates per minute, times in minutes. Round once: `agents_real` answers in real numbers, so that loads
and shrinkage are added before `fewest_agents` rounds. Sources: Dantzig, Operations Research 2
(1954), for the cover.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import optimize, sparse

from simulation.chain_designs import Design, DesignAnswer
from simulation.erlang import ErlangA, ErlangC, QueueModel

AGENTS_MAX: Final = 100_000
_REAL_AGENTS_MIN: Final = 1e-6

Goal = Callable[[QueueModel], bool]


def queue_of(
    arrival_rate_per_min: float,
    service_rate_per_min: float,
    patience_rate_per_min: float,
    agents: float,
) -> QueueModel | None:
    """Return Erlang A, or Erlang C where the patience rate is 0; None if it never settles."""
    if patience_rate_per_min > 0:
        return ErlangA(arrival_rate_per_min, service_rate_per_min, patience_rate_per_min, agents)
    if arrival_rate_per_min >= agents * service_rate_per_min:
        return None
    return ErlangC(arrival_rate_per_min, service_rate_per_min, agents)


def fewest_agents(
    arrival_rate_per_min: float,
    service_rate_per_min: float,
    patience_rate_per_min: float,
    goal: Goal,
) -> int:
    """Return the fewest whole agents whose queue meets the goal, which more agents must not break.

    Patience rate 0 is Erlang C. Raises ValueError when not even `AGENTS_MAX` are enough.
    """

    def meets(agents: int) -> bool:
        model = queue_of(arrival_rate_per_min, service_rate_per_min, patience_rate_per_min, agents)
        return model is not None and goal(model)

    high = max(1, math.ceil(arrival_rate_per_min / service_rate_per_min))
    while not meets(high):
        high *= 2
        if high > AGENTS_MAX:
            raise ValueError(
                f"not even {AGENTS_MAX:,} agents meet the target; "
                "ask for less, or give a longer threshold"
            )
    low = 0  # never enough
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if meets(middle) else (middle, high)
    return high


def agents_real(
    arrival_rate_per_min: float,
    service_rate_per_min: float,
    patience_rate_per_min: float,
    threshold_min: float,
    target: float,
) -> float:
    """Return the real number of agents at which just `target` of arrivals are served in time.

    Divide by (1 - shrinkage) and add over queues first; round last.
    """
    least = arrival_rate_per_min / service_rate_per_min if not patience_rate_per_min else 0.0

    def missing(agents: float) -> float:
        model = queue_of(arrival_rate_per_min, service_rate_per_min, patience_rate_per_min, agents)
        return (model.served_within(threshold_min) if model else 0.0) - target

    whole = fewest_agents(
        arrival_rate_per_min,
        service_rate_per_min,
        patience_rate_per_min,
        lambda model: model.served_within(threshold_min) >= target,
    )
    low = max(whole - 1.0, least * (1 + 1e-9), _REAL_AGENTS_MIN)
    if missing(low) >= 0:
        return low
    return float(optimize.brentq(missing, low, whole, xtol=1e-12))


@dataclass(frozen=True)
class Cover:
    """Agents on each shift, and what they cost."""

    agents: tuple[int, ...]
    cost: float


def cover_shifts(
    need_by_interval: Sequence[float],
    shifts: Sequence[Sequence[int]],
    costs: Sequence[float],
) -> Cover:
    """Return whole agents on each shift, at the least cost, that meet the need in each interval.

    `shifts[s]` lists the intervals that shift s works. Exact integer program (HiGHS); the cost is
    unique, the plan need not be. Raises ValueError for a need that no shift can meet.
    """
    if len(shifts) != len(costs):
        raise ValueError(f"{len(shifts)} shifts, {len(costs)} costs: give one cost a shift")
    covered = {interval for shift in shifts for interval in shift}
    for interval, need in enumerate(need_by_interval):
        if need > 0 and interval not in covered:
            raise ValueError(f"interval {interval} needs {need:g} and no shift works then; add one")
    works = sparse.lil_matrix((len(need_by_interval), len(shifts)))
    for number, shift in enumerate(shifts):
        for interval in shift:
            works[interval, number] = 1.0
    found = optimize.milp(
        np.array(costs, dtype=np.float64),
        constraints=optimize.LinearConstraint(works.tocsr(), lb=np.array(need_by_interval)),
        integrality=np.ones(len(shifts)),
        bounds=optimize.Bounds(lb=0),
        options={"mip_rel_gap": 0.0},
    )
    if not found.success:
        raise ValueError(f"no cover found: {found.message}; check needs and costs")
    agents = tuple(round(float(number)) for number in found.x)
    return Cover(agents, sum(count * cost for count, cost in zip(agents, costs, strict=True)))


@dataclass(frozen=True)
class CheapestDesign:
    """The cheapest numbers of agents by pool that keep the promise, and how many were tried."""

    agents: tuple[int, int]
    cost: float
    abandon_fraction: tuple[float, ...]
    solved: int


def cheapest_two_pools(
    design_of: Callable[[tuple[int, int]], Design],
    cost_per_agent: tuple[float, float],
    abandon_fraction_max: Sequence[float],
    *,
    agents_max: int = 60,
    served_per_min_least: float = 0.0,
) -> CheapestDesign:
    """Return the cheapest agents of two pools that keep abandonment of each type at or below.

    Complete enumeration in order of cost, each design solved exactly; ties by fewer agents, then
    by the first pool. `served_per_min_least` skips designs that cannot serve as many as the goal
    asks (all rates at their best), which is a bound and loses none.
    """
    both = [(one, two) for one in range(1, agents_max + 1) for two in range(1, agents_max + 1)]

    def cost(agents: tuple[int, int]) -> float:
        return sum(count * price for count, price in zip(agents, cost_per_agent, strict=True))

    solved = 0
    for agents in sorted(both, key=lambda pair: (round(cost(pair), 9), sum(pair), pair)):
        design = design_of(agents)
        best = sum(
            count * max(rates)
            for count, rates in zip(agents, design.service_rates_per_min, strict=True)
        )
        if best < served_per_min_least:
            continue
        answer = DesignAnswer(design)
        solved += 1
        lost = answer.abandon_fraction
        if all(share <= most for share, most in zip(lost, abandon_fraction_max, strict=True)):
            return CheapestDesign(agents, cost(agents), tuple(lost), solved)
    raise ValueError(
        f"no design of up to {agents_max} agents a pool keeps the promise; allow more agents"
    )
