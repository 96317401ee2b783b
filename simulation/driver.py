"""Run the core under SimPy: one clock over three calendars.

- SimPy's own calendar: breaks, shifts, outages and a user's own generator processes.
- The world's calendar: plain tuples (instant, number, act, subject) in a heap. A process per
  customer, the textbook way, costs several times as much as the routing itself.
- The router's deadlines, asked by `next_deadline()`.

Ties, decided once: at one instant SimPy's happenings come first (the stage is set before anyone
acts), then the world's in the order in which they were put down, then the router's deadlines of
that instant. So an answer at the last millisecond is in time, in simulated as in live runs.
Deadlines of one instant fire as one block; who hears of their decisions acts after the block.

A decision is heard at the instant it was taken, after `handle` has returned. Who speaks while
decisions are being heard is put in a line and handled next, at the same instant: `handle` is
never entered twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Any, TypeAlias

import simpy
from simpy.core import EmptySchedule, Infinity

from router.decisions import Decision
from router.events import Event
from router.journal import Entry
from router.router import Router
from router.sequencer import Sequencer

Act: TypeAlias = Callable[[Any], None]
Listener: TypeAlias = Callable[[Entry], None]
Observer: TypeAlias = Callable[[tuple[Decision, ...], int], None]


class WorldEnvironment(simpy.Environment):
    """A SimPy environment in whole milliseconds with a second, cheap calendar beside its own."""

    def __init__(self, start_ms: int = 0) -> None:
        super().__init__(start_ms)
        self._acts: list[tuple[int, int, Act, Any]] = []
        self._act_numbers = count()

    @property
    def now_ms(self) -> int:
        """Return the present instant, in milliseconds."""
        return int(self._now)

    def schedule(
        self, event: simpy.Event, priority: Any = simpy.events.NORMAL, delay: float = 0
    ) -> None:
        """Put a SimPy event down; `delay` must be whole milliseconds."""
        if type(delay) is not int:
            raise TypeError(
                f"a delay of {delay!r} was asked of the simulation, which counts whole "
                "milliseconds; round it, for example timeout(round(seconds * 1000))"
            )
        super().schedule(event, priority, delay)

    def call_at(self, at_ms: int, act: Act, subject: Any = None) -> None:
        """Call `act(subject)` at an instant, not before now."""
        assert at_ms >= self._now, "the past is over"
        heappush(self._acts, (at_ms, next(self._act_numbers), act, subject))

    def call_in(self, delay_ms: int, act: Act, subject: Any = None) -> None:
        """Call `act(subject)` after a delay, which may be 0."""
        self.call_at(self.now_ms + delay_ms, act, subject)

    def peek(self) -> float:
        """Return the instant of the next happening, infinity if there is none."""
        at_ms = self._queue[0][0] if self._queue else Infinity
        if self._acts and self._acts[0][0] < at_ms:
            return self._acts[0][0]
        return at_ms

    def step(self) -> None:
        """Let the next thing happen; raise `EmptySchedule` if there is none."""
        acts, queue = self._acts, self._queue
        if acts and (not queue or acts[0][0] < queue[0][0]):
            self._now, _, act, subject = heappop(acts)
            act(subject)
            return
        super().step()

    def run(self, until: simpy.Event | float | None = None) -> Any:
        """Let happen all that happens strictly before `until`, an instant in milliseconds.

        The calendars are read again after each step. Afterwards the clock shows `until`. With a
        SimPy event, or None, it behaves as in SimPy.
        """
        if until is None or isinstance(until, simpy.Event):
            return super().run(until)
        if until < self._now:
            raise ValueError(f"cannot run until {until}: the clock already shows {self._now}")
        while self._step_before(until):
            pass
        self._now = int(until)
        return None

    def _step_before(self, limit_ms: float) -> bool:
        """Let the next thing happen if that is strictly before a limit; say whether it did."""
        if self.peek() >= limit_ms:
            return False
        self.step()
        return True


class Driver(WorldEnvironment):
    """A world's environment with a router in it.

    `listeners` hear every entry in order (journal, auditor, measures); then the world hears the
    entry's decisions through `observer`, set by whoever builds the world.
    """

    def __init__(self, router: Router, start_ms: int, listeners: tuple[Listener, ...] = ()) -> None:
        super().__init__(start_ms)
        self.sequencer = Sequencer(router)
        self.listeners = listeners
        self.observer: Observer | None = None
        self._inbox: deque[tuple[Event, str, int]] = deque()
        self._handling = False

    @property
    def router(self) -> Router:
        """Return the router in charge."""
        return self.sequencer.router

    def replace_router(self, router: Router) -> None:
        """Go on with another router (restored from a snapshot) at the same point."""
        assert not self._handling, "a router is replaced between two events"
        self.sequencer.router = router

    def feed(self, event: Event, event_id: str = "", occurred_ms: int = 0) -> None:
        """Hand one event to the router now, or next if it is busy."""
        self._inbox.append((event, event_id, occurred_ms))
        if not self._handling:
            self._drain()

    def _drain(self) -> None:
        self._handling = True
        try:
            while self._inbox:
                event, event_id, occurred_ms = self._inbox.popleft()
                self._tell(
                    self.sequencer.accept(
                        event, self.now_ms, event_id=event_id, occurred_ms=occurred_ms
                    )
                )
        finally:
            self._handling = False

    def _tell(self, entries: list[Entry]) -> None:
        observer = self.observer
        for entry in entries:
            for listener in self.listeners:
                listener(entry)
            if observer is not None:
                observer(entry.decisions, entry.stamped.at_ms)

    def _fire(self, due_ms: int) -> None:
        """Let the deadlines of one instant in; what their hearers say comes after them."""
        self._now = due_ms
        self._handling = True
        try:
            self._tell(self.sequencer.advance(due_ms + 1))
        finally:
            self._handling = False
        self._drain()

    def peek(self) -> float:
        """Return the instant of the next happening or deadline, infinity if there is none."""
        at_ms = super().peek()
        due_ms = self.sequencer.router.next_deadline()
        if due_ms is not None and due_ms < at_ms:
            return max(due_ms, self._now)
        return at_ms

    def step(self) -> None:
        """Let the next thing happen: a happening, or the deadlines before all later ones."""
        if not self._step_before(Infinity):
            raise EmptySchedule

    def _step_before(self, limit_ms: float) -> bool:
        due_ms = self.sequencer.router.next_deadline()
        at_ms = super().peek()
        if due_ms is not None and due_ms < at_ms:
            if due_ms >= limit_ms:
                return False
            self._fire(max(due_ms, self.now_ms))
            return True
        if at_ms >= limit_ms:
            return False
        super().step()
        return True
