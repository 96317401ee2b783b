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
from router.decisions import OfferContact, Reason
from router.doors import rests
from router.policies.agent_selection import POLICIES, SHARE_STRIDE
from router.policies.contact_selection import BY_DEADLINE, BY_PRIORITY, POLICY_ORDER, due_ms
from router.policies.contact_selection import POLICIES as CONTACT_POLICIES
from router.records import Agent, Contact, More, Offer, RingTimer

if TYPE_CHECKING:
    from router.bench import Seat
    from router.floor import Floor
    from router.lines import Demand, Lane

_CONTACT_REASONS: Final = [CONTACT_POLICIES[policy][0] for policy in POLICY_ORDER]
_SCORES: Final = [CONTACT_POLICIES[policy][3] for policy in POLICY_ORDER]


# --- question one: a contact looks for an agent ------------------------------------------------


def seek_agent(floor: Floor, contact: Contact) -> None:
    """Offer a waiting contact to the agent, or agents, whom its queue's policy chooses."""
    lane = contact.lane
    assert lane is not None, "a waiting contact has a lane"
    more = contact.more
    if more is not None and more.affinity is not None:
        agent = more.affinity
        reason = _affinity_reason(more)
        if agent.open_mask >> contact.profile.channel.index & 1 and _may_try(floor, contact, agent):
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
    seat = demand.bench.first()
    if contact.more is None and contact.work is None:
        return seat
    if seat is None or _may_try(floor, contact, seat.agent):
        return seat
    return next_choice(floor, demand, contact, seat)


def next_choice(floor: Floor, demand: Demand, contact: Contact, seat: Seat) -> Seat | None:
    """Return the next choice after `seat` who still has a try."""
    follower = demand.bench.following(seat)
    while follower is not None and not _may_try(floor, contact, follower.agent):
        follower = demand.bench.following(follower)
    return follower


def _may_try(floor: Floor, contact: Contact, agent: Agent) -> bool:
    """Say whether the agent may be offered the contact (once more)."""
    work = contact.work
    while isinstance(work, Offer):
        if work.agent is agent:
            return False
        work = work.sibling
    more = contact.more
    if more is None or not more.tried:
        return True
    assert floor.center is not None, "a centre comes before contacts"
    most = floor.center.offers.per_agent_max
    return not most or more.tried.get(agent.agent_id, 0) < most


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


def choose_contact(floor: Floor, agent: Agent, open_mask: int) -> Contact | None:
    """Return the contact that the agent's contact policy puts first, of those he may serve.

    Cost: the lanes of the demands that he may serve and in which somebody waits.
    """
    policy = floor.policy_of(agent)
    if policy >= BY_DEADLINE:
        if policy == BY_DEADLINE:
            return _choose_by_deadline(floor, agent, open_mask)
        return _choose_by_score(floor, agent, open_mask, policy)
    best: Contact | None = None
    best_tier = 0
    best_key = 0
    mask = floor.demands_of(agent, open_mask) & floor.waiting_mask
    while mask:
        bit = mask & -mask
        mask ^= bit
        for lane in floor.demand_list[bit.bit_length() - 1].lanes:
            if not lane.size:
                continue
            tier, offset = lane.ranks[policy]
            if tier > best_tier and best is not None and policy == BY_PRIORITY:
                # The lanes stand in order of priority: none of the rest can come first.
                break
            contact = _head_for(floor, lane, agent)
            if contact is None:
                continue
            key = contact.place + offset
            if (
                best is None
                or tier < best_tier
                or (
                    tier == best_tier
                    and (key < best_key or (key == best_key and contact.place < best.place))
                )
            ):
                best, best_tier, best_key = contact, tier, key
    own = agent.own
    if own is not None and own.size:
        for contact in own:
            if not open_mask >> contact.profile.channel.index & 1:
                continue
            lane_of = contact.lane
            assert lane_of is not None, "a waiting contact has a lane"
            if not _may_try(floor, contact, agent):
                continue
            tier, offset = lane_of.ranks[policy]
            key = contact.place + offset
            if best is None or (tier, key, contact.place) < (best_tier, best_key, best.place):
                best, best_tier, best_key = contact, tier, key
    return best


def _choose_by_deadline(floor: Floor, agent: Agent, open_mask: int) -> Contact | None:
    """Return the contact whose earliest running clock is due first, of equals the oldest.

    Cost: O(demands that he may serve); each keeps its contacts in this order.
    """
    best: Contact | None = None
    best_ms = 0
    mask = floor.demands_of(agent, open_mask) & floor.waiting_mask
    while mask:
        bit = mask & -mask
        mask ^= bit
        dues = floor.demand_list[bit.bit_length() - 1].dues
        assert dues is not None, "where somebody chooses by deadlines, they are kept"
        contact = dues.order.first()
        while contact is not None:
            place = contact.place
            key_ms = dues.keys[place]
            if best is not None and (key_ms, place) >= (best_ms, best.place):
                break
            if _may_try(floor, contact, agent):
                best, best_ms = contact, key_ms
                break
            contact = dues.order.after(key_ms, place)
    for contact in _own_waiting(floor, agent, open_mask):
        key_ms = due_ms(contact)
        if best is None or (key_ms, contact.place) < (best_ms, best.place):
            best, best_ms = contact, key_ms
    return best


def _choose_by_score(floor: Floor, agent: Agent, open_mask: int, policy: int) -> Contact | None:
    """Return the contact with the highest priority, then score, then age.

    Cost: O(lanes that he may serve and in which somebody waits).
    """
    score = _SCORES[policy]
    assert score is not None, "a scored policy has its score"
    now_ms, waiting, shares = floor.now_ms, floor.waiting, floor.queue_shares
    best: Contact | None = None
    best_priority = best_score = 0
    mask = floor.demands_of(agent, open_mask) & floor.waiting_mask
    while mask:
        bit = mask & -mask
        mask ^= bit
        for lane in floor.demand_list[bit.bit_length() - 1].lanes:
            if not lane.size:
                continue
            if best is not None and lane.priority < best_priority:
                # The lanes stand in order of priority: none of the rest can come first.
                break
            contact = _head_for(floor, lane, agent)
            if contact is None:
                continue
            found = score(lane, now_ms - contact.arrived_ms, waiting, shares)
            if best is None or (lane.priority, found, -contact.place) > (
                best_priority,
                best_score,
                -best.place,
            ):
                best, best_priority, best_score = contact, lane.priority, found
    for contact in _own_waiting(floor, agent, open_mask):
        own_lane = contact.lane
        assert own_lane is not None, "a waiting contact has a lane"
        found = score(own_lane, now_ms - contact.arrived_ms, waiting, shares)
        if best is None or (own_lane.priority, found, -contact.place) > (
            best_priority,
            best_score,
            -best.place,
        ):
            best, best_priority, best_score = contact, own_lane.priority, found
    return best


def _own_waiting(floor: Floor, agent: Agent, open_mask: int) -> list[Contact]:
    """Return the contacts that wait for this agent alone and that he can take now."""
    own = agent.own
    if own is None or not own.size:
        return []
    return [
        contact
        for contact in own
        if open_mask >> contact.profile.channel.index & 1 and _may_try(floor, contact, agent)
    ]


def _head_for(floor: Floor, lane: Lane, agent: Agent) -> Contact | None:
    """Return the first contact of a lane that the agent may still be offered."""
    contact = lane.first if lane.side is None else lane.head()
    while contact is not None and not _may_try(floor, contact, agent):
        contact = lane.following(contact)
    return contact


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
    floor.stand_up(agent)
    open_mask = floor.channels_open(agent)
    if open_mask:
        floor.sit_down(agent, open_mask)
