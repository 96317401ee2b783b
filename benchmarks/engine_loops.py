"""Run the simulated-day models on the bare core: a heap loop feeds it, no SimPy anywhere.

This is the core's own cost. Peers' rule for outcomes holds: 0 served at once, 1 served after a
wait, 2 abandoned.
"""

from __future__ import annotations

from heapq import heappop, heappush

from benchmarks.centers import START_MS, name_agent, simulated_day
from benchmarks.customers import ABANDONED, SERVED_AFTER_WAIT, Customers, Model
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

TALK_PERCENT = 80
_TIME_ADVANCED = TimeAdvanced()


class Loop:
    """Feed a router from a heap of (instant, number, event)."""

    def __init__(self, model: Model, customers: Customers, *, offers: bool) -> None:
        self.customers = customers
        self.outcome = bytearray(len(customers))
        self.waiting = bytearray(len(customers))
        self.router = Router()
        self.seq = 0
        self.heap: list[tuple[int, int, Event]] = []
        self.number = 0
        self.offers = offers
        self.talk_percent = TALK_PERCENT if offers else 100
        self.feed(START_MS, CenterChanged(center=simulated_day(model, offers=offers)))
        for agent in range(model.agents):
            self.feed(START_MS, AgentSignedIn(agent_id=name_agent(agent)))

    def push(self, at_ms: int, event: Event) -> None:
        """Put an event down for later."""
        self.number += 1
        heappush(self.heap, (at_ms, self.number, event))

    def feed(self, at_ms: int, event: Event) -> None:
        """Let due deadlines in, then the event, and follow the decisions of each."""
        router = self.router
        while True:
            due_ms = router.next_deadline()
            if due_ms is None or due_ms >= at_ms:
                break
            self.seq += 1
            decisions = router.handle(Stamped(self.seq, due_ms, _TIME_ADVANCED))
            self.follow(decisions, due_ms)
        self.seq += 1
        self.follow(router.handle(Stamped(self.seq, at_ms, event)), at_ms)

    def follow(self, decisions: tuple[Decision, ...], now_ms: int) -> None:
        """Do what customers and agents do when they hear a decision."""
        for decision in decisions:
            kind = type(decision)
            if kind is AssignContact:
                assert isinstance(decision, AssignContact)
                contact_id = decision.contact_id
                who = int(contact_id)
                if self.waiting[who]:
                    self.outcome[who] = SERVED_AFTER_WAIT
                talk_ms = self.customers.services_ms[who] * self.talk_percent // 100
                self.push(now_ms + talk_ms, ContactEnded(contact_id))
            elif kind is OfferContact:
                assert isinstance(decision, OfferContact)
                if self.offers:
                    accepted = OfferAccepted(
                        decision.offer_id, decision.contact_id, decision.agent_id
                    )
                    self.push(now_ms, accepted)
            elif kind is StartWrapUp:
                assert isinstance(decision, StartWrapUp)
                service_ms = self.customers.services_ms[int(decision.contact_id)]
                rest_ms = service_ms - service_ms * self.talk_percent // 100
                self.push(now_ms + rest_ms, WrapUpEnded(decision.contact_id, decision.agent_id))

    def serve(self) -> bytearray:
        """Let all customers arrive and go."""
        heap, customers = self.heap, self.customers
        people = zip(
            customers.arrivals_ms, customers.patiences_ms, customers.categories, strict=True
        )
        for who, (arrival, patience_ms, category) in enumerate(people):
            now_ms = START_MS + arrival
            while heap and heap[0][0] <= now_ms:
                at_ms, _, event = heappop(heap)
                self.happen(at_ms, event)
            contact_id = str(who)
            before = self.number
            self.feed(now_ms, ContactArrived(contact_id, "phone", f"category-{category}"))
            if self.number == before:
                self.waiting[who] = 1
                self.push(now_ms + patience_ms, ContactAbandoned(contact_id))
        while heap:
            at_ms, _, event = heappop(heap)
            self.happen(at_ms, event)
        return self.outcome

    def happen(self, at_ms: int, event: Event) -> None:
        """Feed an event that is due, unless it is a patience that no longer matters."""
        if type(event) is ContactAbandoned:
            assert isinstance(event, ContactAbandoned)
            who = int(event.contact_id)
            if self.outcome[who] == SERVED_AFTER_WAIT:
                return
            self.outcome[who] = ABANDONED
        self.feed(at_ms, event)


def run(model: Model, customers: Customers) -> bytearray:
    """Serve with auto-accepting agents and without wrap-up, as the peers do."""
    return Loop(model, customers, offers=False).serve()


def run_with_offers(model: Model, customers: Customers) -> bytearray:
    """Serve with every step of a contact: offer, acceptance, wrap-up, an answer clock."""
    return Loop(model, customers, offers=True).serve()
