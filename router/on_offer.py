"""Follow the events of offers, assignments and wrap-up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router import states, whys
from router.assignments import (
    assign,
    connect,
    count_try,
    drop_offer,
    end_idleness,
    release,
    take_from_agent,
    watch_lost_work,
    withdraw_offer,
)
from router.center import Signal
from router.clocks import send_signal
from router.contacts import Verdict
from router.decisions import ChangeAgentState, Exit, Reason, StartWrapUp
from router.events import (
    ContactEnded,
    ContactResolved,
    DeclineCause,
    OfferAccepted,
    OfferConnected,
    OfferConnectFailed,
    OfferDeclined,
    WrapUpEnded,
)
from router.offers import OFFER_TABLE, OfferState
from router.records import CONNECTING, WRAPPING_UP, Agent, Assignment, Contact, Offer
from router.refusals import note_duplicate, refuse
from router.sla import SIGNAL_INDEX
from router.waiting import close_contact, end_contact, end_dial, return_to_line

if TYPE_CHECKING:
    from router.floor import Floor

RESOLVED = SIGNAL_INDEX[Signal.RESOLVED]

OfferEvent = OfferAccepted | OfferDeclined | OfferConnected | OfferConnectFailed


def on_offer_event(floor: Floor, event: OfferEvent) -> None:
    """Find the offer and its state, ask the table, follow."""
    if event.agent_id not in floor.agents:
        refuse(floor, whys.UNKNOWN_AGENT, event.agent_id)
        return
    offer = floor.offers.get(event.offer_id)
    contact = floor.contacts.get(event.contact_id)
    work: Assignment | None = None
    if offer is not None:
        state = OfferState.OPEN
        holder, held = offer.agent.agent_id, offer.contact.contact_id
    else:
        state = OfferState.CLOSED
        holder, held = event.agent_id, event.contact_id
        if not 0 < event.offer_id < floor.next_offer:
            state = OfferState.ABSENT
        elif contact is not None and isinstance(contact.work, Assignment):
            work = contact.work
            if work.offer_id == event.offer_id:
                holder = work.agent.agent_id
                state = OfferState.CONNECTED
                if work.phase == CONNECTING:
                    state = OfferState.CONNECTING
    if holder != event.agent_id or held != event.contact_id:
        refuse(floor, whys.WRONG_AGENT, event.agent_id)
        return
    outcome = OFFER_TABLE[type(event)][state]
    if outcome is Verdict.REPEAT:
        note_duplicate(floor, event.contact_id)
    elif isinstance(outcome, Reason):
        if outcome is whys.OFFER_CLOSED and (contact is None or contact.state == states.ENDED):
            outcome = whys.CONTACT_GONE
        refuse(floor, outcome, event.contact_id)
    else:
        _follow(floor, event, offer, work)


def _follow(floor: Floor, event: OfferEvent, offer: Offer | None, work: Assignment | None) -> None:
    """Carry out an event that its offer's state admits."""
    if isinstance(event, OfferAccepted):
        assert offer is not None, "an open offer is on the books"
        assign(floor, offer, whys.ACCEPTED)
    elif isinstance(event, OfferDeclined):
        assert offer is not None, "an open offer is on the books"
        on_declined(floor, offer, event.cause)
    elif isinstance(event, OfferConnected):
        assert work is not None, "an accepted offer is an assignment"
        connect(floor, work)
    else:
        assert work is not None, "an accepted offer is an assignment"
        fail_connect(floor, work, whys.CONNECT_FAILED)


def back_off(floor: Floor, agent: Agent, backoff_ms: int) -> None:
    """Leave an agent in peace for a while; a missed offer counts as his turn."""
    floor.take_turn(agent)
    if not backoff_ms or agent.state not in (states.READY, states.AWAY):
        return
    floor.stand_up(agent)
    agent.backing_off = True
    if agent.fifo is not None:
        if floor.timers.due_ms(agent) >= floor.now_ms + backoff_ms:
            return
        floor.timers.cancel(agent)
    floor.timers.arm(agent, floor.now_ms, backoff_ms)


def on_declined(floor: Floor, offer: Offer, cause: DeclineCause) -> None:
    """Put the contact back at its old place and leave the agent in peace for a while."""
    assert floor.center is not None, "a centre comes before offers"
    rules = floor.center.offers
    contact, agent = offer.contact, offer.agent
    count_try(floor, offer)
    drop_offer(floor, offer)
    if cause is DeclineCause.BUSY:
        reason, backoff_ms = whys.BUSY, rules.backoff_busy_ms
    elif cause is DeclineCause.UNREACHABLE:
        reason, backoff_ms = whys.UNREACHABLE, rules.backoff_unreachable_ms
    else:
        reason, backoff_ms = whys.DECLINED, rules.backoff_declined_ms
    back_off(floor, agent, backoff_ms)
    if contact.work is None:
        return_to_line(floor, contact, reason)


def expire_offer(floor: Floor, offer: Offer) -> None:
    """Withdraw an offer that nobody answered; after too many its agent is set away."""
    assert floor.center is not None, "a centre comes before offers"
    rules = floor.center.offers
    contact, agent = offer.contact, offer.agent
    count_try(floor, offer)
    withdraw_offer(floor, offer, whys.EXPIRED)
    agent.unanswered += 1
    back_off(floor, agent, rules.backoff_expired_ms)
    if rules.unanswered_max and agent.unanswered >= rules.unanswered_max:
        agent.unanswered = 0
        floor.out.append(
            ChangeAgentState(agent.agent_id, rules.unanswered_presence, whys.UNANSWERED_OFFERS)
        )
        set_away(floor, agent, rules.unanswered_presence)
    if contact.work is None:
        return_to_line(floor, contact, whys.EXPIRED)


def set_away(floor: Floor, agent: Agent, presence: str) -> None:
    """Let an agent be there and take nothing."""
    end_idleness(floor, agent)
    agent.presence = presence
    agent.state = states.AWAY
    floor.stand_up(agent)
    take_offers_back(floor, agent, whys.AGENT_AWAY)


def take_offers_back(floor: Floor, agent: Agent, reason: Reason) -> None:
    """Withdraw all open offers of an agent; their contacts return to the line."""
    for offer in list(agent.offers):
        contact = offer.contact
        withdraw_offer(floor, offer, reason)
        if contact.work is None:
            return_to_line(floor, contact, reason)


def fail_connect(floor: Floor, work: Assignment, reason: Reason) -> None:
    """Put an accepted contact that never connected back at its old place."""
    assert floor.center is not None, "a centre comes before work"
    contact, agent = work.contact, work.agent
    more = floor.more_of(contact)
    before = more.last_agent
    counted = more.dialling and floor.center.callbacks.attempts_max > 0
    if counted and reason is whys.CONNECT_TIMEOUT:
        # The customer did not answer: his agent is not to blame.
        reason = whys.NO_ANSWER
    else:
        more.tried[agent.agent_id] = more.tried.get(agent.agent_id, 0) + 1
    take_from_agent(floor, contact, reason)
    more.last_agent = before
    if reason is not whys.NO_ANSWER:
        back_off(floor, agent, floor.center.offers.backoff_unreachable_ms)
    if counted:
        end_dial(floor, contact, reason)
    else:
        return_to_line(floor, contact, reason)


# --- the end of handling --------------------------------------------------------------------------


def on_ended(floor: Floor, contact: Contact, event: ContactEnded) -> None:
    """Let the customer go: served, or not."""
    if contact.state == states.HANDLING:
        finish(floor, contact, whys.CUSTOMER_LEFT)
    elif contact.state == states.AWAITING_CUSTOMER:
        end_contact(floor, contact, Exit.HANDLED, whys.CUSTOMER_LEFT)
    elif contact.state == states.SELF_SERVICE:
        end_contact(floor, contact, Exit.DEFLECTED, whys.SELF_SERVED)
    else:
        abandon(floor, contact, whys.CUSTOMER_LEFT)


def abandon(floor: Floor, contact: Contact, reason: Reason) -> None:
    """Close a contact whose customer left unserved."""
    end_contact(floor, contact, Exit.ABANDONED, reason)


def on_resolved(floor: Floor, contact: Contact, event: ContactResolved) -> None:
    """Note that the matter is settled, which ends the handling."""
    send_signal(floor, contact, RESOLVED)
    if contact.state == states.HANDLING:
        finish(floor, contact, whys.RESOLVED)
    elif contact.state == states.AWAITING_CUSTOMER:
        end_contact(floor, contact, Exit.HANDLED, whys.RESOLVED)
    elif contact.state == states.SELF_SERVICE:
        end_contact(floor, contact, Exit.DEFLECTED, whys.SELF_SERVED)


def finish(floor: Floor, contact: Contact, reason: Reason) -> None:
    """Go from handling to wrap-up, or straight to the end."""
    work = contact.work
    assert isinstance(work, Assignment), "a handled contact is assigned"
    agent = work.agent
    if contact.customer:
        remember_agent(floor, contact.customer, agent.agent_id)
    limit_ms = contact.profile.category.wrap_up_ms
    work.talk_ended_ms = floor.now_ms
    if not limit_ms or agent.state == states.LOST:
        release(floor, work, reason)
        close_contact(floor, contact, Exit.HANDLED, reason, work.assigned_ms)
        return
    floor.timers.cancel(work)
    work.phase = WRAPPING_UP
    contact.state = states.WRAP_UP
    until_ms = floor.now_ms + limit_ms if limit_ms > 0 else 0
    floor.out.append(StartWrapUp(contact.contact_id, agent.agent_id, reason, until_ms))
    if limit_ms > 0:
        floor.timers.arm(work, floor.now_ms, limit_ms)


def remember_agent(floor: Floor, customer: str, agent_id: str) -> None:
    """Remember who served a customer last, for as many customers as the limits allow."""
    assert floor.center is not None, "a centre comes before work"
    floor.last_agents.pop(customer, None)
    floor.last_agents[customer] = agent_id
    if len(floor.last_agents) > floor.center.limits.event_ids:
        del floor.last_agents[next(iter(floor.last_agents))]


def on_wrap_up_ended(floor: Floor, contact: Contact, event: WrapUpEnded) -> None:
    """End the assignment and with it the contact."""
    work = contact.work
    assert isinstance(work, Assignment), "a contact in wrap-up is assigned"
    if work.agent.agent_id != event.agent_id:
        refuse(floor, whys.WRONG_AGENT, event.agent_id)
        return
    end_wrap_up(floor, work, whys.WRAPPED_UP)


def end_wrap_up(floor: Floor, work: Assignment, reason: Reason) -> None:
    """Release the agent and close the contact."""
    contact = work.contact
    release(floor, work, reason)
    close_contact(floor, contact, Exit.HANDLED, reason, work.assigned_ms)


def fire_assignment(floor: Floor, work: Assignment) -> None:
    """End the phase of an assignment whose limit has come."""
    if work.phase == CONNECTING:
        fail_connect(floor, work, whys.CONNECT_TIMEOUT)
    elif work.phase == WRAPPING_UP:
        unlimited = work.contact.profile.category.wrap_up_ms < 0
        end_wrap_up(floor, work, whys.AGENT_LOST if unlimited else whys.WRAP_UP_LIMIT)
    else:
        contact = work.contact
        take_from_agent(floor, contact, whys.AGENT_LOST)
        return_to_line(floor, contact, whys.AGENT_LOST)


def drop_lost_work(floor: Floor, agent: Agent) -> None:
    """Give back what a lost agent has not connected; watch what perhaps goes on without us."""
    for work in list(agent.works):
        if work.phase == CONNECTING:
            contact = work.contact
            take_from_agent(floor, contact, whys.AGENT_LOST)
            return_to_line(floor, contact, whys.AGENT_LOST)
        else:
            watch_lost_work(floor, work)
