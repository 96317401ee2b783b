"""Say by formula what agents bring: levels of lines, alone and pooled, by interval.

Erlang A with real numbers of agents on the modified offered load (`simulation.plan.requirement`).
A line of its own agents does worse than the same agents could do (`dedicated`: an upper bound on
staff); lines whose agents could all do everything do better than any routing (`pooled`: a lower
bound). Both are without redials or offers: a formula's, not the truth's.

Days differ (busyness). A need is judged over all of them, so that a curve is the mean of the levels
on busier and calmer days, weighed by who comes: E[F level(F load)] / E[F], F taken as its means
over equal parts of its law. Levels fall ever faster with the load where staff is any good, so that
a few parts flatter the agents, and the bound stays one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from simulation.erlang import QueueModel, service_levels
from simulation.plan.arrivals import draw_busyness, draw_parts
from simulation.plan.estimates import Floats
from simulation.plan.prepared import Prepared
from simulation.plan.requirement import Line, lines_of, pool
from simulation.randomness import Streams
from simulation.staffing.needs import Need
from simulation.staffing.spaces import Space
from simulation.staffing_formulas import queue_of

_POINTS: Final = 22
_EXACT: Final = 2  # digits of an agent to which a load is known for a curve
_DAYS: Final = 240  # drawn to see how much days differ
_PARTS: Final = 5  # into which they are sorted, a mean each
_SEED: Final = 1  # a bound is the same whatever days are played


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


def spread_of(prepared: Prepared) -> Floats:
    """Return the factors of typical days, `[day, demand, interval]`: their busyness, mean 1.

    One day where all are alike; recorded contacts come as they came.
    """
    scenario = prepared.scenario
    busyness, names = scenario.busyness, tuple(scenario.demand)
    shape = (len(names), prepared.intervals)
    if not (busyness.alpha or busyness.alphas or busyness.parts):
        return np.ones((1, *shape))
    middles = (prepared.interval_edges[:-1] + prepared.interval_edges[1:]) / 2
    days = np.empty((_DAYS, *shape))
    for number in range(_DAYS):
        streams = Streams(_SEED, number)
        factors = draw_busyness(busyness, names, prepared.roots, streams, _DAYS)
        days[number] = factors[:, None]
        for start, end, factor in draw_parts(
            busyness, streams, prepared.opens_ms, prepared.length_ms
        ):
            days[number, :, (middles >= start) & (middles < end)] *= factor
    days[:, [source.index for source in prepared.sources if source.profile is None]] = 1.0
    return np.asarray(days / days.mean(axis=0))


def dedicated(prepared: Prepared, needs: Sequence[Need], spread: Floats) -> tuple[Curve, ...]:
    """Return the curve of every need, its line on its own."""
    lines = lines_of(prepared)
    return tuple(
        _curve(prepared, [lines[need.line]], [need], (need.line,), spread) for need in needs
    )


def pooled(
    prepared: Prepared, needs: Sequence[Need], space: Space, spread: Floats
) -> tuple[Curve, ...]:
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
            _curve(prepared, [lines[line] for line in members], asked, members, spread)
            for asked in grouped.values()
            if len(asked) == len(members)
        ]
    return tuple(curves)


def _curve(
    prepared: Prepared,
    lines: list[Line],
    asked: Sequence[Need],
    members: tuple[int, ...],
    spread: Floats,
) -> Curve:
    line = pool(lines) if len(lines) > 1 else lines[0]
    first = asked[0]
    intervals = list(first.intervals)
    volumes = np.array([float(one.arrivals_per_min[intervals].sum()) for one in lines])
    shares = np.array([1 - need.share if need.lost else need.share for need in asked])
    parts = _parts(prepared, line.demands, spread)
    tables = [
        _table(
            round(float(line.load[index]), _EXACT),
            line.work_min,
            round(line.patience_per_min, 6),
            line.within_min,
            line.short_min,
            first.measure,
            parts[index],
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


def _parts(
    prepared: Prepared, demands: Sequence[str], spread: Floats
) -> tuple[tuple[float, ...], ...]:
    """Return, by interval, how busy some demands together are in equal parts of all days."""
    names = tuple(prepared.scenario.demand)
    chosen = [names.index(name) for name in demands]
    expected = prepared.expected[chosen]
    factors = np.sort((spread[:, chosen] * expected).sum(axis=1), axis=0)
    factors /= np.maximum(expected.sum(axis=0), 1e-12)
    many = min(_PARTS, len(factors))
    means = factors.reshape(many, -1, prepared.intervals).mean(axis=1)
    return tuple(tuple(row) for row in np.round(means.T, 3).tolist())


@lru_cache(maxsize=4_096)
def _table(
    load: float,
    work_min: float,
    patience: float,
    within: float,
    short: float,
    measure: str,
    parts: tuple[float, ...],
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return numbers of agents and the level that each brings over busier and calmer days."""
    most = load * max(parts)
    high = most + 3.5 * math.sqrt(most) + 3.0
    points = [0.0, *np.linspace(min(0.6 * load * min(parts), high), high, _POINTS - 1).tolist()]
    if load <= 0:
        return tuple(points), (1.0,) * _POINTS
    levels = np.zeros(_POINTS)
    for part in parts:
        for index, agents in enumerate(points):
            volume = part * load / work_min
            model = queue_of(volume, 1 / work_min, patience, agents) if agents else None
            if model is not None:
                levels[index] += part * _level(model, within, short, measure)
    return tuple(points), tuple((levels / sum(parts)).tolist())


def _level(model: QueueModel, within: float, short: float, measure: str) -> float:
    if measure == "abandoned":
        return 1 - model.abandon_fraction
    return service_levels(model, within, short_min=short)[measure]
