"""Turn one clock through three calendars: the loop of every simulated run.

- SimPy's own calendar: breaks, shifts, outages and a user's own generator processes.
- The world's calendar: plain tuples (instant, number, act, subject) in a heap. A process per
  customer, the textbook way, costs several times as much as the routing itself.
- The router's deadlines.

Ties, decided once: at one instant SimPy's happenings come first (the stage is set before anyone
acts), then the world's in the order in which they were put down, then the router's deadlines of
that instant. So an answer at the last millisecond is in time, in simulated as in live runs.
Deadlines of one instant fire as one block; who hears of their decisions acts after the block.

A decision is heard at the instant it was taken, after `handle` has returned. Who speaks while
decisions are being heard is put in a line and handled next, at the same instant: `handle` is
never entered twice.

A compiled build compiles this; `driver` puts SimPy around it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any, Final, TypeAlias

from router.decisions import Decision
from router.events import Event, Stamped
from router.journal import Entry
from router.router import Router
from router.sequencer import Sequencer

Act: TypeAlias = Callable[[Any], object]
Listener: TypeAlias = Callable[[Entry], object]
Observer: TypeAlias = Callable[[tuple[Decision, ...], int], None]

ENDLESS_MS: Final = 1 << 60


def not_whole(what: str, given: object) -> TypeError:
    """Return the error about a time that is not in whole milliseconds."""
    return TypeError(
        f"{what} of {given!r} was asked of the simulation, which counts whole "
        "milliseconds; round it, for example timeout(round(seconds * 1000))"
    )


class Clockwork:
    """A clock in whole milliseconds; `happenings` is SimPy's calendar, served by `step_simpy`."""

    def __init__(self, start_ms: int) -> None:
        self.now_ms = start_ms
        self.acts: list[tuple[int, int, Act, Any]] = []
        self.number = 0
        self.happenings: list[Any] = []
        self.step_simpy: Callable[[], None] | None = None

    def call_at(self, at_ms: int, act: Act, subject: Any = None) -> None:
        """Call `act(subject)` at an instant, not before now."""
        if type(at_ms) is not int:
            raise not_whole("an instant", at_ms)
        assert at_ms >= self.now_ms, "the past is over"
        number = self.number
        self.number = number + 1
        heappush(self.acts, (at_ms, number, act, subject))

    def call_in(self, delay_ms: int, act: Act, subject: Any = None) -> None:
        """Call `act(subject)` after a delay, which may be 0."""
        if type(delay_ms) is not int:
            raise not_whole("a delay", delay_ms)
        assert delay_ms >= 0, "the past is over"
        number = self.number
        self.number = number + 1
        heappush(self.acts, (self.now_ms + delay_ms, number, act, subject))

    def is_due_before(self, _at_ms: int) -> bool:
        """Say whether a deadline lies before an instant."""
        return False

    def next_deadline(self) -> int:
        """Return the next deadline, `ENDLESS_MS` if there is none."""
        return ENDLESS_MS

    def fire(self, due_ms: int) -> None:
        """Let the deadlines of one instant in."""
        raise AssertionError(f"a world without deadlines has none at {due_ms}")

    def happen(self, limit_ms: int, *, once: bool) -> bool:
        """Let happen what lies strictly before a limit, all of it or `once` the next.

        The calendars are read again after each step. Returns False when nothing is left before
        the limit.
        """
        acts, happenings = self.acts, self.happenings
        while True:
            at_ms = acts[0][0] if acts else ENDLESS_MS
            is_simpy = False
            if happenings and happenings[0][0] <= at_ms:
                is_simpy = True
                at_ms = happenings[0][0]
            if self.is_due_before(at_ms):
                due_ms = self.next_deadline()
                if due_ms >= limit_ms:
                    return False
                self.fire(max(due_ms, self.now_ms))
            elif at_ms >= limit_ms:
                return False
            elif is_simpy:
                step = self.step_simpy
                assert step is not None, "happenings are SimPy's"
                step()
            else:
                self.now_ms, _, act, subject = heappop(acts)
                act(subject)
            if once:
                return True

    def run(self, until_ms: int) -> None:
        """Let happen all that happens strictly before an instant; then the clock shows it."""
        self.happen(until_ms, once=False)
        self.now_ms = until_ms


class RouterClockwork(Clockwork):
    """A clock with a router's deadlines, which also hands the router its events.

    `listeners` hear every entry in order (journal, auditor, measures); then the world hears the
    entry's decisions through `observer`. Without listeners no entry is made.
    """

    def __init__(self, router: Router, start_ms: int, listeners: tuple[Listener, ...]) -> None:
        super().__init__(start_ms)
        self.sequencer = Sequencer(router)
        self.listeners = listeners
        self.observer: Observer | None = None
        self.is_handling = False
        self._inbox: deque[tuple[Event, str, int]] = deque()

    def is_due_before(self, at_ms: int) -> bool:
        """Say whether a deadline lies before an instant."""
        return self.sequencer.router.is_due_before(at_ms)

    def next_deadline(self) -> int:
        """Return the next deadline, `ENDLESS_MS` if there is none."""
        due_ms = self.sequencer.router.next_deadline()
        return ENDLESS_MS if due_ms is None else due_ms

    def replace_router(self, router: Router) -> None:
        """Go on with another router (restored from a snapshot) at the same point."""
        assert not self.is_handling, "a router is replaced between two events"
        self.sequencer.router = router

    def feed(self, event: Event, event_id: str = "", occurred_ms: int = 0) -> None:
        """Hand one event to the router now, or next if it is busy."""
        if self.is_handling:
            self._inbox.append((event, event_id, occurred_ms))
            return
        self.is_handling = True
        try:
            self.sequencer.follow(event, self.now_ms, self._hear, event_id, occurred_ms)
            if self._inbox:
                self._drain()
        finally:
            self.is_handling = False

    def _drain(self) -> None:
        """Hand in what was said while the router was busy, and what is said to that."""
        inbox, follow = self._inbox, self.sequencer.follow
        while inbox:
            event, event_id, occurred_ms = inbox.popleft()
            follow(event, self.now_ms, self._hear, event_id, occurred_ms)

    def _hear(self, stamped: Stamped, decisions: tuple[Decision, ...]) -> None:
        if self.listeners:
            entry = Entry(stamped, decisions)
            for listener in self.listeners:
                listener(entry)
        if self.observer is not None:
            self.observer(decisions, stamped.at_ms)

    def fire(self, due_ms: int) -> None:
        """Let the deadlines of one instant in; what their hearers say comes after them."""
        self.now_ms = due_ms
        self.is_handling = True
        try:
            self.sequencer.follow_time(due_ms + 1, self._hear)
            self._drain()
        finally:
            self.is_handling = False
