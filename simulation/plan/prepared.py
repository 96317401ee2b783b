"""Make a scenario ready to be played: what all its days share, worked out once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from configs.durations import parse_clock
from configs.planning import Demand, Scenario
from router.center import AgentPolicy, Center, Queue, Signal
from router.events import CenterChanged
from router.sla import signal_sets
from simulation.plan.arrivals import Profile, burst_mean, copula_roots, profile_of
from simulation.plan.people import Staff, pace_of, skill_above_middle, staff_of
from simulation.randomness import Streams
from simulation.time_laws import Array

WRITTEN: Final = frozenset({"chat", "email", "social", "sms"})


@dataclass(frozen=True)
class Source:
    """One demand made ready: where it is counted, what its times are."""

    index: int
    name: str
    demand: Demand
    profile: Profile | None
    within_ms: int
    short_ms: int
    wraps_up: bool
    connects: bool
    offers: bool
    replies: bool
    paced: bool
    called_back: int

    @cached_property
    def shares(self) -> tuple[tuple[tuple[str, float], ...], tuple[tuple[str, float], ...]]:
        """Return the shares of tiers and of languages."""
        return tuple(self.demand.tiers.items()), tuple(self.demand.languages.items())


class Prepared:
    """Hold a scenario with everything that does not change from day to day."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.staff: Staff = staff_of(scenario)
        self.center = _desk_center(self.staff.center)
        self.start_ms = start_of(scenario)
        self.opens_ms = parse_clock(scenario.opens)
        self.length_ms = parse_clock(scenario.closes) - self.opens_ms
        self.intervals = -(-self.length_ms // scenario.interval_ms)
        self.sources = tuple(
            self._source(index, name, demand)
            for index, (name, demand) in enumerate(scenario.demand.items())
        )
        self.promises = tuple(self.center.promises)
        self.roots = copula_roots(scenario.busyness, tuple(scenario.demand))
        presences = self.center.presences
        self.at_desk = next(name for name, works in presences.items() if works)
        self.away = next((name for name, works in presences.items() if not works), "")
        self.paces: dict[tuple[str, str], float] = {}

    def _source(self, index: int, name: str, demand: Demand) -> Source:
        center = self.center
        channel = center.channels[demand.channel]
        category = center.categories[demand.category]
        queue: Queue = center.queues[category.queue]
        promises = [
            signal_sets(promise, demand.channel)
            for promise in center.promises.values()
            if not promise.channels or demand.channel in promise.channels
        ]
        return Source(
            index=index,
            name=name,
            demand=demand,
            profile=None if demand.arrivals_ms else profile_of(self.scenario, demand),
            within_ms=demand.answer_within_ms
            or self.scenario.target.within_ms
            or queue.service_level_ms,
            short_ms=queue.short_abandon_ms,
            wraps_up=category.wrap_up_ms != 0,
            connects=channel.connect_timeout_ms > 0,
            offers=not channel.auto_accept,
            replies=demand.channel in WRITTEN
            and any(Signal.AGENT_REPLIED in (*sets.stop, *sets.reset) for sets in promises),
            called_back=_index_of(self.scenario, demand.callback_as),
            paced=channel.interruptible or demand.channel in self.scenario.effects.speeds,
        )

    def opening(self, streams: Streams) -> CenterChanged:
        """Return the centre as a day begins with it: agents by lot are by other lots each day.

        With the seed of the configuration every day would draw the same ones, and the error of
        their mean could not be seen.
        """
        queues = self.center.queues
        drawn = {
            name: replace(
                queue,
                seed=(queue.seed + int(streams.uniform(name, "seed", 0) * 2**52)) % 2**52,
            )
            for name, queue in queues.items()
            if queue.agent_policy is AgentPolicy.SEEDED_RANDOM
        }
        if not drawn:
            return CenterChanged(center=self.center)
        return CenterChanged(center=replace(self.center, queues={**queues, **drawn}))

    def pace(self, agent_id: str, group: int, category: str) -> float:
        """Return by what factor an agent's work on a category is longer."""
        key = (agent_id, category)
        pace = self.paces.get(key)
        if pace is None:
            agent = self.center.agents[agent_id]
            pace = pace_of(self.scenario, self.staff.plans[group], agent, category)
            self.paces[key] = pace
        return pace

    def resolves(self, agent_id: str, demand: Demand) -> float:
        """Return the share of a demand's contacts that an agent settles at the first contact."""
        gain = self.scenario.effects.resolves
        if not gain:
            return demand.resolved
        agent = self.center.agents[agent_id]
        return demand.resolved + gain * skill_above_middle(self.scenario, agent, demand.category)

    @cached_property
    def interval_edges(self) -> Array:
        """Return the offsets (ms) of the intervals' edges from opening."""
        edges: Array = np.arange(self.intervals + 1, dtype=np.float64) * self.scenario.interval_ms
        edges[-1] = self.length_ms
        return edges

    @cached_property
    def expected(self) -> Array:
        """Return the expected fresh arrivals, `[demand, interval]`."""
        rows: list[Array] = []
        for source in self.sources:
            if source.profile is None:
                offsets = np.asarray(source.demand.arrivals_ms, dtype=float)
                counts = np.histogram(offsets, bins=self.interval_edges)[0]
                rows.append(counts * source.demand.factor)
            else:
                means = source.profile.expected(self.interval_edges)
                rows.append(means * burst_mean(source.demand.bursts))
        return np.reshape(np.asarray(rows, dtype=np.float64), (len(self.sources), self.intervals))


def _index_of(scenario: Scenario, name: str) -> int:
    """Return where a demand stands among all, -1 for none."""
    return list(scenario.demand).index(name) if name else -1


def _desk_center(center: Center) -> Center:
    """Return the centre without heartbeats: a simulated desktop is lost only when we say so."""
    return replace(center, offers=replace(center.offers, heartbeat_timeout_ms=0))


def start_of(scenario: Scenario) -> int:
    """Return the instant of opening, ms since the epoch."""
    midnight = datetime.fromisoformat(scenario.date).replace(tzinfo=ZoneInfo(scenario.zone))
    wall = midnight + timedelta(milliseconds=parse_clock(scenario.opens))
    return round(wall.timestamp() * 1000)
