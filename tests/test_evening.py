"""A large plan is evened out and trimmed in blocks, and never worse than it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from configs.planning import Group
from simulation.plan.prepared import Prepared
from simulation.plan.reading import load_scenario
from simulation.plan.requirement import lines_of
from simulation.staffing.evening import _whole, even_out
from simulation.staffing.master import Master
from simulation.staffing.needs import needs_of
from simulation.staffing.spaces import Plan, Space, intervals_space, shifts_space
from simulation.staffing.trials import Margin, Verdict


def a_space() -> Space:
    scenario = load_scenario(Path("tiny"))
    large = {name: replace(part, factor=8) for name, part in scenario.demand.items()}
    return intervals_space(replace(scenario, demand=large))


def served(space: Space, plan: Plan) -> float:
    """Return the share of the work of a day done where agents run out as 1 - e^(-agents/load)."""
    load = np.asarray(sum(line.load for line in lines_of(Prepared(space.scenario))))
    there = np.array(plan, dtype=float).reshape(len(space.groups), -1).sum(axis=0)
    return float(((1 - np.exp(-there / load)) * load).sum() / load.sum())


def test_an_uneven_plan_becomes_even_and_cheaper() -> None:
    space = a_space()
    assert space.by_interval
    assert not shifts_space(space.scenario).by_interval
    master = Master(space, needs_of(Prepared(space.scenario)))
    load = np.asarray(sum(line.load for line in master.lines))
    even = np.maximum(np.round(1.6 * load), 1)
    uneven = even.copy()
    uneven[1::2] += 6
    uneven[::2] = np.maximum(uneven[::2] - 3, 1)
    start = tuple(uneven.astype(int).tolist())
    enough = served(space, tuple(even.astype(int).tolist()))
    assert served(space, start) > enough
    tried: list[Plan] = []

    def judge(plan: Plan) -> Verdict:
        tried.append(plan)
        spare = served(space, plan) - enough
        return Verdict(plan, (Margin(spare, 1e-9, 10),), meets=spare >= 0, days=20)

    found = even_out(master, judge(start), judge)
    assert found.meets
    assert space.cost_of(found.plan) < space.cost_of(start)
    assert space.cost_of(found.plan) <= 1.06 * even.sum() * space.cost[0]
    ratio = np.array(found.plan) / load
    assert ratio.std() < (uneven / load).std() / 3
    assert len(tried) < 80


def test_no_more_agents_than_a_group_has_and_idle_groups_stay_as_they_are() -> None:
    scenario = a_space().scenario
    idle = Group(team="shop", skills={"sleeping": 5}, count=3)
    scenario = replace(scenario, workforce={**scenario.workforce, "idle": idle})
    space = intervals_space(scenario, within_heads=True)
    assert space.serves[1] == (False, False)
    master = Master(space, needs_of(Prepared(scenario)))
    tried: list[Plan] = []

    def judge(plan: Plan) -> Verdict:
        tried.append(plan)
        return Verdict(plan, (Margin(-1.0, 1e-9, 10),), meets=False, days=20)

    # Evened by the load, the busy intervals would get more than the five there are.
    start = (5, 5, 5, 5, 5, 5, 5, 5, 1, 2, 1, 2, 1, 2, 1, 2)
    assert even_out(master, judge(start), judge).plan == start
    assert tried
    assert all((np.array(plan) <= space.most).all() for plan in tried)


def test_floors_stay_and_whole_agents_keep_their_sum() -> None:
    space = a_space()
    master = Master(space, needs_of(Prepared(space.scenario)))

    def judge(plan: Plan) -> Verdict:
        return Verdict(plan, (Margin(1.0, 1e-9, 10),), meets=True, days=20)

    start = tuple([3] * len(space.group))
    found = even_out(master, judge(start), judge)
    assert set(found.plan) == {1}
    rows = np.array([[0.4, 0.3, 0.3, 0.2, 2.8], [1.5, 1.5, 0.0, 0.0, 0.0]])
    whole = np.array(_whole(rows)).reshape(rows.shape)
    assert whole.sum(axis=1).tolist() == [4, 3]
    assert (np.abs(whole - rows) < 1).all()
