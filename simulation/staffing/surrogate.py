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
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Final

import numpy as np
from numpy.typing import NDArray

from configs.planning import Again, Closing, Group, Law, Scenario
from router.center import Agent, AgentPolicy
from simulation.plan.draws import Lots
from simulation.plan.laws import duration_ms, durations, mean_ms
from simulation.plan.people import (
    Staff,
    Stint,
    draw_absent,
    groups_of,
    pace_of,
    staff_of,
)
from simulation.plan.prepared import Prepared, Source
from simulation.plan.requirement import concurrency
from simulation.plan.tallies import Count, Counts
from simulation.randomness import Streams
from simulation.staffing.spaces import agents_like, model_of

_EVER: Final = math.inf
_DAYS_KEPT: Final = 600  # of customers drawn: some hundred kB a day
_WAITS: Final = 0
_ANSWERED: Final = 1
_GAVE_UP: Final = 2


@dataclass(frozen=True)
class Kind:
    """Contacts of one demand in one language: who takes them, how, in what order.

    `pools` in the order in which they are asked when `ranked`, else the one with most idle is;
    `paces[pool]` multiplies work. `at_once` on one agent, each then done at a speed.
    """

    source: int
    language: str
    priority: int
    pools: tuple[int, ...]
    ranked: bool
    paces: tuple[float, ...]
    at_once: int
    speeds: tuple[float, ...]
    interrupts: bool
    interruptible: bool
    served_after: bool


@dataclass
class Callers:
    """The fresh contacts of one day, in order of arrival; times in ms, `back` -1: never."""

    streams: Streams
    at: NDArray[np.float64]
    kind: NDArray[np.int32]
    number: NDArray[np.int32]
    work: NDArray[np.float32]
    after: NDArray[np.float32]
    patience: NDArray[np.float32]
    balks: NDArray[np.bool_]
    fresh: Counts
    bots: Counts


class Surrogate:
    """Hold what all surrogate days of a scenario share; keep the customers of days drawn once.

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
        self.reactions = [
            mean_ms(group.reaction) if group.reaction is not None else 0.0 for group, _ in pools
        ]
        kinds: list[Kind] = []
        self.kinds_of: list[dict[str, int]] = []
        for source in self.prepared.sources:
            found: dict[str, int] = {}
            for language in ("", *source.demand.languages):
                found[language] = len(kinds)
                kinds.append(_kind(self.prepared, source, language, self.pools))
            self.kinds_of.append(found)
        self.kinds = tuple(kinds)
        self.instant = [not source.offers for source in self.prepared.sources]
        self.serves = [_order(self.kinds, pool) for pool in range(len(pools))]
        self._callers: dict[int, Callers] = {}

    def callers(self, day: int) -> Callers:
        """Return the customers of a day: those of the real one."""
        known = self._callers.get(day)
        if known is None:
            while len(self._callers) >= _DAYS_KEPT:
                del self._callers[next(iter(self._callers))]
            known = self._callers[day] = _draw(self, day)
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
            _Floor(self, self.callers(day), self.crew(staff, day) + extra).play()
            for day in range(first, first + count)
        ]


def _like(group: int, agent: Agent) -> tuple[int, str, str]:
    """Return what agents of one pool have in common."""
    return group, agent.team, repr(sorted(agent.skills.items()))


Change = tuple[float, int, int]


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


def _draw(surrogate: Surrogate, day: int) -> Callers:
    """Draw the customers of a day from the streams of the real one."""
    prepared = surrogate.prepared
    streams = Streams(surrogate.seed, day)
    lots = Lots(prepared, streams, 1)
    fresh = np.zeros((len(prepared.sources), prepared.intervals), dtype=np.int64)
    bots = np.zeros_like(fresh)
    parts: list[tuple[NDArray[np.float64], ...]] = []
    for source in prepared.sources:
        at = np.asarray(lots.arrivals[source.index], dtype=np.float64)
        rows = _rows(prepared, at)
        fresh[source.index] = np.bincount(rows, minlength=prepared.intervals)
        count, demand = len(at), source.demand

        def lot(purpose: str, source: Source = source, count: int = count) -> NDArray[np.float64]:
            return streams.uniforms(source.name, purpose, count)

        def times(
            law: Law | None,
            purpose: str,
            none: float,
            lot: Callable[..., NDArray[np.float64]] = lot,
        ) -> NDArray[np.float64]:
            if law is None:
                return np.full(count, none)  # noqa: B023 - called at once
            return durations(law, lot(purpose))

        chosen = np.full(count, surrogate.kinds_of[source.index][""], dtype=np.float64)
        if demand.languages:
            known = surrogate.kinds_of[source.index]
            edges = np.cumsum(list(demand.languages.values()))
            numbers = [known[name] for name in demand.languages] + [known[""]]
            chosen = np.asarray(numbers, dtype=np.float64)[
                np.searchsorted(edges, lot("language"), side="right")
            ]
        wraps = demand.wrap_up if source.wraps_up else None
        kept = lot("bot") >= demand.bot if demand.bot else np.ones(count, dtype=bool)
        bots[source.index] = np.bincount(rows[~kept], minlength=prepared.intervals)
        balks = lot("balk") < demand.balking if demand.balking else np.zeros(count)
        columns = (
            at,
            chosen,
            np.arange(count, dtype=np.float64),
            times(demand.handle, "work", 0.0),
            times(wraps, "wrap-up", 0.0),
            times(demand.patience, "patience", _EVER),
            np.asarray(balks, dtype=np.float64),
        )
        parts.append(tuple(column[kept] for column in columns))
        parts.append(_backlog(surrogate, streams, source))
    at, kind, number, work, after, patience, balks = (
        np.concatenate([part[column] for part in parts]) for column in range(7)
    )
    order = np.argsort(at, kind="stable")
    return Callers(
        streams=streams,
        at=at[order],
        kind=kind[order].astype(np.int32),
        number=number[order].astype(np.int32),
        work=work[order].astype(np.float32),
        after=after[order].astype(np.float32),
        patience=patience[order].astype(np.float32),
        balks=balks[order] > 0,
        fresh=fresh,
        bots=bots,
    )


def _backlog(
    surrogate: Surrogate, streams: Streams, source: Source
) -> tuple[NDArray[np.float64], ...]:
    """Return those who wait already when the doors open."""
    demand, name = source.demand, source.name
    rows = []
    for number in range(demand.backlog):
        lots = [streams.uniform(name, what, number, 1_000) for what in ("work", "patience")]
        work = duration_ms(demand.handle, lots[0])
        patience = _EVER if demand.patience is None else duration_ms(demand.patience, lots[1])
        kind = surrogate.kinds_of[source.index][""]
        rows.append((0.0, kind, -1.0 - number, work, 0.0, patience, 0.0))
    return tuple(np.asarray(rows, dtype=np.float64).reshape(-1, 7).T)


def _rows(prepared: Prepared, at: NDArray[np.float64]) -> NDArray[np.int64]:
    rows = (at // prepared.scenario.interval_ms).astype(np.int64)
    return np.clip(rows, 0, prepared.intervals - 1)


class _Floor:
    """One surrogate day as it goes: lines of contacts, pools of agents."""

    def __init__(self, surrogate: Surrogate, callers: Callers, changes: list[Change]) -> None:
        self.surrogate = surrogate
        self.callers = callers
        self.changes = changes
        self.kinds = surrogate.kinds
        self.at: list[float] = callers.at.tolist()
        self.kind: list[int] = callers.kind.tolist()
        self.number: list[int] = callers.number.tolist()
        self.work: list[float] = callers.work.tolist()
        self.after: list[float] = callers.after.tolist()
        self.patience: list[float] = callers.patience.tolist()
        self.balks: list[bool] = callers.balks.tolist()
        count, pools = len(self.at), len(surrogate.pools)
        self.attempt = [0] * count
        self.wait = [0.0] * count
        self.out = [_WAITS] * count
        self.left = [0.0] * count
        self.idle = [0] * pools
        self.chatting = [0] * pools
        self.chats = [0] * pools
        self.letters: list[list[int]] = [[] for _ in range(pools)]
        self.lines: list[deque[int]] = [deque() for _ in self.kinds]
        self.serves = surrogate.serves
        self.heap: list[tuple[float, int, int]] = []
        self.length = float(surrogate.prepared.length_ms)

    def play(self) -> Counts:
        """Play the day and return what was counted."""
        heap, at, changes = self.heap, self.at, self.changes
        moments = np.concatenate(([change[0] for change in changes], self.callers.at))
        order = np.argsort(moments, kind="stable")
        times = [*moments[order].tolist(), _EVER]
        first = len(changes)
        for place, number in enumerate([*order.tolist(), -1]):
            now = times[place]
            while heap and heap[0][0] <= now:
                then, contact, pool = heappop(heap)
                if pool < 0:
                    self._arrive(contact, then)
                else:
                    self._end(contact, pool, then)
            if number >= first:
                self._arrive(number - first, now)
            elif number >= 0:
                _, pool, change = changes[number]
                self.idle[pool] += change
                if change > 0:
                    self._free(pool, now)
        return self._counts(len(at))

    def _arrive(self, contact: int, now: float) -> None:
        kind = self.kinds[self.kind[contact]]
        idle = self.idle
        if now < self.length or kind.served_after:
            best, most = -1, 0
            for pool in kind.pools:
                if idle[pool] > most:
                    best, most = pool, idle[pool]
                    if kind.ranked:
                        break
            if best < 0 and kind.at_once > 1:
                best = self._with_room(kind)
            if best < 0 and kind.interrupts:
                best = self._set_aside(kind, now)
            if best >= 0:
                self._start(contact, best, now)
                return
        if self.balks[contact] and not self.attempt[contact]:
            self.patience[contact] = 0.0
            self._give_up(contact)
            return
        self.lines[self.kind[contact]].append(contact)

    def _with_room(self, kind: Kind) -> int:
        """Return a pool in which an agent with a chat takes another one."""
        for pool in kind.pools:
            if self.chats[pool] < kind.at_once * self.chatting[pool]:
                return pool
        return -1

    def _set_aside(self, kind: Kind, now: float) -> int:
        """Set a letter aside in some pool and return the pool."""
        for pool in kind.pools:
            if self.letters[pool]:
                letter = self.letters[pool].pop()
                self.work[letter] = max(self.left[letter] - now, 0.0)
                self.after[letter] = 0.0
                self.left[letter] = -1.0
                self.lines[self.kind[letter]].appendleft(letter)
                self.idle[pool] += 1
                return pool
        return -1

    def _start(self, contact: int, pool: int, now: float) -> None:
        surrogate, kind = self.surrogate, self.kinds[self.kind[contact]]
        delay = 0.0
        fresh = self.out[contact] == _WAITS
        if fresh:
            if not surrogate.instant[kind.source]:
                delay = surrogate.reactions[pool]
            self.wait[contact] = now + delay - self.at[contact]
            self.out[contact] = _ANSWERED
        lasts = self.work[contact] * kind.paces[pool] if fresh else self.work[contact]
        if kind.at_once > 1 and not kind.interruptible:
            if self.idle[pool] > 0:
                self.idle[pool] -= 1
                self.chatting[pool] += 1
            self.chats[pool] += 1
            many = -(-self.chats[pool] // max(self.chatting[pool], 1))
            lasts /= kind.speeds[min(many, kind.at_once) - 1]
        else:
            self.idle[pool] -= 1
        end = now + delay + lasts + self.after[contact]
        if kind.interruptible:
            self.letters[pool].append(contact)
            self.left[contact] = end
        heappush(self.heap, (end, contact, pool))
        again = surrogate.prepared.sources[kind.source].demand.repeat
        if again is not None and fresh:
            self._come_back(contact, again, "repeat", end)

    def _end(self, contact: int, pool: int, now: float) -> None:
        kind = self.kinds[self.kind[contact]]
        if kind.interruptible:
            if self.left[contact] != now:
                return
            self.letters[pool].remove(contact)
            self.idle[pool] += 1
        elif kind.at_once > 1:
            self.chats[pool] -= 1
            if self.chats[pool] < self.chatting[pool]:
                self.chatting[pool] -= 1
                self.idle[pool] += 1
            else:
                following = self._next(pool, now, chats=True)
                if following >= 0:
                    self._start(following, pool, now)
                return
        else:
            self.idle[pool] += 1
        self._free(pool, now)

    def _free(self, pool: int, now: float) -> None:
        """Let idle agents of a pool take who waits."""
        while self.idle[pool] > 0:
            contact = self._next(pool, now)
            if contact < 0:
                return
            self._start(contact, pool, now)

    def _next(self, pool: int, now: float, *, chats: bool = False) -> int:
        """Take the next contact for a pool out of its line, -1 when nobody waits for it."""
        found, oldest = -1, _EVER
        for level in self.serves[pool]:
            for number in level:
                line = self.lines[number]
                kind = self.kinds[number]
                if (chats and kind.at_once < 2) or (now >= self.length and not kind.served_after):
                    continue
                while line and self.at[line[0]] + self.patience[line[0]] <= now:
                    self._give_up(line.popleft())
                if line and self.at[line[0]] < oldest:
                    found, oldest = number, self.at[line[0]]
            if found >= 0:
                return self.lines[found].popleft()
        return -1

    def _give_up(self, contact: int) -> None:
        if self.out[contact] != _WAITS:
            return
        kind = self.kinds[self.kind[contact]]
        self.wait[contact] = self.patience[contact]
        self.out[contact] = _GAVE_UP
        again = self.surrogate.prepared.sources[kind.source].demand.redial
        if again is not None:
            since = self.at[contact] + self.patience[contact]
            self._come_back(contact, again, "redial", since)

    def _come_back(self, contact: int, again: Again, purpose: str, since: float) -> None:
        """Put down a contact that returns; all its lots belong to (contact, attempt)."""
        source = self.surrogate.prepared.sources[self.kinds[self.kind[contact]].source]
        demand, name = source.demand, source.name
        attempt, number = self.attempt[contact], self.number[contact]
        if attempt >= again.max or number < 0:
            return
        lot = self.callers.streams.uniform
        if purpose == "repeat" and lot(name, "resolved", number, attempt) < demand.resolved:
            return
        if lot(name, purpose, number, attempt) >= again.share:
            return
        at = since + duration_ms(again.after, lot(name, f"{purpose}-after", number, attempt))
        if at >= self.length:
            return
        drawn = 0 if again.same_work else attempt + 1
        new = len(self.at)
        self.at.append(float(at))
        self.kind.append(self.kind[contact])
        self.number.append(number)
        self.work.append(float(duration_ms(demand.handle, lot(name, "work", number, drawn))))
        self.after.append(self.after[contact])
        self.patience.append(
            _EVER
            if demand.patience is None
            else float(duration_ms(demand.patience, lot(name, "patience", number, drawn)))
        )
        self.balks.append(False)
        self.attempt.append(attempt + 1)
        self.wait.append(0.0)
        self.out.append(_WAITS)
        self.left.append(0.0)
        heappush(self.heap, (float(at), new, -1))

    def _counts(self, _: int) -> Counts:
        """Count by demand and interval of arrival."""
        for line in self.lines:
            for contact in line:
                if self.patience[contact] < _EVER:
                    self._give_up(contact)
        prepared = self.surrogate.prepared
        sources, intervals = len(prepared.sources), prepared.intervals
        at = np.asarray(self.at)
        source_of = np.asarray([kind.source for kind in self.kinds])
        owner = source_of[np.asarray(self.kind, dtype=np.int64)] if len(at) else at.astype(int)
        cell = owner * intervals + _rows(prepared, at)
        out, wait = np.asarray(self.out), np.asarray(self.wait)
        within = np.asarray([source.within_ms for source in prepared.sources])[owner]
        short = np.asarray([source.short_ms for source in prepared.sources])[owner]
        answered, lost = out == _ANSWERED, out == _GAVE_UP
        counts = np.zeros((sources * intervals, len(Count)), dtype=np.int64)

        def put(what: Count, chosen: NDArray[np.bool_], worth: NDArray[np.float64] | None) -> None:
            weights = None if worth is None else worth[chosen]
            summed = np.bincount(cell[chosen], weights, minlength=sources * intervals)
            counts[:, what] = np.rint(summed)

        put(Count.ARRIVED, out >= 0, None)
        put(Count.ANSWERED, answered, None)
        put(Count.IN_TIME, answered & (wait <= within), None)
        put(Count.ABANDONED, lost, None)
        put(Count.ABANDONED_IN_TIME, lost & (wait <= within), None)
        put(Count.SHORT, lost & (wait < short), None)
        put(Count.CARRIED, out == _WAITS, None)
        put(Count.WAIT_MS, out != _WAITS, wait)
        put(Count.TALK_MS, answered, np.asarray(self.work))
        shaped = counts.reshape(sources, intervals, len(Count))
        shaped[..., Count.FRESH] = self.callers.fresh
        shaped[..., Count.BOT] = self.callers.bots
        return shaped


def _order(kinds: tuple[Kind, ...], pool: int) -> list[list[int]]:
    """Return the kinds that a pool serves, by falling priority, letters last."""
    mine = [number for number, kind in enumerate(kinds) if pool in kind.pools]
    levels: dict[tuple[bool, int], list[int]] = {}
    for number in sorted(mine):
        kind = kinds[number]
        levels.setdefault((kind.interruptible, -kind.priority), []).append(number)
    return [levels[key] for key in sorted(levels)]
