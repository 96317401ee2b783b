"""Draw a day of a growing phone centre and let the core decide it: a log to be replayed.

Every step of a contact is in it: offer, acceptance after 2 s, talk, wrap-up, abandonment, the
timers of offer, wrap-up and answer clock. The load is the same at every size.
"""

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np

from benchmarks.centers import START_MS, growing, name_agent
from router.center import Center
from router.decisions import AssignContact, Decision, OfferContact, StartWrapUp
from router.events import (
    AgentSignedIn,
    CenterChanged,
    ContactAbandoned,
    ContactArrived,
    ContactEnded,
    Event,
    OfferAccepted,
    Stamped,
    TimeAdvanced,
    WrapUpEnded,
)
from router.router import Router

LOAD = 0.95
POOL = 20
TALK_MEAN_MS = 240_000
WRAP_UP_MEAN_MS = 30_000
PATIENCE_MEAN_MS = 120_000
REACTION_MS = 2_000
_TIME_ADVANCED = TimeAdvanced()


class _Day:
    """Play customers and agents, and write down every stamped event."""

    def __init__(self, center: Center, seed: int) -> None:
        self.center = center
        self.generator = np.random.Generator(np.random.PCG64(seed))
        self.router = Router()
        self.log: list[Stamped] = []
        self.heap: list[tuple[int, int, Event | None]] = []
        self.number = 0
        self.arrived = 0
        self.waiting: set[str] = set()
        self.buffer: list[float] = []

    def exponential_ms(self, mean_ms: float) -> int:
        if not self.buffer:
            self.buffer = self.generator.standard_exponential(4_096).tolist()
        return max(1, int(self.buffer.pop() * mean_ms))

    def push(self, at_ms: int, event: Event | None) -> None:
        self.number += 1
        heappush(self.heap, (at_ms, self.number, event))

    def stamp(self, at_ms: int, event: Event) -> None:
        stamped = Stamped(len(self.log) + 1, at_ms, event)
        self.log.append(stamped)
        self.follow(self.router.handle(stamped), at_ms)

    def feed(self, at_ms: int, event: Event) -> None:
        while True:
            due_ms = self.router.next_deadline()
            if due_ms is None or due_ms >= at_ms:
                break
            self.stamp(due_ms, _TIME_ADVANCED)
        self.stamp(at_ms, event)

    def follow(self, decisions: tuple[Decision, ...], now_ms: int) -> None:
        for decision in decisions:
            if isinstance(decision, OfferContact):
                contact_id, agent_id = decision.contact_id, decision.agent_id
                accepted = OfferAccepted(decision.offer_id, contact_id, agent_id)
                self.push(now_ms + REACTION_MS, accepted)
            elif isinstance(decision, AssignContact):
                self.waiting.discard(decision.contact_id)
                talk_ms = self.exponential_ms(TALK_MEAN_MS)
                self.push(now_ms + talk_ms, ContactEnded(decision.contact_id))
            elif isinstance(decision, StartWrapUp):
                ended = WrapUpEnded(decision.contact_id, decision.agent_id)
                self.push(now_ms + self.exponential_ms(WRAP_UP_MEAN_MS), ended)

    def arrive(self, now_ms: int) -> None:
        contact_id = f"contact-{self.arrived}"
        self.arrived += 1
        self.waiting.add(contact_id)
        skill = int(self.generator.integers(POOL))
        self.feed(now_ms, ContactArrived(contact_id, "phone", f"category-{skill}"))
        patience_ms = REACTION_MS + self.exponential_ms(PATIENCE_MEAN_MS)
        self.push(now_ms + patience_ms, ContactAbandoned(contact_id))

    def run_until(self, events: int, gap_ms: float) -> None:
        """Go on until the log holds `events`; None in the heap is the next arrival."""
        while len(self.log) < events:
            at_ms, _, event = heappop(self.heap)
            if event is None:
                self.arrive(at_ms)
                self.push(at_ms + self.exponential_ms(gap_ms), None)
            elif not isinstance(event, ContactAbandoned) or event.contact_id in self.waiting:
                self.feed(at_ms, event)


def draw(agents: int, measured: int, seed: int = 11) -> tuple[list[Stamped], int]:
    """Return the log, and the index in it at which the steady part begins.

    The centre is filled with as many contacts as its load keeps busy; then a good part of them
    is served before the steady part of `measured` events.
    """
    day = _Day(growing(agents, pool=POOL), seed)
    day.stamp(START_MS, CenterChanged(center=day.center))
    for agent in range(agents):
        day.stamp(START_MS, AgentSignedIn(agent_id=name_agent(agent)))
    handle_ms = TALK_MEAN_MS + WRAP_UP_MEAN_MS + REACTION_MS
    for _ in range(int(LOAD * agents)):
        day.arrive(START_MS)
    gap_ms = handle_ms / (LOAD * agents)
    day.push(START_MS + 1, None)
    settled = len(day.log) + max(2_000, 2 * agents)
    day.run_until(settled, gap_ms)
    begin = len(day.log)
    day.run_until(begin + measured, gap_ms)
    return day.log, begin
