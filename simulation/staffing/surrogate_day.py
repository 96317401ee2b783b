"""Play one surrogate day: contacts in lines, agents in pools, no router."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from configs.planning import Again
from simulation.plan.laws import duration_ms
from simulation.plan.prepared import Prepared
from simulation.plan.tallies import Count, Counts
from simulation.staffing.surrogate_customers import EVER, Callers, rows_of

Change: TypeAlias = tuple[float, int, int]  # when, which pool, one agent more or less

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


@dataclass(frozen=True)
class World:
    """What all surrogate days share: kinds of contacts and pools of agents.

    `serves[pool]`: kinds by falling priority; `reactions[pool]` ms until an offer is accepted, but
    not where `instant[source]`.
    """

    prepared: Prepared
    kinds: tuple[Kind, ...]
    serves: tuple[list[list[int]], ...]
    reactions: tuple[float, ...]
    instant: tuple[bool, ...]


class SurrogateDay:
    """One surrogate day as it goes: lines of contacts, pools of agents."""

    def __init__(self, world: World, callers: Callers, changes: Sequence[Change]) -> None:
        self.world = world
        self.callers = callers
        self.changes = changes
        self.kinds = world.kinds
        self.at: list[float] = callers.at.tolist()
        self.kind: list[int] = callers.kind.tolist()
        self.number: list[int] = callers.number.tolist()
        self.work: list[float] = callers.work.tolist()
        self.after: list[float] = callers.after.tolist()
        self.patience: list[float] = callers.patience.tolist()
        self.balks: list[bool] = callers.balks.tolist()
        count, pools = len(self.at), len(world.serves)
        self.attempt = [0] * count
        self.wait = [0.0] * count
        self.out = [_WAITS] * count
        self.left = [0.0] * count
        self.idle = [0] * pools
        self.chatting = [0] * pools
        self.chats = [0] * pools
        self.letters: list[list[int]] = [[] for _ in range(pools)]
        self.lines: list[deque[int]] = [deque() for _ in self.kinds]
        self.serves = world.serves
        there = {pool for _, pool, change in changes if change > 0}
        self.hopeless = [there.isdisjoint(kind.pools) for kind in self.kinds]
        self.heap: list[tuple[float, int, int]] = []
        self.length = float(world.prepared.length_ms)

    def play(self) -> Counts:
        """Play the day and return what was counted."""
        heap, changes = self.heap, self.changes
        moments = np.concatenate(([change[0] for change in changes], self.callers.at))
        order = np.argsort(moments, kind="stable")
        times = [*moments[order].tolist(), EVER]
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
        return self._counts()

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
        if self.hopeless[self.kind[contact]] and self.patience[contact] < EVER:
            self._give_up(contact)  # or nobody would notice, and who gives up may call again
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
        world, kind = self.world, self.kinds[self.kind[contact]]
        delay = 0.0
        fresh = self.out[contact] == _WAITS
        if fresh:
            if not world.instant[kind.source]:
                delay = world.reactions[pool]
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
        again = world.prepared.sources[kind.source].demand.repeat
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
        found, oldest = -1, EVER
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
        again = self.world.prepared.sources[kind.source].demand.redial
        if again is not None:
            since = self.at[contact] + self.patience[contact]
            self._come_back(contact, again, "redial", since)

    def _come_back(self, contact: int, again: Again, purpose: str, since: float) -> None:
        """Put down a contact that returns; all its lots belong to (contact, attempt)."""
        source = self.world.prepared.sources[self.kinds[self.kind[contact]].source]
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
            EVER
            if demand.patience is None
            else float(duration_ms(demand.patience, lot(name, "patience", number, drawn)))
        )
        self.balks.append(False)
        self.attempt.append(attempt + 1)
        self.wait.append(0.0)
        self.out.append(_WAITS)
        self.left.append(0.0)
        heappush(self.heap, (float(at), new, -1))

    def _counts(self) -> Counts:
        """Count by demand and interval of arrival."""
        for line in self.lines:
            for contact in line:
                if self.patience[contact] < EVER:
                    self._give_up(contact)
        prepared = self.world.prepared
        sources, intervals = len(prepared.sources), prepared.intervals
        at = np.asarray(self.at)
        source_of = np.asarray([kind.source for kind in self.kinds])
        owner = source_of[np.asarray(self.kind, dtype=np.int64)] if len(at) else at.astype(int)
        cell = owner * intervals + rows_of(prepared, at)
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
