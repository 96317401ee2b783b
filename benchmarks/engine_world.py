"""Run the simulated-day models on the engine inside SimPy: `simulation.driver.Driver`.

Customers and agents act through the driver's calendar; the router, its offers and its timers run
as in any simulation of the product. With `keep` every entry is kept, as peers keep a record per
customer.
"""

from __future__ import annotations

from benchmarks.centers import START_MS, name_agent, simulated_day
from benchmarks.customers import ABANDONED, SERVED_AFTER_WAIT, Customers, Model
from benchmarks.engine_loops import TALK_PERCENT
from router.decisions import AssignContact, Decision, OfferContact, StartWrapUp
from router.events import (
    AgentSignedIn,
    CenterChanged,
    ContactAbandoned,
    ContactArrived,
    ContactEnded,
    OfferAccepted,
    WrapUpEnded,
)
from router.journal import Entry
from router.router import Router
from simulation.driver import Driver


class _World:
    """Be the customers and the agents."""

    def __init__(self, model: Model, customers: Customers, *, offers: bool, keep: bool) -> None:
        self.customers = customers
        self.outcome = bytearray(len(customers))
        self.served = bytearray(len(customers))
        self.journal: list[Entry] = []
        listeners = (self.journal.append,) if keep else ()
        self.driver = Driver(Router(), START_MS, listeners)
        self.driver.observer = self.hear
        self.offers = offers
        self.talk_percent = TALK_PERCENT if offers else 100
        self.driver.feed(CenterChanged(center=simulated_day(model, offers=offers)))
        for agent in range(model.agents):
            self.driver.feed(AgentSignedIn(agent_id=name_agent(agent)))
        self.driver.call_at(START_MS + customers.arrivals_ms[0], self.arrive, 0)

    def arrive(self, who: int) -> None:
        """Let a customer in, and put the next one down."""
        driver, customers = self.driver, self.customers
        if who + 1 < len(customers):
            driver.call_at(START_MS + customers.arrivals_ms[who + 1], self.arrive, who + 1)
        driver.feed(ContactArrived(str(who), "phone", f"category-{customers.categories[who]}"))
        if not self.served[who]:
            self.outcome[who] = SERVED_AFTER_WAIT
            driver.call_in(customers.patiences_ms[who], self.lose_patience, who)

    def lose_patience(self, who: int) -> None:
        """Give up, unless served meanwhile."""
        if not self.served[who]:
            self.outcome[who] = ABANDONED
            self.driver.feed(ContactAbandoned(str(who)))

    def hear(self, decisions: tuple[Decision, ...], _at_ms: int) -> None:
        """Do what customers and agents do when they hear a decision."""
        driver = self.driver
        for decision in decisions:
            kind = type(decision)
            if kind is AssignContact:
                assert isinstance(decision, AssignContact)
                contact_id = decision.contact_id
                who = int(contact_id)
                self.served[who] = 1
                talk_ms = self.customers.services_ms[who] * self.talk_percent // 100
                driver.call_in(talk_ms, driver.feed, ContactEnded(contact_id))
            elif kind is OfferContact:
                assert isinstance(decision, OfferContact)
                if self.offers:
                    driver.feed(
                        OfferAccepted(decision.offer_id, decision.contact_id, decision.agent_id)
                    )
            elif kind is StartWrapUp:
                assert isinstance(decision, StartWrapUp)
                service_ms = self.customers.services_ms[int(decision.contact_id)]
                rest_ms = service_ms - service_ms * self.talk_percent // 100
                ended = WrapUpEnded(decision.contact_id, decision.agent_id)
                driver.call_in(rest_ms, driver.feed, ended)

    def serve(self) -> bytearray:
        """Run until the last customer has gone; a closed contact leaves no timer behind."""
        self.driver.run()
        return self.outcome


def run(model: Model, customers: Customers) -> bytearray:
    """Serve with auto-accepting agents and without wrap-up, as the peers do."""
    return _World(model, customers, offers=False, keep=False).serve()


def run_keeping_entries(model: Model, customers: Customers) -> bytearray:
    """Serve the same and keep the whole journal in memory."""
    return _World(model, customers, offers=False, keep=True).serve()


def run_with_offers(model: Model, customers: Customers) -> bytearray:
    """Serve with every step of a contact: offer, acceptance, wrap-up, an answer clock."""
    return _World(model, customers, offers=True, keep=False).serve()
