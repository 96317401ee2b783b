"""Say what theory asks for: agents per interval, by Erlang A on the modified offered load.

Per line (a queue on a channel) and interval the load is what infinitely many agents would have in
hand, with the real law of the work; the real number of agents that keeps the promise comes from
Erlang A (Erlang C where nobody gives up). `dedicated` adds the lines up: more than is needed when
agents are flexible. `pooled` treats all lines as one whose agents can do everything: less than any
centre needs. Fractions are kept until the last sum and rounded once.

A chat takes a share of its agent: with c at a time, each at speed r, one costs 1 / (c r) of him.
Letters may wait: their line asks for its load and no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np

from configs.durations import parse_clock
from configs.planning import Demand, Law, LawName, PlainLaw, Target
from simulation.erlang import Array, QueueModel, service_levels
from simulation.offered_load import modified_offered_load
from simulation.phrases import Phrase
from simulation.plan.laws import as_time_law, mean_ms
from simulation.plan.prepared import Prepared, Source
from simulation.staffing_formulas import queue_of

_MINUTE_MS: Final = 60_000
_POINTS: Final = 6  # instants of an interval at which the load is looked at
_TOLERANCE: Final = 1e-4
_NOTHING: Final = Law(law=LawName.CONSTANT)
DEFERRED: Final = frozenset({"email", "social", "task", "sms"})


@dataclass(frozen=True)
class Line:
    """One line as theory sees it: per interval arrivals a minute and load in agents."""

    queue: str
    channel: str
    demands: tuple[str, ...]
    arrivals_per_min: Array
    load: Array
    work_min: float
    patience_per_min: float
    within_min: float
    short_min: float

    @property
    def name(self) -> str:
        """Return what the line is called: its queue and channel."""
        return Phrase("{queue} ({channel})", queue=self.queue, channel=Phrase(self.channel))

    @property
    def deferred(self) -> bool:
        """Say whether its contacts may wait for hours."""
        return self.channel in DEFERRED


def lines_of(prepared: Prepared) -> tuple[Line, ...]:
    """Return the lines of a scenario, in the order of its demands; who is dialled has none."""
    groups: dict[tuple[str, str], list[Source]] = {}
    called = [source for source in prepared.sources if source.demand.dialer is None]
    for source in called or prepared.sources:
        queue = prepared.center.categories[source.demand.category].queue
        groups.setdefault((queue, source.demand.channel), []).append(source)
    return tuple(
        _line(prepared, queue, channel, sources) for (queue, channel), sources in groups.items()
    )


def _line(prepared: Prepared, queue: str, channel: str, sources: list[Source]) -> Line:
    interval_min = prepared.scenario.interval_ms / _MINUTE_MS
    arrivals = np.zeros(prepared.intervals)
    load = np.zeros(prepared.intervals)
    impatience = patient = 0.0
    for source in sources:
        demand = source.demand
        share = 1.0 - demand.bot
        rates = prepared.expected[source.index] * share / interval_min
        arrivals += rates
        load += _load(prepared, source, rates)
        volume = float(prepared.expected[source.index].sum()) * share
        patient += volume
        if demand.patience is not None:
            for law, held in _over_day(prepared, demand.patience):
                impatience += float((rates * held).sum()) * interval_min * _MINUTE_MS / mean_ms(law)
    total = float(arrivals.sum())
    return Line(
        queue=queue,
        channel=channel,
        demands=tuple(source.name for source in sources),
        arrivals_per_min=arrivals,
        load=load,
        work_min=float(load.sum()) / total if total else 0.0,
        patience_per_min=impatience / patient if patient else 0.0,
        within_min=min(source.within_ms for source in sources) / _MINUTE_MS,
        short_min=min(source.short_ms for source in sources) / _MINUTE_MS,
    )


def _load(prepared: Prepared, source: Source, rates: Array) -> Array:
    """Return the mean load of each interval in agents, by the law of work and wrap-up together."""
    demand = source.demand
    interval_min = prepared.scenario.interval_ms / _MINUTE_MS
    steps = (np.arange(_POINTS) + 0.5) / _POINTS
    times = (np.arange(len(rates))[:, None] + steps[None, :]) * interval_min
    loads = np.zeros(times.size)
    wrap_up = demand.wrap_up if demand.wrap_up and source.wraps_up else _NOTHING
    for work, held in _over_day(prepared, demand.handle):
        for after, also in _over_day(prepared, wrap_up):
            part = rates * held * also
            if part.any():
                law = as_time_law(_stretched(work, 1 + mean_ms(after) / mean_ms(work)))
                loads += modified_offered_load(part.tolist(), interval_min, law, times.ravel())
    share = agent_share(prepared, demand) * mean_pace(prepared, demand)
    return np.asarray(loads.reshape(times.shape).mean(axis=1) * share)


def _over_day(prepared: Prepared, law: Law) -> Iterator[tuple[PlainLaw, Array]]:
    """Yield each law of the day with the intervals (1.0) in whose middle it holds."""
    middles = prepared.opens_ms + (prepared.interval_edges[:-1] + prepared.interval_edges[1:]) / 2
    starts = [parse_clock(later.start) for later in law.later]
    edges = np.searchsorted(starts, middles, side="right")
    for number, part in enumerate((law, *law.later)):
        yield part, (edges == number).astype(np.float64)


def _stretched(law: PlainLaw, factor: float) -> PlainLaw:
    return replace(
        law,
        mean_ms=round(law.mean_ms * factor),
        low_ms=round(law.low_ms * factor),
        high_ms=round(law.high_ms * factor),
        values_ms=tuple(round(value * factor) for value in law.values_ms),
    )


def concurrency(prepared: Prepared, demand: Demand) -> int:
    """Return how many contacts of a demand's channel an agent may have at once."""
    channel = prepared.center.channels[demand.channel]
    at_once = max(1, 100 // channel.units) if channel.units else 1
    if channel.agent_max:
        at_once = min(at_once, channel.agent_max)
    return 1 if channel.interruptible else at_once


def agent_share(prepared: Prepared, demand: Demand) -> float:
    """Return what a contact takes of an agent who has as many of its channel as he may."""
    at_once = concurrency(prepared, demand)
    speeds = prepared.scenario.effects.speeds.get(demand.channel, (1.0,))
    return 1.0 / (at_once * speeds[min(at_once, len(speeds)) - 1])


def mean_pace(prepared: Prepared, demand: Demand) -> float:
    """Return the mean factor of work over the agents who may serve a demand at its start."""
    category = prepared.center.categories[demand.category]
    teams = prepared.center.queues[category.queue].teams
    paces = []
    for member in prepared.staff.members:
        agent = prepared.center.agents[member.agent_id]
        may = not teams or agent.team in teams
        if may and all(agent.skills.get(skill, 0) >= low for skill, low in category.needs.items()):
            paces.append(prepared.pace(member.agent_id, member.group, demand.category))
    return sum(paces) / len(paces) if paces else 1.0


def level_of(model: QueueModel, line: Line, level: str) -> float:
    """Return the service level that a model promises, by the name of its definition."""
    return service_levels(model, line.within_min, short_min=line.short_min)[level]


def dedicated(lines: Iterable[Line], target: Target) -> Array:
    """Return the agents that each interval needs when every line has its own, as real numbers."""
    return np.asarray(sum(_needed(line, target) for line in lines))


def pooled(lines: Iterable[Line], target: Target) -> Array:
    """Return the agents that each interval needs when all can do everything, as real numbers."""
    lines = list(lines)
    prompt = [line for line in lines if not line.deferred]
    later = [line.load for line in lines if line.deferred]
    answer = np.asarray(sum(later)) if later else np.zeros(1)
    return answer + _needed(pool(prompt), target) if prompt else answer


def pool(lines: list[Line]) -> Line:
    """Return several lines as one, with the longest of their promised times."""
    arrivals = np.asarray(sum(line.arrivals_per_min for line in lines))
    load = np.asarray(sum(line.load for line in lines))
    volumes = [float(line.arrivals_per_min.sum()) for line in lines]
    total = sum(volumes) or 1.0
    return Line(
        queue="",
        channel="",
        demands=tuple(name for line in lines for name in line.demands),
        arrivals_per_min=arrivals,
        load=load,
        work_min=float(load.sum()) / total,
        patience_per_min=sum(
            volume * line.patience_per_min for volume, line in zip(volumes, lines, strict=True)
        )
        / total,
        within_min=max(line.within_min for line in lines),
        short_min=max(line.short_min for line in lines),
    )


def _needed(line: Line, target: Target) -> Array:
    if line.deferred or not line.work_min:
        return line.load
    return np.asarray(
        [
            agents_for(
                round(float(load), 6),
                line.work_min,
                line.patience_per_min,
                line.within_min,
                line.short_min,
                target,
            )
            for load in line.load
        ]
    )


@lru_cache(maxsize=4_096)
def agents_for(
    load: float,
    work_min: float,
    patience_per_min: float,
    within_min: float,
    short_min: float,
    target: Target,
) -> float:
    """Return the least real number of agents at which a load keeps the promise."""
    if load <= 1e-6:
        return 0.0
    wanted = min(target.percent / 100, 1 - 1e-9)

    def meets(agents: float) -> bool:
        model = queue_of(load / work_min, 1 / work_min, patience_per_min, agents)
        if model is None:
            return False
        levels = service_levels(model, within_min, short_min=short_min)
        return levels[target.level] >= wanted

    high = load + 1.0
    while not meets(high):
        high *= 1.5
    low = 0.0
    while high - low > _TOLERANCE * max(1.0, high):
        middle = (low + high) / 2
        low, high = (low, middle) if meets(middle) else (middle, high)
    return high
