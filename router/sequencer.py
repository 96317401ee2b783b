"""Give every event its place and its time.

The sequencer is the only one who stamps. It lets due deadlines in, each as a `TimeAdvanced`
with its own instant, before any event that comes after them. An event stamped exactly at a
deadline comes before it: an answer at the last millisecond is in time.

It has two doors. `accept` and `advance` return entries, for who keeps a journal. `follow` and
`follow_time` tell a hearer of each step as soon as it is decided and keep nothing, for a
simulation that has thousands of days to play. Both stamp alike: same events, same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from router.decisions import Decision
from router.events import Event, Source, Stamped, TimeAdvanced
from router.journal import Entry

if TYPE_CHECKING:
    from router.router import Router

Hear: TypeAlias = Callable[[Stamped, tuple[Decision, ...]], None]

_TIME_ADVANCED = TimeAdvanced()


class Sequencer:
    """Stamp events for one router, in one order."""

    def __init__(self, router: Router) -> None:
        self.router = router

    def advance(self, now_ms: int) -> list[Entry]:
        """Let in every deadline that lies before `now_ms`.

        A driver whose clock reads `t` and that knows that nothing else will be stamped at or
        before `t` calls `advance(t + 1)`.
        """
        entries: list[Entry] = []
        router = self.router
        while True:
            due_ms = router.next_deadline()
            if due_ms is None or due_ms >= now_ms:
                return entries
            stamped = Stamped(router.seq + 1, max(due_ms, router.now_ms), _TIME_ADVANCED)
            entries.append(Entry(stamped, router.handle(stamped)))

    def accept(
        self,
        event: Event,
        now_ms: int,
        *,
        event_id: str = "",
        occurred_ms: int = 0,
        source: Source | None = None,
    ) -> list[Entry]:
        """Stamp and handle one event; due deadlines come first.

        Returns the entries made, the event's own last. Time never goes back: an event that
        is older than the last one gets the last one's time.
        """
        router = self.router
        at_ms = max(now_ms, router.now_ms)
        entries = self.advance(at_ms)
        stamped = Stamped(router.seq + 1, at_ms, event, event_id, occurred_ms)
        entries.append(Entry(stamped, router.handle(stamped), source))
        return entries

    def follow(
        self, event: Event, now_ms: int, hear: Hear, event_id: str = "", occurred_ms: int = 0
    ) -> None:
        """Stamp and handle one event as `accept` does, telling `hear` instead of keeping entries.

        `hear` is called once per stamped event, in order, after `handle` has returned. It may
        not come back in: what it has to say waits until this call is over.
        """
        router = self.router
        at_ms = max(now_ms, router.now_ms)
        if router.is_due_before(at_ms):
            self.follow_time(at_ms, hear)
        stamped = Stamped(router.seq + 1, at_ms, event, event_id, occurred_ms)
        hear(stamped, router.handle(stamped))

    def follow_time(self, now_ms: int, hear: Hear) -> None:
        """Let in every deadline that lies before `now_ms`, as `advance` does."""
        router = self.router
        while True:
            due_ms = router.next_deadline()
            if due_ms is None or due_ms >= now_ms:
                return
            stamped = Stamped(router.seq + 1, max(due_ms, router.now_ms), _TIME_ADVANCED)
            hear(stamped, router.handle(stamped))
