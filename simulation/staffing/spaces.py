"""Say what may be chosen: agents per group and interval, or per group and kind of shift.

A plan is a whole number for each choice. Costs are those of a day, in the scenario's currency;
without prices an agent's hour costs 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final, TypeAlias

import numpy as np

from configs.durations import parse_clock
from configs.planning import Group, Scenario, Shift
from router.center import Agent
from simulation.plan.costs import hourly, rate_of
from simulation.plan.estimates import Floats
from simulation.plan.people import groups_of, members_of, size_of
from simulation.plan.prepared import Prepared
from simulation.plan.requirement import Line, lines_of

Plan: TypeAlias = tuple[int, ...]

_HOUR_MS: Final = 3_600_000
_BUSY: Final = 0.8  # of his time, an agent who is paid by the contact is thought to serve
_EXTRA: Final = "one-more-"


@dataclass(frozen=True)
class Space:
    """All plans that may be chosen.

    `group[choice]`; `cover[choice, interval]`: the share of the interval at work, breaks out;
    `cost[choice]` of an agent; `most[choice]`; `heads[group]`: the most in all its choices, of
    shifts; `present[group]`: the share left by absence and adherence; `serves[group][line]`.
    """

    scenario: Scenario
    groups: tuple[str, ...]
    labels: tuple[str, ...]
    group: tuple[int, ...]
    cover: Floats
    cost: Floats
    most: Floats
    heads: Floats
    present: Floats
    serves: tuple[tuple[bool, ...], ...]
    made: Callable[[Plan], Scenario]

    @property
    def by_interval(self) -> bool:
        """Say whether choices are agents per interval, group after group."""
        each = np.eye(self.cover.shape[1])
        return np.array_equal(self.cover, np.tile(each, (len(self.groups), 1)))

    def cost_of(self, plan: Plan) -> float:
        """Return what a plan costs a day."""
        return float(self.cost @ np.asarray(plan, dtype=float))

    def cost_by_group(self, plan: Plan) -> Floats:
        """Return what the agents of each group cost a day."""
        costs = self.cost * np.asarray(plan, dtype=float)
        return np.bincount(self.group, costs, len(self.groups)).astype(float)

    def at_work(self, plan: Plan) -> Floats:
        """Return the agents of each group at work in each interval, before absence."""
        answer = np.zeros((len(self.groups), self.cover.shape[1]))
        for choice, count in enumerate(plan):
            answer[self.group[choice]] += count * self.cover[choice]
        return answer

    def cheaper_near(
        self, plan: Plan, reach: int, least: float, floors: Sequence[tuple[int, ...]]
    ) -> list[Plan]:
        """Return the plans that cost less than one, the cheapest first.

        They differ by at most `reach` agents a choice, cost at least `least`, and leave an agent in
        each set of choices of `floors`. For few choices: all combinations are looked at.
        """
        around = product(*(range(max(0, count - reach), count + reach + 1) for count in plan))
        near = [
            other
            for other in around
            if least - 1e-9 <= self.cost_of(other) < self.cost_of(plan) - 1e-9
            and all(sum(other[choice] for choice in floor) >= 1 for floor in floors)
            and (np.asarray(other) <= self.most).all()
            and (self.at_work(other).max(axis=1) <= self.heads).all()
        ]
        return sorted(near, key=self.cost_of)


def intervals_space(scenario: Scenario, *, within_heads: bool = False) -> Space:
    """Return the space of agents per group and interval; breaks belong to shifts."""
    scenario = _whole(scenario)
    prepared = Prepared(scenario)
    groups = tuple(groups_of(scenario))
    edges = prepared.interval_edges
    count = prepared.intervals
    hours = np.diff(edges) / _HOUR_MS
    prices = _prices(prepared, groups)

    def made(plan: Plan) -> Scenario:
        workforce = {}
        for index, name in enumerate(groups):
            staffed = plan[index * count : (index + 1) * count]
            workforce[name] = replace(scenario.workforce[name], staffed=staffed, shifts=(), count=0)
        return replace(scenario, workforce=workforce)

    size = len(groups) * count
    heads = _heads(scenario, groups, within=within_heads)
    return Space(
        scenario=scenario,
        groups=groups,
        labels=tuple(f"{name} {index}" for name in groups for index in range(count)),
        group=tuple(index // count for index in range(size)),
        cover=np.tile(np.eye(count), (len(groups), 1)),
        cost=np.concatenate([price * hours for price in prices]),
        most=np.repeat(heads, count),
        heads=np.full(len(groups), np.inf),
        present=_present(scenario, groups),
        serves=_serves(prepared, groups),
        made=made,
    )


def shifts_space(scenario: Scenario, *, within_heads: bool = False) -> Space:
    """Return the space of agents per group and kind of shift: those that the group's shifts name.

    Raises ValueError for a group without shifts.
    """
    scenario = _whole(scenario)
    prepared = Prepared(scenario)
    groups = tuple(groups_of(scenario))
    prices = _prices(prepared, groups)
    choices = [
        (number, shift)
        for number, name in enumerate(groups)
        for shift in scenario.workforce[name].shifts
    ]
    missing = [name for name in groups if not scenario.workforce[name].shifts]
    if missing:
        raise ValueError(
            f"no kinds of shift for {', '.join(missing)}; name them in the group's `shifts` "
            "(their counts are what is sought)"
        )

    def made(plan: Plan) -> Scenario:
        workforce = {}
        for number, name in enumerate(groups):
            chosen = tuple(
                replace(shift, count=count)
                for (owner, shift), count in zip(choices, plan, strict=True)
                if owner == number and count
            )
            total = sum(shift.count for shift in chosen)
            nobody = () if total else (0,) * prepared.intervals
            workforce[name] = replace(
                scenario.workforce[name], shifts=chosen, staffed=nobody, count=total
            )
        return replace(scenario, workforce=workforce)

    heads = _heads(scenario, groups, within=within_heads)
    return Space(
        scenario=scenario,
        groups=groups,
        labels=tuple(f"{groups[g]} {shift.start}-{shift.end}" for g, shift in choices),
        group=tuple(g for g, _ in choices),
        cover=np.array([_cover(prepared, shift) for _, shift in choices]),
        cost=np.array([prices[g] * _hours(shift) for g, shift in choices]),
        most=np.array([heads[g] for g, _ in choices]),
        heads=heads,
        present=_present(scenario, groups),
        serves=_serves(prepared, groups),
        made=made,
    )


def with_one_more(scenario: Scenario, name: str) -> Scenario:
    """Return the scenario with one agent more in a group, there all day and never absent."""
    model = model_of(scenario, name)
    extra = Group(
        team=model.team,
        skills=model.skills,
        capacity=model.capacity,
        channel_max=model.channel_max,
        count=1,
        reaction=scenario.workforce[name].reaction,
        pace=scenario.workforce[name].pace,
        weeks=scenario.workforce[name].weeks,
        ramp_up=scenario.workforce[name].ramp_up,
    )
    return replace(scenario, workforce={**scenario.workforce, _EXTRA + name: extra})


def _whole(scenario: Scenario) -> Scenario:
    """Return the scenario with its groups written out."""
    return replace(scenario, workforce=groups_of(scenario))


def model_of(scenario: Scenario, name: str) -> Agent:
    """Return the agent like whom more of a group would be made: the last one."""
    group = scenario.workforce[name]
    if group.skills or (group.team and not group.members):
        return Agent(
            team=group.team or name,
            skills=group.skills,
            capacity=group.capacity,
            channel_max=group.channel_max,
        )
    return scenario.center.agents[members_of(scenario.center, name, group)[-1]]


def agents_like(scenario: Scenario, name: str) -> list[Agent]:
    """Return the agents of a group, or the one like whom it is made."""
    members = members_of(scenario.center, name, scenario.workforce[name])
    return [scenario.center.agents[agent_id] for agent_id in members] or [model_of(scenario, name)]


def _heads(scenario: Scenario, groups: tuple[str, ...], *, within: bool) -> Floats:
    if not within:
        return np.full(len(groups), np.inf)
    return np.array([float(size_of(scenario, name, scenario.workforce[name])) for name in groups])


def _present(scenario: Scenario, groups: tuple[str, ...]) -> Floats:
    """Return the share of planned time that is left by absence and adherence (shrinkage)."""
    left = []
    for name in groups:
        group = scenario.workforce[name]
        there = (1 - group.planned_absence) * (1 - group.unplanned_absence)
        left.append(there * group.adherence)
    return np.array(left)


def _prices(prepared: Prepared, groups: tuple[str, ...]) -> Floats:
    """Return what an agent's hour costs; who is paid by the contact, at a usual occupancy."""
    lines = lines_of(prepared)
    volume = sum(float(line.arrivals_per_min.sum()) for line in lines)
    load = sum(float(line.load.sum()) for line in lines)
    per_hour = 60 * volume / load if load else 0.0
    prices = []
    for name in groups:
        rate = rate_of(prepared.scenario, name)
        prices.append(hourly(rate) + rate.per_contact * per_hour * _BUSY)
    if not any(prices):
        return np.ones(len(groups))
    unpriced = [name for name, price in zip(groups, prices, strict=True) if price <= 0]
    if unpriced:
        raise ValueError(
            f"no price for {', '.join(unpriced)}: nothing would be too many; give costs.rates"
        )
    return np.array(prices)


def _serves(prepared: Prepared, groups: tuple[str, ...]) -> tuple[tuple[bool, ...], ...]:
    """Say which lines a group serves: those of whose demands some member may take most."""
    center = prepared.center
    answer = []
    for name in groups:
        agents = agents_like(prepared.scenario, name)
        row = []
        for line in lines_of(prepared):
            volumes = [0.0, 0.0]
            for demand_name in line.demands:
                demand = prepared.scenario.demand[demand_name]
                category = center.categories[demand.category]
                teams = center.queues[category.queue].teams
                may = any(
                    (not teams or agent.team in teams)
                    and all(
                        agent.skills.get(skill, 0) >= low for skill, low in category.needs.items()
                    )
                    for agent in agents
                )
                index = tuple(prepared.scenario.demand).index(demand_name)
                volumes[may] += float(prepared.expected[index].sum())
            row.append(volumes[1] > volumes[0])
        answer.append(tuple(row))
    return tuple(answer)


def unserved(space: Space) -> tuple[Line, ...]:
    """Return the lines that no group serves."""
    lines = lines_of(Prepared(space.scenario))
    return tuple(
        line
        for index, line in enumerate(lines)
        if line.load.sum() > 0 and not any(row[index] for row in space.serves)
    )


def _hours(shift: Shift) -> float:
    """Return the paid hours of a shift; breaks are paid."""
    return (parse_clock(shift.end) - parse_clock(shift.start)) / _HOUR_MS


def _cover(prepared: Prepared, shift: Shift) -> Floats:
    """Return the share of each interval that an agent of a shift is at work, breaks out."""
    edges = prepared.interval_edges + prepared.opens_ms
    start, end = parse_clock(shift.start), parse_clock(shift.end)
    cover = np.clip(np.minimum(edges[1:], end) - np.maximum(edges[:-1], start), 0, None)
    for rest in shift.breaks:
        earliest = parse_clock(rest.earliest)
        latest = parse_clock(rest.latest) if rest.latest else earliest
        starts = np.linspace(earliest, latest, 61) if latest > earliest else np.array([earliest])
        for begin in starts:
            over = np.minimum(edges[1:], begin + rest.length_ms) - np.maximum(edges[:-1], begin)
            cover = cover - np.clip(over, 0, None) / len(starts)
    return np.asarray(np.clip(cover, 0, None) / np.diff(edges))


def rounded(values: Floats) -> Plan:
    """Return a solver's numbers as a plan."""
    return tuple(math.floor(float(value) + 0.5) for value in values)
