"""Carry offers and assignments: take back, accept, connect, hold, resume, release.

Units and counts of an agent change here and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router import states, whys
from router.clocks import ASSIGNED, send_signal
from router.clocks import CONNECTED as SIGNAL_CONNECTED
from router.decisions import (
    AssignContact,
    DialCallback,
    EndAssignment,
    HoldWork,
    Reason,
    ResumeWork,
    WithdrawOffer,
)
from router.guards import note_answer
from router.records import CONNECTED, Agent, Assignment, Contact, Offer

if TYPE_CHECKING:
    from router.floor import Floor


def drop_offer(floor: Floor, offer: Offer) -> None:
    """Take an offer off the books: its units are free, its agent is served afterwards."""
    floor.timers.cancel(offer)
    del floor.offers[offer.offer_id]
    contact, agent = offer.contact, offer.agent
    channel = contact.profile.channel
    agent.offers.remove(offer)
    agent.offered_units -= channel.units
    agent.counts[channel.index] -= 1
    work = contact.work
    if work is offer:
        contact.work = offer.sibling
    elif isinstance(work, Offer):
        before = work
        while before.sibling is not None and before.sibling is not offer:
            before = before.sibling
        before.sibling = offer.sibling
    offer.sibling = None
    if floor.guards is not None:
        # His seats are those of one at work: till he is counted nobody may be given him by them.
        floor.stand_up(agent)
    floor.freed.append(agent)


def withdraw_offer(floor: Floor, offer: Offer, reason: Reason) -> None:
    """Take an open offer back."""
    floor.out.append(
        WithdrawOffer(offer.offer_id, offer.contact.contact_id, offer.agent.agent_id, reason)
    )
    drop_offer(floor, offer)


def withdraw_all(floor: Floor, contact: Contact, reason: Reason) -> None:
    """Take all open offers of a contact back."""
    work = contact.work
    while isinstance(work, Offer):
        withdraw_offer(floor, work, reason)
        work = contact.work


def count_try(floor: Floor, offer: Offer) -> None:
    """Count an offer that its agent did not take."""
    more = floor.more_of(offer.contact)
    agent_id = offer.agent.agent_id
    more.tried[agent_id] = more.tried.get(agent_id, 0) + 1


def assign(floor: Floor, offer: Offer, reason: Reason) -> None:
    """Give the contact to the agent who took the offer; all other offers of it are over."""
    contact, agent = offer.contact, offer.agent
    drop_offer(floor, offer)
    floor.freed.pop()
    withdraw_all(floor, contact, whys.TAKEN)
    begin_work(floor, offer.offer_id, contact, agent, reason)


def begin_work(floor: Floor, number: int, contact: Contact, agent: Agent, reason: Reason) -> None:
    """Begin the assignment of a contact that no offer holds any more."""
    more = contact.more
    absent_ms = 0
    if more is not None:
        more.tried = {}
        absent_ms = more.absent_ms
        if more.ring is not None:
            floor.timers.cancel(more.ring)
    work = Assignment(number, contact, agent, floor.now_ms)
    channel = work.channel
    if channel.interrupts:
        _make_room(floor, agent, channel.units)
    end_idleness(floor, agent)
    agent.works.append(work)
    agent.units += channel.units
    agent.active_units += channel.units
    if not channel.interruptible:
        agent.firm_units += channel.units
    agent.counts[channel.index] += 1
    agent.unanswered = 0
    if agent.scores is not None:
        _score_start(floor, agent)
    floor.take_turn(agent)
    contact.work = work
    contact.state = states.CONNECTING
    wait_ms = floor.now_ms - contact.arrived_ms
    floor.out.append(
        AssignContact(
            number,
            contact.contact_id,
            agent.agent_id,
            reason,
            wait_ms,
            wait_ms - absent_ms,
        )
    )
    if floor.guards is not None:
        note_answer(floor, contact, wait_ms - absent_ms)
    if more is not None:
        more.dialling = more.callback_due_ms >= 0
        if more.dialling:
            _dial(floor, contact, agent)
    send_signal(floor, contact, ASSIGNED)
    if channel.connect_timeout_ms:
        floor.timers.arm(work, floor.now_ms, channel.connect_timeout_ms)
    else:
        connect(floor, work)
    # Who has no room for more, holds nothing back and sits nowhere has nothing to look for.
    if agent.open_mask or agent.active_units != agent.units or floor.channels_open(agent):
        floor.freed.append(agent)


def _dial(floor: Floor, contact: Contact, agent: Agent) -> None:
    """Order the call to the customer of a callback."""
    assert floor.center is not None, "a centre comes before work"
    more = floor.more_of(contact)
    more.dials += 1
    attempt = more.dials if floor.center.callbacks.attempts_max else 1
    floor.out.append(DialCallback(contact.contact_id, agent.agent_id, whys.ACCEPTED, attempt))


def connect(floor: Floor, work: Assignment) -> None:
    """Bring customer and agent together."""
    if work.fifo is not None:
        floor.timers.cancel(work)
    work.phase = CONNECTED
    contact = work.contact
    contact.state = states.HANDLING
    if contact.more is not None:
        contact.more.callback_due_ms = -1
    send_signal(floor, contact, SIGNAL_CONNECTED)
    if work.agent.state == states.LOST:
        watch_lost_work(floor, work)


def watch_lost_work(floor: Floor, work: Assignment) -> None:
    """Bound how long a contact stays with an agent who was lost."""
    assert floor.center is not None, "a centre comes before work"
    if work.fifo is None:
        floor.timers.arm(work, floor.now_ms, floor.center.offers.lost_agent_timeout_ms)


def _make_room(floor: Floor, agent: Agent, units: int) -> None:
    """Hold interruptible work, the latest first, until `units` and what is on offer fit."""
    for work in reversed(agent.works):
        if agent.active_units + agent.offered_units + units <= agent.capacity:
            return
        if work.channel.interruptible and not work.held:
            work.held = True
            agent.active_units -= work.channel.units
            floor.out.append(HoldWork(work.contact.contact_id, agent.agent_id, whys.INTERRUPTED))


def resume_held(floor: Floor, agent: Agent) -> None:
    """Take held work up again, the earliest first, as far as the budget goes."""
    if agent.active_units == agent.units:
        return
    for work in agent.works:
        load = agent.active_units + agent.offered_units + work.channel.units
        if work.held and load <= agent.capacity:
            work.held = False
            agent.active_units += work.channel.units
            floor.out.append(
                ResumeWork(work.contact.contact_id, agent.agent_id, whys.CAPACITY_FREE)
            )


def release(floor: Floor, work: Assignment, reason: Reason) -> None:
    """End an assignment: the agent's units are free, he is served afterwards."""
    if work.fifo is not None:
        floor.timers.cancel(work)
    contact, agent, channel = work.contact, work.agent, work.channel
    agent.works.remove(work)
    agent.units -= channel.units
    if not work.held:
        agent.active_units -= channel.units
    if not channel.interruptible:
        agent.firm_units -= channel.units
    agent.counts[channel.index] -= 1
    contact.work = None
    if agent.scores is not None:
        _score_end(floor, agent, work)
    floor.take_turn(agent)
    if not agent.works:
        agent.idle_since_ms = floor.now_ms
    floor.out.append(EndAssignment(contact.contact_id, agent.agent_id, reason))
    if agent.removed and not agent.works:
        del floor.agents[agent.agent_id]
    if floor.guards is not None:
        floor.stand_up(agent)  # as in `drop_offer`
    floor.freed.append(agent)


def _score_start(floor: Floor, agent: Agent) -> None:
    """Count a contact taken."""
    scores = agent.scores
    assert scores is not None, "scores are kept for this agent"
    scores.contacts += floor.decay.weigh(1000, floor.now_ms)


def end_idleness(floor: Floor, agent: Agent) -> None:
    """Add the idle time that ends now to the agent's total, if the policies want to know it."""
    if agent.scores is not None and agent.state == states.READY and not agent.works:
        agent.scores.idle_ms += floor.now_ms - agent.idle_since_ms


def _score_end(floor: Floor, agent: Agent, work: Assignment) -> None:
    """Count the time an assignment took."""
    scores = agent.scores
    assert scores is not None, "scores are kept for this agent"
    now_ms = floor.now_ms
    talked_until_ms = work.talk_ended_ms or now_ms
    scores.busy += floor.decay.weigh(now_ms - work.assigned_ms, now_ms)
    scores.talk += floor.decay.weigh(talked_until_ms - work.assigned_ms, now_ms)


def take_from_agent(floor: Floor, contact: Contact, reason: Reason) -> None:
    """End the assignment of a contact that goes on without its agent; the time away counts."""
    work = contact.work
    assert isinstance(work, Assignment), "the contact is assigned"
    more = floor.more_of(contact)
    more.absent_ms += floor.now_ms - work.assigned_ms
    more.last_agent = work.agent.agent_id
    more.held = False
    release(floor, work, reason)
