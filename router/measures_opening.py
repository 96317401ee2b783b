"""Begin to count in a centre that is already at work: after a snapshot, or in the middle of a day.

A worker that starts again must not count the day twice, but it must know who waits and who
works. So the books are opened by telling `Measures` of everybody who is in the house, as if
he had just come, and forgetting these counts. From then on: arrivals and who was there = exits
and who waits. What the router need not remember is taken as it is now: a promise counts in the
queue in which its contact is, wherever its clock began.
"""

from __future__ import annotations

from router import states
from router.decisions import (
    AssignContact,
    BreachSla,
    CloseContact,
    Decision,
    EndAssignment,
    EnqueueContact,
    OfferContact,
    Reason,
    StartSla,
    StartWrapUp,
)
from router.events import (
    AgentSignedIn,
    CenterChanged,
    ContactArrived,
    ContactHeld,
    Event,
    OfferConnected,
    Stamped,
    TimeAdvanced,
)
from router.measures import Measures
from router.records import BREACHED, CONNECTED, OVER, Agent, Assignment, Contact, Offer
from router.router import Router

_Told = tuple[int, Event, tuple[Decision, ...]]


def open_measures(router: Router) -> Measures:
    """Return measures that know everybody the router knows, and have counted nothing."""
    floor = router.floor
    measures = Measures()
    if floor.center is None:
        return measures
    told: list[_Told] = []
    someone = next(iter(floor.center.agents), "")
    for contact in floor.contacts.values():
        told += _tell_contact(contact, someone)
    for agent in floor.agents.values():
        told += _tell_agent(agent, router.now_ms)
    told += [
        (router.now_ms, AgentSignedIn(agent.agent_id, agent.session, agent.presence), ())
        for agent in floor.agents.values()
        if agent.state in (states.READY, states.AWAY)
    ]
    # Of one instant, in the order told: an arrival before what became of it.
    told.sort(key=lambda one: one[0])
    first_ms = told[0][0] if told else router.now_ms
    measures.fold(Stamped(0, first_ms, CenterChanged(floor.center)), ())
    for at_ms, event, decisions in told:
        measures.fold(Stamped(0, at_ms, event), decisions)
    measures.fold(Stamped(router.seq, router.now_ms, TimeAdvanced()), ())
    measures.count_from_here()
    return measures


def _tell_contact(contact: Contact, someone: str) -> list[_Told]:
    """Tell how a contact came into its line, and how it ended if it is only remembered."""
    more, contact_id = contact.more, contact.contact_id
    queue = contact.profile.queue
    if contact.lane is not None:
        queue = contact.lane.demand.queue
    elif more is not None and more.queue is not None:
        queue = more.queue
    since_ms = (more.steps_from_ms if more is not None else 0) or contact.arrived_ms
    if isinstance(contact.work, Assignment):
        # What was changed about it in the agent's hands has started its steps anew.
        since_ms = min(since_ms, contact.work.assigned_ms)
    profile = contact.profile
    arrival = ContactArrived(
        contact_id, profile.channel.name, profile.category_name, queue=queue.name
    )
    told: list[_Told] = [(since_ms, arrival, (*_clocks(contact, queue.name),))]
    ending = contact.ending
    if ending is not None:
        close = CloseContact(contact_id, ending.exit, Reason.RESOLVED)
        told.append((max(ending.closed_ms, since_ms), TimeAdvanced(), (close,)))
    elif contact.state in (states.AWAITING_CUSTOMER, states.SCHEDULED):
        # Not in line: somebody has served it, or nobody need for now.
        served = (
            AssignContact(0, contact_id, someone, Reason.ACCEPTED),
            EndAssignment(contact_id, someone, Reason.WAITING_ON_CUSTOMER),
        )
        told.append((since_ms, OfferConnected(0, contact_id, someone), served))
    return told


def _clocks(contact: Contact, queue: str) -> list[Decision]:
    contact_id = contact.contact_id
    decisions: list[Decision] = [EnqueueContact(contact_id, queue, Reason.ARRIVED)]
    clock = contact.clocks
    while clock is not None:
        if clock.phase != OVER:
            name, cycle = clock.plan.name, clock.cycle
            decisions.append(StartSla(contact_id, name, cycle, 0, Reason.CLOCK_STARTED))
            if clock.phase == BREACHED:
                breach = BreachSla(contact_id, name, cycle, 0, Reason.DEADLINE_PASSED)
                decisions.append(breach)
        clock = clock.next
    return decisions


def _tell_agent(agent: Agent, now_ms: int) -> list[_Told]:
    """Tell what an agent is offered and has in hand."""
    told: list[_Told] = [(now_ms, _QUIET, _offered(offer)) for offer in agent.offers]
    for work in agent.works:
        told += _tell_work(work, agent.agent_id)
    return told


_QUIET = TimeAdvanced()


def _offered(offer: Offer) -> tuple[Decision, ...]:
    agent_id = offer.agent.agent_id
    return (OfferContact(offer.offer_id, offer.contact.contact_id, agent_id, Reason.ACCEPTED),)


def _tell_work(work: Assignment, agent_id: str) -> list[_Told]:
    contact_id = work.contact.contact_id
    assign = AssignContact(work.offer_id, contact_id, agent_id, Reason.ACCEPTED)
    told: list[_Told] = [(work.assigned_ms, _QUIET, (assign,))]
    if work.phase >= CONNECTED:
        told.append((work.assigned_ms, OfferConnected(work.offer_id, contact_id, agent_id), ()))
    if work.phase > CONNECTED:
        wrap_up = StartWrapUp(contact_id, agent_id, Reason.RESOLVED)
        told.append((max(work.talk_ended_ms, work.assigned_ms), _QUIET, (wrap_up,)))
    elif work.contact.more is not None and work.contact.more.held:
        told.append((work.assigned_ms, ContactHeld(contact_id), ()))
    return told
