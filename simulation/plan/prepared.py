"""Make a scenario ready to be played: what all its days share, worked out once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np

from configs.durations import parse_clock
from configs.planning import Again, Closing, Demand, Scenario
from router.center import AgentPolicy, Center, Queue, Signal
from router.events import CenterChanged
from router.sla import signal_sets
from simulation.plan.arrivals import Profile, burst_mean, copula_roots, profile_of
from simulation.plan.people import Staff, pace_of, skill_above_middle, staff_of
from simulation.randomness import Streams
from simulation.time_laws import Array

WRITTEN: Final = frozenset({"chat", "email", "social", "sms"})

Shares: TypeAlias = tuple[tuple[str, float], ...]


class Source:
    """One demand made ready: where it is counted, what its times are.

    What a day asks at every contact stands here beside `demand`. `is_awaited`: who waits at
    closing is still served. `same_work`: who comes again brings the same work. `replies`: the
    first written reply matters to a promise. `paced`: how fast the work goes depends on how many
    contacts of the channel an agent has. `called_back`: the demand (its index) of which a customer
    is a contact once he has hung up for a callback, -1 for none.
    """

    __slots__ = (
        "balking", "bot", "callback_from", "called_back", "category", "channel", "connects",
        "demand", "index", "is_awaited", "is_impatient", "languages", "name", "offers", "paced",
        "priority", "profile", "redial", "repeat", "replies", "same_work", "short_ms", "tiers",
        "transfers", "within_ms", "wraps_up",
    )  # fmt: skip

    def __init__(self, scenario: Scenario, center: Center, index: int, name: str) -> None:
        demand = scenario.demand[name]
        channel = center.channels[demand.channel]
        category = center.categories[demand.category]
        queue: Queue = center.queues[category.queue]
        again = demand.redial or demand.repeat
        self.index = index
        self.name = name
        self.demand = demand
        self.channel = demand.channel
        self.category = demand.category
        self.priority = demand.priority
        self.profile: Profile | None = None
        if not demand.arrivals_ms:
            self.profile = profile_of(scenario, demand)
        self.within_ms: int = (
            demand.answer_within_ms or scenario.target.within_ms or queue.service_level_ms
        )
        self.short_ms: int = queue.short_abandon_ms
        self.wraps_up: bool = category.wrap_up_ms != 0
        self.connects: bool = channel.connect_timeout_ms > 0
        self.offers: bool = not channel.auto_accept
        self.replies: bool = demand.channel in WRITTEN and _is_promised_reply(center, demand)
        self.paced: bool = channel.interruptible or demand.channel in scenario.effects.speeds
        self.is_awaited: bool = demand.closing is Closing.SERVED
        self.is_impatient: bool = demand.patience is not None
        self.balking: float = demand.balking
        self.bot: float = demand.bot
        self.callback_from: int = demand.callback_from
        self.called_back: int = _index_of(scenario, demand.callback_as)
        self.redial: Again | None = demand.redial
        self.repeat: Again | None = demand.repeat
        self.same_work: bool = again is not None and again.same_work
        self.tiers: Shares = tuple(demand.tiers.items())
        self.languages: Shares = tuple(demand.languages.items())
        self.transfers: Shares = tuple(demand.transfers.items())


def _is_promised_reply(center: Center, demand: Demand) -> bool:
    """Say whether a written reply stops or resets the clock of a promise."""
    for promise in center.promises.values():
        if not promise.channels or demand.channel in promise.channels:
            sets = signal_sets(promise, demand.channel)
            if Signal.AGENT_REPLIED in sets.stop or Signal.AGENT_REPLIED in sets.reset:
                return True
    return False


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
            Source(scenario, self.center, index, name) for index, name in enumerate(scenario.demand)
        )
        self.promises = tuple(self.center.promises)
        self.roots = copula_roots(scenario.busyness, tuple(scenario.demand))
        presences = self.center.presences
        self.at_desk = next(name for name, works in presences.items() if works)
        self.away = next((name for name, works in presences.items() if not works), "")
        self._skills: dict[tuple[str, str], float] = {}
        self._paces: dict[tuple[str, str], float] = {}
        self._expected: Array | None = None

    def __reduce__(self) -> tuple[type[Prepared], tuple[Scenario]]:
        """Travel as the scenario; another process makes it ready again."""
        return Prepared, (self.scenario,)

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
        pace = self._paces.get(key)
        if pace is None:
            agent = self.center.agents[agent_id]
            pace = pace_of(self.scenario, self.staff.plans[group], agent, category)
            self._paces[key] = pace
        return pace

    def resolves(self, agent_id: str, demand: Demand) -> float:
        """Return the share of a demand's contacts that an agent settles at the first contact."""
        gain = self.scenario.effects.resolves
        if not gain:
            return demand.resolved
        key = (agent_id, demand.category)
        skill = self._skills.get(key)
        if skill is None:
            agent = self.center.agents[agent_id]
            skill = skill_above_middle(self.scenario, agent, demand.category)
            self._skills[key] = skill
        return demand.resolved + gain * skill

    @property
    def interval_edges(self) -> Array:
        """Return the offsets (ms) of the intervals' edges from opening."""
        edges: Array = np.arange(self.intervals + 1, dtype=np.float64) * self.scenario.interval_ms
        edges[-1] = self.length_ms
        return edges

    @property
    def expected(self) -> Array:
        """Return the expected fresh arrivals, `[demand, interval]`."""
        if self._expected is None:
            self._expected = self._expect()
        return self._expected

    def _expect(self) -> Array:
        edges = self.interval_edges
        rows: list[Array] = []
        for source in self.sources:
            if source.profile is None:
                offsets = np.asarray(source.demand.arrivals_ms, dtype=float)
                counts = np.histogram(offsets, bins=edges)[0]
                rows.append(counts * source.demand.factor)
            else:
                means = source.profile.expected(edges)
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
