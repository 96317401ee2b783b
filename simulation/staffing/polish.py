"""Go on from a plan by single steps that were played: one agent more or less, choice by choice.

Cuts see a group and a day; here every choice is tried by itself on paired days, up and down. What
the steps bring and take, added up, gives the cheapest set of steps that should still hold (an
integer program over few steps: far from the plan sums mean nothing); it is played, and what it
lacked is asked on top until a set holds or nothing cheaper is left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import optimize, sparse

from simulation.plan.estimates import Floats
from simulation.staffing.spaces import Plan, Space, rounded
from simulation.staffing.trials import Trials, Verdict

_STEPS: Final = (8, 4, 2, 1)  # at a time: what steps bring adds up only near the plan
_NODES: Final = 200
_TRIES: Final = 3  # with as many steps, each asked on top what the one before lacked
_ROUNDS: Final = 8
_AT_ONCE: Final = 3  # agents of a choice
_WORTH: Final = 0.005  # of the cost: what a round must save for another one
_SAVED: Final = 1e-3  # of the cost, at least
_MENDS: Final = 4  # rounds of steps; each begins at the plan that the one before tried last
_TIMID: Final = 0.5  # standard errors by which a step is thought worse than it was seen


@dataclass(frozen=True)
class Effects:
    """What one agent more and one less of each choice change, `[need, choice]`; less: maybe nan.

    One more never brings more than one less takes: a step and its way back would be a gain.
    """

    up: Floats
    down: Floats


def effects_of(trials: Trials, plan: Plan, days: int) -> Effects:
    """Play every single step from a plan."""
    base = [need.surplus(trials.plays.study(plan, days)) for need in trials.needs]
    changes = np.full((2, len(trials.needs), len(plan)), np.nan)
    for row, step in enumerate((1, -1)):
        for choice, count in enumerate(plan):
            if count + step < 0 or count + step > trials.space.most[choice]:
                continue
            other = (*plan[:choice], count + step, *plan[choice + 1 :])
            study = trials.plays.study(other, days)
            for index, need in enumerate(trials.needs):
                pairs = need.surplus(study) - base[index]
                error = float(pairs.std(ddof=1)) / len(pairs) ** 0.5
                changes[row, index, choice] = float(pairs.mean()) - _TIMID * error
    up, down = changes
    with np.errstate(invalid="ignore"):
        noisy = up + down > 0
    middle = (up - down) / 2
    return Effects(np.where(noisy, middle, up), np.where(noisy, -middle, down))


def polish(
    trials: Trials,
    floors: Sequence[tuple[int, ...]],
    verdict: Verdict,
    days: int,
    judge: Callable[[Plan], Verdict],
    rounds: int = _ROUNDS,
) -> Verdict:
    """Return the cheapest verdict that holds and that steps lead to, at worst the one given.

    `days` are played of each step; `floors`: sets of choices of which one agent must stay.
    """
    best = verdict
    for _ in range(rounds):
        effects = effects_of(trials, best.plan, days)
        before = cost = trials.space.cost_of(best.plan)
        for steps in _STEPS:
            found = _near(trials.space, floors, best, effects, steps, judge)
            if found is not None and found.meets:
                best, cost = found, trials.space.cost_of(found.plan)
                break
        if cost > before * (1 - _WORTH):
            break
    return best


def mend(
    trials: Trials,
    floors: Sequence[tuple[int, ...]],
    verdict: Verdict,
    days: int,
    judge: Callable[[Plan], Verdict],
) -> Verdict:
    """Return a verdict that holds, by the cheapest steps there are from one that falls short.

    The last one tried where none does. `days` are played of each step, `floors` as in `polish`.
    """
    best = verdict
    for _ in range(_MENDS):
        if best.meets:
            break
        effects = effects_of(trials, best.plan, days)
        found = _near(trials.space, floors, best, effects, 2 * _STEPS[0], judge, saving=-np.inf)
        if found is None:
            break
        best = found
    return best


def _near(
    space: Space,
    floors: Sequence[tuple[int, ...]],
    best: Verdict,
    effects: Effects,
    steps: int,
    judge: Callable[[Plan], Verdict],
    saving: float = _SAVED,
) -> Verdict | None:
    """Return the cheapest verdict that holds a few steps away, or the last that falls short.

    It saves at least a share of the cost; None where sums of steps know of none.
    """
    found = None
    spare = np.array([one.mean for one in best.margins])
    for _ in range(_TRIES):
        plan = _stepped(space, floors, best.plan, effects, spare, steps, saving)
        if plan is None:
            break
        found = judge(plan)
        if found.meets:
            return found
        there = np.array([one.mean for one in found.margins])
        flattered = spare + _sum_of(effects, best.plan, plan) - there
        spare = np.where(there < 0, spare - np.maximum(flattered, 0.0), spare)
    return found


def _sum_of(effects: Effects, plan: Plan, other: Plan) -> Floats:
    """Return what the steps from a plan to another change, added up, by need."""
    change = np.array(other) - np.array(plan)
    up, down = np.nan_to_num(effects.up), np.nan_to_num(effects.down)
    return np.asarray(up @ np.maximum(change, 0) + down @ np.maximum(-change, 0))


def _stepped(
    space: Space,
    floors: Sequence[tuple[int, ...]],
    plan: Plan,
    effects: Effects,
    spare: Floats,
    steps: int,
    saving: float,
) -> Plan | None:
    """Return the cheapest plan a few steps away whose steps leave enough, None if none is left."""
    size = len(plan)
    up, down = np.nan_to_num(effects.up), np.nan_to_num(effects.down)
    highest = np.where(np.isnan(effects.up).any(axis=0), 0, _AT_ONCE)
    lowest = np.where(np.isnan(effects.down).any(axis=0), 0, np.minimum(plan, _AT_ONCE))
    owners = np.array(space.group)
    rows = [np.concatenate((row, other)) for row, other in zip(up, down, strict=True)]
    low = [-float(left) for left in spare]
    rows.append(-np.ones(2 * size))
    low.append(-float(steps))
    if np.isfinite(saving):
        rows.append(np.concatenate((-space.cost, space.cost)))
        low.append(saving * space.cost_of(plan))
    for group, heads in enumerate(space.heads):
        if np.isfinite(heads):
            mine = (owners == group).astype(float)
            rows.append(np.concatenate((-mine, mine)))
            low.append(float(mine @ np.array(plan)) - float(heads))
    for choices in floors:
        mine = np.isin(np.arange(size), choices).astype(float)
        rows.append(np.concatenate((mine, -mine)))
        low.append(1.0 - float(mine @ np.array(plan)))
    found = optimize.milp(
        np.concatenate((space.cost, -space.cost)),
        constraints=optimize.LinearConstraint(sparse.csr_array(np.array(rows)), lb=np.array(low)),
        integrality=np.ones(2 * size),
        bounds=optimize.Bounds(lb=0, ub=np.concatenate((highest, lowest))),
        options={"node_limit": _NODES, "mip_rel_gap": 1e-3},
    )
    if found.x is None:
        return None
    return rounded(np.array(plan, dtype=float) + found.x[:size] - found.x[size:])
