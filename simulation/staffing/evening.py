"""Even a plan out over the day, and take agents out of it in blocks.

What cuts make of a day of intervals is jagged: they credit an agent to intervals by noisy shares.
Levels are concave in the agents, so that the same agents spread as the load is spread do better;
what that gains is taken out again. A block is a group in a stretch of the day: all of it first,
then halves. Single steps find no way from a jagged plan to an even one, and are too many where
there are many groups.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np

from simulation.plan.estimates import Floats
from simulation.staffing.master import Master
from simulation.staffing.spaces import Plan, Space
from simulation.staffing.trials import Verdict

_KERNEL: Final = np.array([1.0, 2.0, 3.0, 2.0, 1.0])
_HALVINGS: Final = 1
_INTERVALS_LEAST: Final = 4
_STEP: Final = 2  # agents at a time, first

Judge: TypeAlias = Callable[[Plan], Verdict]


def even_out(master: Master, verdict: Verdict, judge: Judge) -> Verdict:
    """Return the cheapest verdict that holds on the way, at worst the one given.

    Shifts, and days of few intervals, stay as they are.
    """
    space, lines, floors = master.space, master.lines, master.floors
    if not space.by_interval or space.cover.shape[1] < _INTERVALS_LEAST:
        return verdict
    table = np.array(verdict.plan, dtype=float).reshape(len(space.groups), -1)
    loads = np.array(space.serves, dtype=float) @ np.array([line.load for line in lines])
    even = np.array([_evened(row, load) for row, load in zip(table, loads, strict=True)])
    within = np.minimum(_whole(even), space.most).astype(int).tolist()
    plan = _floored(tuple(within), floors, space)
    best = verdict
    if space.cost_of(plan) <= space.cost_of(verdict.plan) + 1e-9:
        found = judge(plan)
        best = found if found.meets else verdict
    return _trimmed(space, floors, best, judge)


def _trimmed(
    space: Space,
    floors: Sequence[tuple[int, ...]],
    best: Verdict,
    judge: Judge,
) -> Verdict:
    groups, intervals = len(space.groups), space.cover.shape[1]
    dear = sorted(range(groups), key=lambda g: -space.cost[g * intervals])
    for halving in range(_HALVINGS + 1):
        edges = np.linspace(0, intervals, 2**halving + 1).round().astype(int)
        for group in dear:
            for start, end in pairwise(edges.tolist()):
                block = range(group * intervals + start, group * intervals + end)
                step = _STEP
                while step:
                    plan = _floored(_fewer(best.plan, block, step), floors, space)
                    cheaper = space.cost_of(plan) < space.cost_of(best.plan) - 1e-9
                    found = judge(plan) if cheaper else best
                    if cheaper and found.meets:
                        best = found
                    else:
                        step //= 2
    return best


def _fewer(plan: Plan, block: range, step: int) -> Plan:
    return tuple(
        max(count - step, 0) if choice in block else count for choice, count in enumerate(plan)
    )


def _evened(row: Floats, load: Floats) -> Floats:
    """Return agents whose ratio to the load runs smoothly; as many as before."""
    if not row.any():
        return row
    there = np.maximum(load, 0.05 * load.max() if load.any() else 1.0)
    ratio = row / there
    weights = np.convolve(there, _KERNEL, "same")
    smooth = np.convolve(ratio * there, _KERNEL, "same") / weights
    evened = smooth * there
    return np.asarray(evened * row.sum() / evened.sum())


def _whole(even: Floats) -> Plan:
    """Return whole agents: in each row as many as its sum, the largest fractions rounded up."""
    answer = np.floor(even)
    for row, exact in zip(answer, even, strict=True):
        missing = round(float(exact.sum() - row.sum()))
        row[np.argsort(row - exact, kind="stable")[:missing]] += 1
    return tuple(answer.astype(int).ravel().tolist())


def _floored(plan: Plan, floors: Sequence[tuple[int, ...]], space: Space) -> Plan:
    """Return the plan with somebody there for every line that opens."""
    counts = list(plan)
    for choices in floors:
        if not any(counts[choice] for choice in choices):
            counts[min(choices, key=lambda choice: float(space.cost[choice]))] = 1
    return tuple(counts)
