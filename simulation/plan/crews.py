"""Keep as many agents of a group at work as each interval wants, whoever they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulation.plan.desks import Desk, Desks


class Crew:
    """A group of which so many are at work in each interval, whoever they are.

    When fewer are wanted, the idle go first. If too few are idle, nobody of the others takes a
    new contact until as many have finished as are too many; they are the ones who go.
    """

    def __init__(self, desks: Desks, index: int) -> None:
        self.desks = desks
        self.index = index
        self.members: list[Desk] = []
        self.owed_since: list[int] = []

    def start(self, absent: set[str]) -> None:
        """Plan the changes of size; who is absent leaves a gap."""
        desks, day = self.desks, self.desks.day
        wanted = [
            member.agent_id not in absent
            for member in day.prepared.staff.members
            if member.group == self.index
        ]
        everybody = [desk for desk in desks.desks.values() if desk.index == self.index]
        self.members = [desk for desk, there in zip(everybody, wanted, strict=True) if there]
        sizes = day.prepared.staff.plans[self.index].staffed
        for number, size in enumerate(sizes):
            day.call_at(number * day.interval_ms, self.set_size, sum(wanted[:size]))
        day.call_at(day.length_ms, self._close, None)

    def _close(self, _: object) -> None:
        if not self.desks.late.stay_on(self):
            self.set_size(0)

    def set_size(self, wanted: int) -> None:
        """Let so many be at work from now on."""
        desks, now = self.desks, self.desks.day.now()
        on = [desk for desk in self.members if desk.signed_ms >= 0]
        surplus = len(on) - len(self.owed_since) - wanted
        while surplus < 0 and self.owed_since:
            self.owed_since.pop()
            surplus += 1
        if surplus < 0:
            free = [desk for desk in self.members if desk.signed_ms < 0]
            for desk in free[:-surplus]:
                desks.sign_in(desk)
        for desk in on:
            if surplus > 0 and not desk.calls:
                desks.sign_out(desk)
                surplus -= 1
        self.owed_since += [now] * max(surplus, 0)
        self._bar()

    def _bar(self) -> None:
        """Let the busy take nothing new as long as some of them must go."""
        for desk in self.members:
            barred = bool(self.owed_since) and bool(desk.calls)
            if desk.signed_ms >= 0 and desk.barred != barred:
                desk.barred = barred
                if not desk.resting and not desk.pause_ms:
                    self.desks.show(desk, working=not barred)

    def freed(self, desk: Desk) -> None:
        """Let one who has finished go, if some must; else he takes work again."""
        desk.barred = False
        if self.owed_since:
            desk.after_ms = self.owed_since.pop(0)
            self.desks.sign_out(desk)
            if not self.owed_since:
                self._bar()
        elif desk.pause_ms:
            self.desks.rest(desk)
        else:
            self.desks.show(desk, working=True)
