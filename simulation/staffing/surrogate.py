"""Play a day without the router: groups as pools, kinds of contacts as lines, nothing else.

A surrogate of low fidelity, some thirty times as fast as the live core. It meets the same customers
and sick notes as the live day (common random numbers), so that what both say moves together; how
far they differ on the same days is the correction (two-level Monte Carlo).

A contact goes to an idle pool (the most skilled one, or the one with most idle), a freed agent
takes the highest priority, then the oldest. Chats share an agent, letters are set aside for calls.
Left out: limits, steps, overflow, callbacks, transfers, reserves, weights, offers that fail. No
answer rests on it alone: plans are judged by days of the live core.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from configs.planning import Closing, Group, Scenario
from router.center import Agent, AgentPolicy
from simulation.plan.laws import mean_ms
from simulation.plan.people import Staff, Stint, draw_absent, groups_of, pace_of, staff_of
from simulation.plan.prepared import Prepared, Source
from simulation.plan.requirement import concurrency
from simulation.plan.tallies import Counts
from simulation.randomness import Streams
from simulation.staffing.spaces import agents_like, model_of
from simulation.staffing.surrogate_customers import Callers, draw_callers
from simulation.staffing.surrogate_day import Change, Kind, SurrogateDay, World

_DAYS_KEPT: Final = 300  # of customers drawn, in each process: 1.7 MB a day of 7,000 of them


class Surrogate:
    """Hold what all surrogate days of a scenario share; keep the customers of days drawn last.

    A pool is the agents of a group who can do the same: `pool_of[group, team and skills]`.
    """

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.seed = seed
        self.prepared = Prepared(scenario)
        self.pool_of: dict[tuple[int, str, str], int] = {}
        pools: list[tuple[Group, Agent]] = []
        for number, (name, group) in enumerate(groups_of(scenario).items()):
            for agent in agents_like(scenario, name):
                key = _like(number, agent)
                if self.pool_of.setdefault(key, len(pools)) == len(pools):
                    pools.append((group, agent))
        self.pools = tuple(pools)
        kinds: list[Kind] = []
        self.kinds_of: list[dict[str, int]] = []
        for source in self.prepared.sources:
            found: dict[str, int] = {}
            for language in ("", *source.demand.languages):
                found[language] = len(kinds)
                kinds.append(_kind(self.prepared, source, language, self.pools))
            self.kinds_of.append(found)
        self.world = World(
            prepared=self.prepared,
            kinds=tuple(kinds),
            serves=tuple(_order(kinds, pool) for pool in range(len(pools))),
            reactions=tuple(
                mean_ms(group.reaction) if group.reaction is not None else 0.0 for group, _ in pools
            ),
            instant=tuple(not source.offers for source in self.prepared.sources),
        )
        self._callers: dict[int, Callers] = {}

    def callers(self, day: int) -> Callers:
        """Return the customers of a day: those of the real one."""
        known = self._callers.pop(day, None)
        if known is None:
            while len(self._callers) >= _DAYS_KEPT:  # the one that was not played for longest
                del self._callers[next(iter(self._callers))]
            known = draw_callers(self.prepared, self.kinds_of, self.seed, day)
        self._callers[day] = known
        return known

    def crew(self, staff: Staff, day: int) -> list[Change]:
        """Return when agents of a pool come and go: (offset, pool, +1 or -1)."""
        streams = self.callers(day).streams
        absent = draw_absent(staff, streams)
        length = self.prepared.length_ms
        changes: list[Change] = []
        stints: list[list[Stint]] = [[] for _ in self.pools]
        for member in staff.members:
            if member.agent_id in absent:
                continue
            pool = self.pool_of[_like(member.group, staff.center.agents[member.agent_id])]
            stints[pool] += member.stints
            for stint in member.stints:
                changes.append((float(stint.start_ms), pool, 1))
                if stint.end_ms < length:
                    changes.append((float(stint.end_ms), pool, -1))
                for offset, long in stint.breaks:
                    if offset + long < stint.end_ms:
                        changes.append((float(offset), pool, -1))
                        changes.append((float(offset + long), pool, 1))
        for pool, mine in enumerate(stints):
            lost = 1.0 - self.pools[pool][0].adherence
            if mine and lost > 0:
                changes += self._spells(streams, pool, mine, lost)
        return changes

    def _spells(
        self, streams: Streams, pool: int, stints: list[Stint], lost: float
    ) -> list[Change]:
        """Draw spells away from the desk for all stints of a pool at once.

        As often and as long as those of the live day, yet not the same: those belong to each agent.
        """
        away_ms = self.pools[pool][0].away_ms
        gap_ms = away_ms * (1.0 - lost) / lost
        start = np.asarray([stint.start_ms for stint in stints], dtype=np.float64)
        end = np.minimum([stint.end_ms for stint in stints], self.prepared.length_ms)
        mean = float((end - start).max()) / (gap_ms + away_ms)
        shape = (len(stints), int(mean + 4 * math.sqrt(mean) + 2))
        name, size = f"pool-{pool}", shape[0] * shape[1]
        gaps = streams.exponentials(name, "away-gap", size).reshape(shape) * gap_ms
        spells = streams.exponentials(name, "away", size).reshape(shape) * away_ms
        ends = start[:, None] + np.cumsum(gaps + spells, axis=1)
        begins = ends - spells
        there = ends < end[:, None]
        for row, stint in enumerate(stints):
            for offset, long in stint.breaks:
                there[row] &= (ends[row] <= offset) | (begins[row] >= offset + long)
        leave = [(at, pool, -1) for at in begins[there].tolist()]
        return leave + [(at, pool, 1) for at in ends[there].tolist()]

    def play(self, staffed: Scenario, more: str, first: int, count: int) -> list[Counts]:
        """Return `counts[demand, interval, Count]` of days, as tallies have them.

        `staffed` is the scenario with other shifts or numbers of agents; `more` names a group that
        has one agent more, all day.
        """
        staff = staff_of(staffed)
        extra: list[Change] = []
        if more:
            number = staff.groups.index(more)
            extra = [(0.0, self.pool_of[_like(number, model_of(staffed, more))], 1)]
        return [
            SurrogateDay(self.world, self.callers(day), self.crew(staff, day) + extra).play()
            for day in range(first, first + count)
        ]


def _like(group: int, agent: Agent) -> tuple[int, str, str]:
    """Return what agents of one pool have in common."""
    return group, agent.team, repr(sorted(agent.skills.items()))


def _kind(
    prepared: Prepared, source: Source, language: str, pools: tuple[tuple[Group, Agent], ...]
) -> Kind:
    scenario, center, demand = prepared.scenario, prepared.center, source.demand
    category = center.categories[demand.category]
    queue, channel = center.queues[category.queue], center.channels[demand.channel]
    needs = dict(category.needs)
    if language and category.language_level:
        needs[f"lang:{language}"] = category.language_level
    levels: dict[int, float] = {}
    for number, (_, agent) in enumerate(pools):
        in_team = not queue.teams or agent.team in queue.teams
        if in_team and all(agent.skills.get(skill, 0) >= low for skill, low in needs.items()):
            levels[number] = sum(agent.skills[skill] for skill in needs) / max(len(needs), 1)
    at_once = concurrency(prepared, demand)
    speeds = scenario.effects.speeds.get(demand.channel, (1.0,))
    return Kind(
        source=source.index,
        language=language,
        priority=demand.priority if demand.priority >= 0 else category.priority,
        pools=tuple(sorted(levels, key=lambda pool: -levels[pool])),
        ranked=queue.agent_policy is AgentPolicy.MOST_PROFICIENT,
        paces=tuple(pace_of(scenario, *pool, demand.category) for pool in pools),
        at_once=at_once,
        speeds=tuple(speeds[min(n, len(speeds)) - 1] for n in range(1, at_once + 1)),
        interrupts=channel.interrupts,
        interruptible=channel.interruptible,
        served_after=demand.closing is Closing.SERVED,
    )


def _order(kinds: Sequence[Kind], pool: int) -> list[list[int]]:
    """Return the kinds that a pool serves, by falling priority, letters last."""
    mine = [number for number, kind in enumerate(kinds) if pool in kind.pools]
    levels: dict[tuple[bool, int], list[int]] = {}
    for number in sorted(mine):
        kind = kinds[number]
        levels.setdefault((kind.interruptible, -kind.priority), []).append(number)
    return [levels[key] for key in sorted(levels)]
