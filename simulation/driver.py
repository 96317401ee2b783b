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
from simpy.core import EmptySchedule, Infinity, StopSimulation

from router.decisions import Decision
from router.events import Event, Stamped
from router.journal import Entry
from router.router import Router
from router.sequencer import Sequencer

Act: TypeAlias = Callable[[Any], None]
Listener: TypeAlias = Callable[[Entry], object]
Observer: TypeAlias = Callable[[tuple[Decision, ...], int], None]


def _no_deadline() -> int | None:
    """Answer for a world without a router in it."""
    return None


class WorldEnvironment(simpy.Environment):
    """A SimPy environment in whole milliseconds with a second, cheap calendar beside its own.

    A third one, of deadlines, is asked by `_next_deadline` and served by `_fire`; `Driver` has
    it. All runs go through one loop, `_happen`, which alone decides what comes next.
    """

    _now: int

    def __init__(self, start_ms: int = 0) -> None:
        super().__init__(start_ms)
        self._acts: list[tuple[int, int, Act, Any]] = []
        self._act_numbers = count()
        self._next_deadline: Callable[[], int | None] = _no_deadline

    @property
    def now_ms(self) -> int:
        """Return the present instant, in milliseconds."""
        return self._now

    def schedule(
        self, event: simpy.Event, priority: Any = simpy.events.NORMAL, delay: float = 0
    ) -> None:
        """Put a SimPy event down; `delay` must be whole milliseconds."""
        if type(delay) is not int:
            raise _not_whole("a delay", delay)
        super().schedule(event, priority, delay)

    def call_at(self, at_ms: int, act: Act, subject: Any = None) -> None:
        """Call `act(subject)` at an instant, not before now."""
        if type(at_ms) is not int:
            raise _not_whole("an instant", at_ms)
        assert at_ms >= self._now, "the past is over"
        heappush(self._acts, (at_ms, next(self._act_numbers), act, subject))

    def call_in(self, delay_ms: int, act: Act, subject: Any = None) -> None:
        """Call `act(subject)` after a delay, which may be 0."""
        if type(delay_ms) is not int:
            raise _not_whole("a delay", delay_ms)
        assert delay_ms >= 0, "the past is over"
        heappush(self._acts, (self._now + delay_ms, next(self._act_numbers), act, subject))

    def peek(self) -> float:
        """Return the instant of the next happening or deadline, infinity if there is none."""
        at_ms: float = self._queue[0][0] if self._queue else Infinity
        if self._acts and self._acts[0][0] < at_ms:
            at_ms = self._acts[0][0]
        due_ms = self._next_deadline()
        if due_ms is not None and due_ms < at_ms:
            return max(due_ms, self._now)
        return at_ms

    def step(self) -> None:
        """Let the next thing happen: a happening, or the deadlines before all later ones.

        Raises `EmptySchedule` if nothing is left.
        """
        if not self._happen(Infinity, once=True):
            raise EmptySchedule

    def run(self, until: simpy.Event | float | None = None) -> Any:
        """Let happen all that happens strictly before `until`, an instant in milliseconds.

        The calendars are read again after each step. Afterwards the clock shows `until`. With a
        SimPy event, or None, it behaves as in SimPy.
        """
        if isinstance(until, simpy.Event):
            return super().run(until)
        if until is not None and until < self._now:
            raise ValueError(f"cannot run until {until}: the clock already shows {self._now}")
        try:
            self._happen(Infinity if until is None else until)
        except StopSimulation as stop:
            return stop.args[0]
        if until is not None:
            self._now = int(until)
        return None

    def _happen(self, limit_ms: float, *, once: bool = False) -> bool:
        """Let happen what lies strictly before a limit, all of it or `once` the next.

        Returns False when nothing is left before the limit.
        """
        acts, queue = self._acts, self._queue
        step_simpy = super().step
        while True:
            at_ms: float = acts[0][0] if acts else Infinity
            is_simpy = bool(queue) and queue[0][0] <= at_ms
            if is_simpy:
                at_ms = queue[0][0]
            due_ms = self._next_deadline()
            if due_ms is not None and due_ms < at_ms:
                if due_ms >= limit_ms:
                    return False
                self._fire(max(due_ms, self._now))
            elif at_ms >= limit_ms:
                return False
            elif is_simpy:
                step_simpy()
            else:
                self._now, _, act, subject = heappop(acts)
                act(subject)
            if once:
                return True

    def _fire(self, due_ms: int) -> None:
        """Let the deadlines of one instant in."""
        raise AssertionError(f"a world without deadlines has none at {due_ms}")


class Driver(WorldEnvironment):
    """A world's environment with a router in it.

    `listeners` hear every entry in order (journal, auditor, measures); then the world hears the
    entry's decisions through `observer`, set by whoever builds the world. Without listeners no
    entry is made.
    """

    def __init__(self, router: Router, start_ms: int, listeners: tuple[Listener, ...] = ()) -> None:
        super().__init__(start_ms)
        self.sequencer = Sequencer(router)
        self.listeners = listeners
        self.observer: Observer | None = None
        self._next_deadline = router.next_deadline
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
        self._next_deadline = router.next_deadline

    def feed(self, event: Event, event_id: str = "", occurred_ms: int = 0) -> None:
        """Hand one event to the router now, or next if it is busy."""
        if self._handling:
            self._inbox.append((event, event_id, occurred_ms))
            return
        self._handling = True
        try:
            self.sequencer.follow(event, self._now, self._hear, event_id, occurred_ms)
            if self._inbox:
                self._drain()
        finally:
            self._handling = False

    def _drain(self) -> None:
        """Hand in what was said while the router was busy, and what is said to that."""
        inbox, follow = self._inbox, self.sequencer.follow
        while inbox:
            event, event_id, occurred_ms = inbox.popleft()
            follow(event, self._now, self._hear, event_id, occurred_ms)

    def _hear(self, stamped: Stamped, decisions: tuple[Decision, ...]) -> None:
        if self.listeners:
            entry = Entry(stamped, decisions)
            for listener in self.listeners:
                listener(entry)
        if self.observer is not None:
            self.observer(decisions, stamped.at_ms)

    def _fire(self, due_ms: int) -> None:
        """Let the deadlines of one instant in; what their hearers say comes after them."""
        self._now = due_ms
        self._handling = True
        try:
            self.sequencer.follow_time(due_ms + 1, self._hear)
            self._drain()
        finally:
            self._handling = False


def _not_whole(what: str, given: object) -> TypeError:
    return TypeError(
        f"{what} of {given!r} was asked of the simulation, which counts whole "
        "milliseconds; round it, for example timeout(round(seconds * 1000))"
    )
