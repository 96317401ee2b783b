"""Dial customers while agents are idle: a demand that the centre makes itself.

A dialer looks when an agent ends a contact, and every so often. What answers becomes an ordinary
contact of its demand, with its category, work and patience; who serves it is for the router to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from configs.planning import Dialer
from simulation.plan.laws import duration_ms, law_at

if TYPE_CHECKING:
    from simulation.plan.day import Day
    from simulation.plan.prepared import Source


class Line:
    """One dialer at work: the numbers it has tried, and those that still ring."""

    __slots__ = ("agents", "beside", "dialer", "end_ms", "ringing", "source", "start_ms", "tried")

    def __init__(self, source: Source, dialer: Dialer, day: Day) -> None:
        staff = day.prepared.staff
        self.source = source
        self.dialer = dialer
        self.start_ms = day.offset_of(dialer.start)
        self.end_ms = min(day.offset_of(dialer.end), day.length_ms)
        self.agents = [m.agent_id for m in staff.members if staff.groups[m.group] in dialer.groups]
        self.beside = [m.agent_id for m in staff.members if staff.groups[m.group] in dialer.beside]
        self.ringing = 0
        self.tried = 0


class Dialers:
    """Play all dialers of one day."""

    def __init__(self, day: Day) -> None:
        self.day = day
        self.lines = [
            Line(source, source.demand.dialer, day)
            for source in day.prepared.sources
            if source.demand.dialer is not None
        ]

    def start(self) -> None:
        """Plan the looks that no end of a contact sets off."""
        for line in self.lines:
            if line.dialer.every_ms and line.start_ms < line.end_ms:
                self.day.call_at(max(line.start_ms, self.day.now()), self._look_often, line)

    def freed(self) -> None:
        """Hear that an agent has no contact any more; he may get the next one at once."""
        if self.lines:
            self.day.call_in(0, self._look_all, None)

    def _look_all(self, _: object) -> None:
        for line in self.lines:
            self._look(line)

    def _look_often(self, line: Line) -> None:
        self._look(line)
        if self.day.now() + line.dialer.every_ms < line.end_ms:
            self.day.call_in(line.dialer.every_ms, self._look_often, line)

    def _look(self, line: Line) -> None:
        """Dial, if enough agents are idle."""
        day, dialer = self.day, line.dialer
        now = day.now()
        if not line.start_ms <= now < line.end_ms:
            return
        idle = self._idle(line.agents)
        if not idle or idle + self._idle(line.beside) < dialer.idle_min:
            return
        tries = round(dialer.lines_per_agent * idle) - line.ringing
        if dialer.numbers:
            tries = min(tries, dialer.numbers - line.tried)
        reach = dialer.reach[min(now // day.interval_ms, len(dialer.reach) - 1)]
        for _ in range(tries):
            number = line.tried
            line.tried += 1
            day.customers.dialled(line.source)
            answers = day.lots.uniform(line.source, "reach", number) < reach
            if dialer.rings is None:
                if answers:
                    day.customers.reached(line.source, number)
                continue
            line.ringing += 1
            law = law_at(dialer.rings, day.prepared.opens_ms + now)
            rings_ms = duration_ms(law, day.lots.uniform(line.source, "rings", number))
            day.call_in(rings_ms, self._rang, (line, number, answers))

    def _rang(self, subject: tuple[Line, int, bool]) -> None:
        line, number, answers = subject
        line.ringing -= 1
        if answers:
            self.day.customers.reached(line.source, number)

    def _idle(self, agent_ids: list[str]) -> int:
        """Return how many of these have nothing in hand and are offered nothing, but could be."""
        agents = self.day.driver.router.floor.agents
        found = 0
        for agent_id in agent_ids:
            agent = agents[agent_id]
            if agent.open_mask and not agent.works and not agent.offered_units:
                found += 1
        return found
