"""Say by formula what agents bring: levels of lines, alone and pooled, by interval.

Erlang A with real numbers of agents on the modified offered load (`simulation.plan.requirement`).
A line of its own agents does worse than the same agents could do (`dedicated`: an upper bound on
staff); lines whose agents could all do everything do better than any routing (`pooled`: a lower
bound). Both are those of a day without busyness, redials or offers: a formula's, not the truth's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from simulation.erlang import service_levels
from simulation.plan.estimates import Floats
from simulation.plan.prepared import Prepared
from simulation.plan.requirement import Line, lines_of, pool
from simulation.staffing.needs import Need
from simulation.staffing.spaces import Space
from simulation.staffing_formulas import queue_of

_POINTS: Final = 22
_EXACT: Final = 2  # digits of an agent to which a load is known for a curve


@dataclass(frozen=True)
class Curve:
    """What real numbers of agents bring to some lines as one, by interval.

    `agents[interval, point]`, `levels[interval, point]`; `weights[interval]`: the share of the
    arrivals; the weighted level must reach `share`. Lost shares are turned into kept ones.
    """

    name: str
    lines: tuple[int, ...]
    intervals: tuple[int, ...]
    agents: Floats
    levels: Floats
    weights: Floats
    share: float


def dedicated(prepared: Prepared, needs: Sequence[Need]) -> tuple[Curve, ...]:
    """Return the curve of every need, its line on its own."""
    lines = lines_of(prepared)
    return tuple(_curve([lines[need.line]], [need], (need.line,)) for need in needs)


def pooled(prepared: Prepared, needs: Sequence[Need], space: Space) -> tuple[Curve, ...]:
    """Return curves that no plan can beat: single lines, what a group (does not) serve, all."""
    lines = lines_of(prepared)
    judged = sorted({need.line for need in needs})
    sets = {(line,) for line in judged} | {tuple(judged)}
    for row in space.serves:
        sets.add(tuple(line for line in judged if row[line]))
        sets.add(tuple(line for line in judged if not row[line]))
    curves = []
    for members in sorted(sets - {()}):
        grouped: dict[tuple[str, tuple[int, ...]], list[Need]] = {}
        for need in needs:
            if need.line in members:
                grouped.setdefault((need.measure, need.intervals), []).append(need)
        curves += [
            _curve([lines[line] for line in members], asked, members)
            for asked in grouped.values()
            if len(asked) == len(members)
        ]
    return tuple(curves)


def _curve(lines: list[Line], asked: Sequence[Need], members: tuple[int, ...]) -> Curve:
    line = pool(lines) if len(lines) > 1 else lines[0]
    first = asked[0]
    intervals = list(first.intervals)
    volumes = np.array([float(one.arrivals_per_min[intervals].sum()) for one in lines])
    shares = np.array([1 - need.share if need.lost else need.share for need in asked])
    tables = [
        _table(
            round(float(line.load[index]), _EXACT),
            line.work_min,
            round(line.patience_per_min, 6),
            line.within_min,
            line.short_min,
            first.measure,
        )
        for index in intervals
    ]
    arrivals = line.arrivals_per_min[intervals]
    return Curve(
        name=first.name if len(lines) == 1 else " + ".join(need.name for need in asked),
        lines=members,
        intervals=first.intervals,
        agents=np.array([table[0] for table in tables]),
        levels=np.array([table[1] for table in tables]),
        weights=arrivals / arrivals.sum(),
        share=float(shares @ volumes / volumes.sum()),
    )


@lru_cache(maxsize=4_096)
def _table(
    load: float, work_min: float, patience: float, within: float, short: float, measure: str
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return numbers of agents and the level that each of them brings."""
    high = load + 3.5 * math.sqrt(load) + 3.0
    points = [0.0, *np.linspace(min(0.6 * load, high), high, _POINTS - 1).tolist()]
    if load <= 0:
        return tuple(points), (1.0,) * _POINTS
    levels = []
    for agents in points:
        model = queue_of(load / work_min, 1 / work_min, patience, agents) if agents else None
        if model is None:
            levels.append(0.0)
        elif measure == "abandoned":
            levels.append(1 - model.abandon_fraction)
        else:
            levels.append(service_levels(model, within, short_min=short)[measure])
    return tuple(points), tuple(levels)
