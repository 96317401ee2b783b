"""Act out of turn about offers and contacts: late, unknown, twice, by the wrong one."""

from __future__ import annotations

from router.events import (
    AgentReplied,
    CallbackRequested,
    ComplaintRaised,
    ContactAbandoned,
    ContactArrived,
    ContactEnded,
    ContactMerged,
    ContactReopened,
    ContactResolved,
    ContactTransferred,
    ContactUpdated,
    CustomerReplied,
    Event,
    OfferAccepted,
    OfferConnected,
    OfferDeclined,
    SurveyAnswered,
    WrapUpEnded,
)
from simulation.mischief import Mischief
from simulation.stage import Phase


def accept_by_wrong_agent(act: Mischief) -> bool:
    """Accept somebody else's open offer."""
    for contact in act.world.open_contacts:
        for offer_id, agent_id in contact.open_offers.items():
            other = act.any_agent()
            if other != agent_id:
                act.line.send(OfferAccepted(offer_id, contact.id, other))
                return True
    return False


def accept_unknown_offer(act: Mischief) -> bool:
    """Accept an offer that was never made."""
    contact = act.contact()
    contact_id = contact.id if contact else "rogue-contact"
    act.line.send(OfferAccepted(9_000_000 + act.number, contact_id, act.any_agent()))
    return True


def accept_closed_offer(act: Mischief) -> bool:
    """Accept an offer that is over."""
    if not act.stage.closed_offers:
        return False
    act.line.send(OfferAccepted(*act.lots.pick(act.stage.closed_offers)))
    return True


def decline_closed_offer(act: Mischief) -> bool:
    """Decline an offer that is over."""
    if not act.stage.closed_offers:
        return False
    act.line.send(OfferDeclined(*act.lots.pick(act.stage.closed_offers)))
    return True


def accept_twice(act: Mischief) -> bool:
    """Accept again what one has."""
    contact = act.contact(Phase.SERVED, Phase.CONNECTING)
    if contact is None:
        return False
    act.line.send(OfferAccepted(contact.offer_id, contact.id, contact.agent_id))
    return True


def connect_without_accepting(act: Mischief) -> bool:
    """Report a connection on an offer that nobody accepted."""
    for contact in act.world.open_contacts:
        for offer_id, agent_id in contact.open_offers.items():
            act.line.send(OfferConnected(offer_id, contact.id, agent_id))
            return True
    return False


def accept_after_caller_left(act: Mischief) -> bool:
    """Let the customer leave an instant before the agent accepts."""
    for contact in act.world.open_contacts:
        for offer_id, agent_id in list(contact.open_offers.items()):
            act.line.send(ContactAbandoned(contact.id))
            act.line.send(OfferAccepted(offer_id, contact.id, agent_id))
            return True
    return False


def unknown_category(act: Mischief) -> bool:
    """Announce a contact of a category nobody configured."""
    channel = act.lots.pick(list(act.stage.center.channels))
    act.line.send(ContactArrived(f"rogue-{act.number}", channel, "no-such-category"))
    return True


def unknown_channel(act: Mischief) -> bool:
    """Announce a contact on a channel nobody configured."""
    category = act.lots.pick(list(act.stage.center.categories))
    act.line.send(ContactArrived(f"rogue-{act.number}", "pigeon", category))
    return True


def unknown_queue(act: Mischief) -> bool:
    """Announce a contact for a queue nobody configured, or transfer one there."""
    contact = act.contact(Phase.SERVED)
    if contact is not None:
        act.line.send(ContactTransferred(contact.id, queue="no-such-queue"))
        return True
    center = act.stage.center
    channel, category = act.lots.pick(list(center.channels)), act.lots.pick(list(center.categories))
    act.line.send(ContactArrived(f"rogue-{act.number}", channel, category, queue="no-such-queue"))
    return True


def unknown_skill(act: Mischief) -> bool:
    """Let a customer need what the centre has never heard of."""
    contact = act.stranger()
    demand = contact.demand
    act.line.send(
        ContactArrived(contact.id, demand.channel, demand.category, skills={"no-such-skill": 3})
    )
    return True


def unknown_contact(act: Mischief) -> bool:
    """Speak about a contact that never arrived."""
    contact_id = f"rogue-{act.number}"
    events: tuple[Event, ...] = (
        ContactResolved(contact_id),
        AgentReplied(contact_id),
        ContactReopened(contact_id),
        CustomerReplied(contact_id),
        ComplaintRaised(contact_id),
        CallbackRequested(contact_id),
        SurveyAnswered(contact_id, score=3),
        WrapUpEnded(contact_id, act.any_agent()),
    )
    act.line.send(act.lots.pick(events))
    return True


def end_before_arrival(act: Mischief) -> bool:
    """End a contact first and announce it afterwards."""
    contact = act.stranger()
    demand, contact_id = contact.demand, contact.id
    ends: tuple[Event, ...] = (ContactEnded(contact_id), ContactAbandoned(contact_id))
    act.line.send(act.lots.pick(ends))
    act.line.send(ContactArrived(contact_id, demand.channel, demand.category))
    return True


def speak_after_the_end(act: Mischief) -> bool:
    """Go on about a contact that is closed."""
    if not act.stage.closed_contacts:
        return False
    contact_id = act.lots.pick(act.stage.closed_contacts)
    # Long after the end the id may be free again: then this is an arrival like any other.
    demand = act.stage.contacts[contact_id].demand
    events: tuple[Event, ...] = (
        ContactEnded(contact_id),
        ContactAbandoned(contact_id),
        ContactResolved(contact_id),
        ContactUpdated(contact_id, priority=9),
        CallbackRequested(contact_id),
        ContactArrived(contact_id, demand.channel, demand.category),
        SurveyAnswered(contact_id, score=1, resolved=False),
        WrapUpEnded(contact_id, act.any_agent()),
    )
    act.line.send(act.lots.pick(events))
    return True


def speak_out_of_turn(act: Mischief) -> bool:
    """Send an event that does not fit the contact's state."""
    contact = act.contact()
    if contact is None:
        return False
    events: tuple[Event, ...] = (
        ContactResolved(contact.id),
        ContactReopened(contact.id),
        AgentReplied(contact.id, automatic=True),
        CallbackRequested(contact.id, due_at_ms=act.stage.env.now_ms + 60_000),
        SurveyAnswered(contact.id, score=5),
        WrapUpEnded(contact.id, act.any_agent()),
        ContactTransferred(contact.id),
        ContactTransferred(contact.id, agent_id="no-such-agent"),
        ContactUpdated(contact.id, category="no-such-category"),
        ContactUpdated(contact.id, tier="no-such-tier"),
    )
    act.line.send(act.lots.pick(events))
    return True


def bad_merge(act: Mischief) -> bool:
    """Merge a contact into itself, into nobody, or into one that is closed."""
    contact = act.contact()
    if contact is None:
        return False
    targets = [contact.id, "rogue-nobody", *list(act.stage.closed_contacts)[-1:]]
    act.line.send(ContactMerged(contact.id, act.lots.pick(targets)))
    return True
