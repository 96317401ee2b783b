"""Run the core under SimPy: an environment whose loop is a clockwork of three calendars.

`clockwork` says what comes first at one instant. Here is the face of it that SimPy's processes
and the worlds see: delays and instants in whole milliseconds, `run`, `step`, `peek`.
"""

from __future__ import annotations

import math
from typing import Any

import simpy
from simpy.core import EmptySchedule, Infinity, StopSimulation

from router.router import Router
from simulation.clockwork import (
    ENDLESS_MS,
    Act,
    Clockwork,
    Listener,
    Observer,
    RouterClockwork,
    not_whole,
)

__all__ = ["Act", "Driver", "Listener", "Observer", "WorldEnvironment"]


class WorldEnvironment(simpy.Environment):
    """A SimPy environment in whole milliseconds with a second, cheap calendar beside its own."""

    def __init__(self, start_ms: int = 0, clockwork: Clockwork | None = None) -> None:
        self.clockwork = clockwork or Clockwork(start_ms)
        super().__init__(start_ms)
        self.clockwork.happenings = self._queue
        self.clockwork.step_simpy = super().step
        self.call_at = self.clockwork.call_at
        self.call_in = self.clockwork.call_in

    @property
    def _now(self) -> int:
        return self.clockwork.now_ms

    @_now.setter
    def _now(self, now_ms: int) -> None:
        self.clockwork.now_ms = now_ms

    @property
    def now_ms(self) -> int:
        """Return the present instant, in milliseconds."""
        return self.clockwork.now_ms

    def schedule(
        self, event: simpy.Event, priority: Any = simpy.events.NORMAL, delay: float = 0
    ) -> None:
        """Put a SimPy event down; `delay` must be whole milliseconds."""
        if type(delay) is not int:
            raise not_whole("a delay", delay)
        super().schedule(event, priority, delay)

    def peek(self) -> float:
        """Return the instant of the next happening or deadline, infinity if there is none."""
        clockwork = self.clockwork
        at_ms: float = self._queue[0][0] if self._queue else Infinity
        if clockwork.acts and clockwork.acts[0][0] < at_ms:
            at_ms = clockwork.acts[0][0]
        due_ms = clockwork.next_deadline()
        if due_ms != ENDLESS_MS and due_ms < at_ms:
            return max(due_ms, clockwork.now_ms)
        return at_ms

    def step(self) -> None:
        """Let the next thing happen: a happening, or the deadlines before all later ones.

        Raises `EmptySchedule` if nothing is left.
        """
        if not self.clockwork.happen(ENDLESS_MS, once=True):
            raise EmptySchedule

    def run(self, until: simpy.Event | float | None = None) -> Any:
        """Let happen all that happens strictly before `until`, an instant in milliseconds.

        The calendars are read again after each step. Afterwards the clock shows `until`. With a
        SimPy event, or None, it behaves as in SimPy.
        """
        if isinstance(until, simpy.Event):
            return super().run(until)
        clockwork = self.clockwork
        if until is not None and until < clockwork.now_ms:
            raise ValueError(f"cannot run until {until}: the clock already shows {self._now}")
        try:
            clockwork.happen(ENDLESS_MS if until is None else math.ceil(until), once=False)
        except StopSimulation as stop:
            return stop.args[0]
        if until is not None:
            clockwork.now_ms = int(until)
        return None


class Driver(WorldEnvironment):
    """A world's environment with a router in it.

    `listeners` hear every entry in order (journal, auditor, measures); then the world hears the
    entry's decisions through `observer`, set by whoever builds the world.
    """

    def __init__(self, router: Router, start_ms: int, listeners: tuple[Listener, ...] = ()) -> None:
        clockwork = RouterClockwork(router, start_ms, listeners)
        super().__init__(start_ms, clockwork)
        self.clockwork: RouterClockwork = clockwork
        self.feed = clockwork.feed
        self.replace_router = clockwork.replace_router

    @property
    def router(self) -> Router:
        """Return the router in charge."""
        return self.clockwork.sequencer.router

    @property
    def observer(self) -> Observer | None:
        """Return who hears the decisions in the world."""
        return self.clockwork.observer

    @observer.setter
    def observer(self, observer: Observer | None) -> None:
        self.clockwork.observer = observer
