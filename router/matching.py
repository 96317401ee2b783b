"""Ask the two questions, and hold contacts out to agents.

A contact that may be served looks for an agent; an agent with spare capacity looks for a contact.
Both are asked whenever the answer can have changed, and nothing is polled: an agent who may have
become able to take something is put on `floor.freed` and served at the end of the step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from router import states, whys
from router.assignments import begin_work, resume_held, withdraw_all
from router.center import AgentPolicy
from router.choosing import choose_contact, may_try
from router.decisions import OfferContact, Reason
from router.doors import rests
from router.guards import (
    arm_guards,
    choices,
    judge_guards,
)
from router.lines import place_of
from router.policies.agent_selection import POLICIES, SHARE_STRIDE
from router.policies.contact_selection import POLICIES as CONTACT_POLICIES
from router.policies.contact_selection import POLICY_ORDER
from router.records import Agent, Contact, More, Offer, RingTimer

if TYPE_CHECKING:
    from router.bench import Seat
    from router.floor import Floor
    from router.lines import Demand

_CONTACT_REASONS: Final = [CONTACT_POLICIES[policy][0] for policy in POLICY_ORDER]


# --- question one: a contact looks for an agent ------------------------------------------------


def seek_agent(floor: Floor, contact: Contact) -> None:
    """Offer a waiting contact to the agent, or agents, whom its queue's policy chooses."""
    lane = contact.lane
    assert lane is not None, "a waiting contact has a lane"
    more = contact.more
    if more is not None and more.affinity is not None:
        agent = more.affinity
        reason = _affinity_reason(more)
        if agent.open_mask >> contact.profile.channel.index & 1 and may_try(floor, contact, agent):
            offer_contact(floor, contact, agent, reason)
        return
    demand = lane.demand
    if demand.queue.shut and rests(demand.queue, contact):
        return
    seat = first_choice(floor, demand, contact)
    if seat is None:
        return
    spec = demand.queue.spec
    if spec.agent_policy is AgentPolicy.RING_ALL and spec.ring_size > 1:
        seats = [seat]
        while len(seats) < spec.ring_size:
            follower = next_choice(floor, demand, contact, seats[-1])
            if follower is None:
                break
            seats.append(follower)
        for ringing in seats:
            if contact.state in (states.WAITING, states.OFFERED):
                offer_contact(floor, contact, ringing.agent, demand.reason)
        return
    offer_contact(floor, contact, seat.agent, demand.reason)
    if spec.agent_policy is AgentPolicy.RING_PROGRESSIVELY:
        _set_ring(floor, contact)


def _affinity_reason(more: More) -> Reason:
    """Say for which agent a contact waits: the one it prefers, or the one it had last."""
    return whys.PREFERRED_AGENT if more.affinity_reason == 0 else whys.LAST_AGENT


def first_choice(floor: Floor, demand: Demand, contact: Contact) -> Seat | None:
    """Return the seat of the agent chosen for a contact, passing over those who had their tries."""
    if floor.guards is not None:
        return _first_admitted(floor, demand, contact)
    seat = demand.bench.first()
    if contact.more is None and contact.work is None:
        return seat
    if seat is None or may_try(floor, contact, seat.agent):
        return seat
    return next_choice(floor, demand, contact, seat)


def _first_admitted(floor: Floor, demand: Demand, contact: Contact) -> Seat | None:
    """Return the seat of the first choice among the agents whom the guards do not hold back."""
    if demand.bench.size:
        for seat in choices(floor, demand, contact):
            if may_try(floor, contact, seat.agent):
                return seat
    return None


def next_choice(floor: Floor, demand: Demand, contact: Contact, seat: Seat) -> Seat | None:
    """Return the next choice after `seat` who still has a try."""
    if floor.guards is not None:
        passed = False
        for other in choices(floor, demand, contact):
            if passed and may_try(floor, contact, other.agent):
                return other
            passed = passed or other is seat
        return None
    follower = demand.bench.following(seat)
    while follower is not None and not may_try(floor, contact, follower.agent):
        follower = demand.bench.following(follower)
    return follower


def _note_choice(demand: Demand, agent: Agent) -> None:
    """Remember who was chosen, for policies whose next choice depends on it."""
    queue = demand.queue
    policy = queue.spec.agent_policy
    rank = POLICIES[policy][0](agent, demand)
    queue.last_rank = rank
    queue.drawn += 1
    if policy is AgentPolicy.WEIGHTED_SHARE and agent.scores is not None:
        weight = queue.spec.weights.get(agent.agent_id, 1)
        queue.passed = max(queue.passed, rank)
        agent.scores.shares[queue.name] = rank + SHARE_STRIDE // weight


def _set_ring(floor: Floor, contact: Contact) -> None:
    """Arm the timer that rings one agent more."""
    lane = contact.lane
    if contact.state != states.OFFERED or lane is None:
        return
    more = floor.more_of(contact)
    if more.ring is None:
        more.ring = RingTimer(contact)
    if more.ring.fifo is None:
        floor.timers.arm(more.ring, floor.now_ms, lane.demand.queue.spec.ring_step_ms)


def ring_one_more(floor: Floor, contact: Contact) -> None:
    """Hold a contact that still rings out to one more agent, up to the queue's ring size."""
    lane = contact.lane
    if contact.state != states.OFFERED or lane is None:
        return
    demand = lane.demand
    if demand.queue.spec.agent_policy is not AgentPolicy.RING_PROGRESSIVELY:
        # The contact, or the configuration, went elsewhere since.
        return
    if demand.queue.shut and rests(demand.queue, contact):
        return
    ringing = 0
    work = contact.work
    offer = work if isinstance(work, Offer) else None
    while offer is not None:
        ringing += 1
        offer = offer.sibling
    if ringing >= demand.queue.spec.ring_size:
        return
    seat = first_choice(floor, demand, contact)
    if seat is not None:
        offer_contact(floor, contact, seat.agent, demand.reason)
    _set_ring(floor, contact)


# --- question two: an agent looks for a contact -----------------------------------------------


def serve_freed(floor: Floor) -> None:
    """Let every agent who may have become able to take something look for it."""
    freed = floor.freed
    while freed:
        floor.freed = []
        for agent in freed:
            serve(floor, agent)
        freed = floor.freed


def serve(floor: Floor, agent: Agent) -> None:
    """Give an agent contacts while he has capacity and there are any for him, then seat him."""
    floor.stand_up(agent)
    resume_held(floor, agent)
    while True:
        open_mask = floor.channels_open(agent)
        if not open_mask:
            return
        if floor.guards is not None:
            floor.guards.count(agent)
        contact = choose_contact(floor, agent, open_mask)
        if contact is None:
            break
        more = contact.more
        reason = _CONTACT_REASONS[floor.policy_of(agent)]
        if more is not None and more.affinity is not None:
            reason = _affinity_reason(more)
        lane = contact.lane
        assert lane is not None, "a waiting contact has a lane"
        offer_contact(floor, contact, agent, reason)
        if lane.demand.queue.spec.agent_policy is AgentPolicy.RING_PROGRESSIVELY:
            _set_ring(floor, contact)
    floor.sit_down(agent, open_mask)


def settle_guards(floor: Floor) -> None:
    """Let the guards follow what has changed; where one opened, let who waits look again.

    The oldest of each lane looks, in the order of age, until nothing more comes of it.
    """
    opened = judge_guards(floor)
    while opened:
        said = len(floor.out)
        heads = [
            head
            for demand in floor.demand_list
            if demand.waiting and demand.bench.size
            for lane in demand.lanes
            if (head := lane.head()) is not None
        ]
        heads.sort(key=place_of)
        for head in heads:
            lane_of = head.lane
            if head.state != states.WAITING or lane_of is None:
                continue
            seat = first_choice(floor, lane_of.demand, head)
            if seat is None and any(choices(floor, lane_of.demand, head)):
                # Who is spared has had his tries with the oldest: the next one may do.
                follower = lane_of.following(head)
                while seat is None and follower is not None:
                    seat = first_choice(floor, lane_of.demand, follower)
                    follower = lane_of.following(follower)
            if seat is not None:
                floor.freed.append(seat.agent)
                serve_freed(floor)
        opened = judge_guards(floor) or len(floor.out) > said
    arm_guards(floor)


# --- offers --------------------------------------------------------------------------------------


def offer_contact(floor: Floor, contact: Contact, agent: Agent, reason: Reason) -> None:
    """Hold a contact out to an agent; where the channel says so it is accepted at once."""
    profile = contact.profile
    channel = profile.channel
    if contact.state == states.WAITING:
        floor.stop_waiting(contact)
        if contact.more is not None:
            contact.more.affinity = None
        contact.state = states.OFFERED
        if contact.more is not None or not profile.plain:
            floor.set_alarm(contact)
    if agent.counted and not agent.open_mask and floor.guards is not None:
        floor.guards.uncount(agent)
    lane = contact.lane
    assert lane is not None, "an offered contact has a lane"
    if lane.demand.ranked:
        _note_choice(lane.demand, agent)
    number = floor.next_offer
    floor.next_offer = number + 1
    if channel.auto_accept:
        withdraw_all(floor, contact, whys.TAKEN)
        floor.out.append(OfferContact(number, contact.contact_id, agent.agent_id, reason))
        begin_work(floor, number, contact, agent, whys.AUTO_ACCEPTED)
        if agent.open_mask:
            _reseat_open(floor, agent)
        return
    offer = Offer(number, contact, agent)
    work = contact.work
    if isinstance(work, Offer):
        offer.sibling = work
    contact.work = offer
    floor.offers[number] = offer
    agent.offers.append(offer)
    agent.offered_units += channel.units
    agent.counts[channel.index] += 1
    if agent.open_mask:
        _reseat_open(floor, agent)
    timeout_ms = profile.offer_timeout_ms
    expires_ms = floor.now_ms + timeout_ms if timeout_ms else 0
    floor.out.append(OfferContact(number, contact.contact_id, agent.agent_id, reason, expires_ms))
    if timeout_ms:
        floor.timers.arm(offer, floor.now_ms, timeout_ms)


def _reseat_open(floor: Floor, agent: Agent) -> None:
    """Let a seated agent keep only the seats for which he still has capacity."""
    kept = agent.counted and agent.keeps != 0
    floor.stand_up(agent)
    open_mask = floor.channels_open(agent)
    if open_mask:
        floor.sit_down(agent, open_mask)
        if kept:
            # At work he is no reserve any more: beside it he may take what he was kept from.
            floor.freed.append(agent)
