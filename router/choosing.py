"""Answer the second question: which of the contacts that an agent may serve does he take?

By his contact policy (`router.policies.contact_selection`), of those whom no guard keeps from him.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from router.guards import holds_back, pair_holds_back, pair_score
from router.policies.contact_selection import (
    BY_DEADLINE,
    BY_PRIORITY,
    POLICIES,
    POLICY_ORDER,
    due_ms,
)
from router.records import Agent, Contact, Offer

if TYPE_CHECKING:
    from router.floor import Floor
    from router.lines import Lane
    from router.policies.contact_selection import Score

_SCORES: Final = [POLICIES[policy][3] for policy in POLICY_ORDER]


def may_try(floor: Floor, contact: Contact, agent: Agent) -> bool:
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


def choose_contact(floor: Floor, agent: Agent, open_mask: int) -> Contact | None:
    """Return the contact that the agent's contact policy puts first, of those he may serve.

    Cost: the lanes of the demands that he may serve and in which somebody waits.
    """
    waiting = floor.waiting_mask
    mask = floor.demands_of(agent, open_mask) & waiting if waiting else 0
    if not mask and agent.own is None:
        return None
    policy = floor.policy_of(agent)
    if policy >= BY_DEADLINE:
        if policy == BY_DEADLINE:
            return _choose_by_deadline(floor, agent, open_mask)
        return _choose_by_score(floor, agent, open_mask, policy)
    guarded = floor.guards is not None
    best: Contact | None = None
    best_tier = 0
    best_key = 0
    while mask:
        bit = mask & -mask
        mask ^= bit
        demand = floor.demand_list[bit.bit_length() - 1]
        if guarded and holds_back(floor, agent, demand):
            continue
        for lane in demand.lanes:
            if not lane.size:
                continue
            tier, offset = lane.ranks[policy]
            if tier > best_tier and best is not None and policy == BY_PRIORITY:
                # The lanes stand in order of priority: none of the rest can come first.
                break
            contact = _head_for(floor, lane, agent)
            if contact is None or (guarded and pair_holds_back(floor, agent, lane, contact)):
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
            if not may_try(floor, contact, agent):
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
    guarded = floor.guards is not None
    best: Contact | None = None
    best_ms = 0
    mask = floor.demands_of(agent, open_mask) & floor.waiting_mask
    while mask:
        bit = mask & -mask
        mask ^= bit
        demand = floor.demand_list[bit.bit_length() - 1]
        if guarded and holds_back(floor, agent, demand):
            continue
        dues = demand.dues
        assert dues is not None, "where somebody chooses by deadlines, they are kept"
        contact = dues.order.first()
        while contact is not None:
            place = contact.place
            key_ms = dues.keys[place]
            if best is not None and (key_ms, place) >= (best_ms, best.place):
                break
            lane = contact.lane
            assert lane is not None, "a waiting contact has a lane"
            held = guarded and pair_holds_back(floor, agent, lane, contact)
            if not held and may_try(floor, contact, agent):
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
    guarded = floor.guards is not None
    best: Contact | None = None
    best_priority = best_score = 0
    mask = floor.demands_of(agent, open_mask) & floor.waiting_mask
    while mask:
        bit = mask & -mask
        mask ^= bit
        demand = floor.demand_list[bit.bit_length() - 1]
        if guarded and holds_back(floor, agent, demand):
            continue
        for lane in demand.lanes:
            if not lane.size:
                continue
            if best is not None and lane.priority < best_priority:
                # The lanes stand in order of priority: none of the rest can come first.
                break
            contact = _head_for(floor, lane, agent)
            if contact is None or (guarded and pair_holds_back(floor, agent, lane, contact)):
                continue
            found = _points(floor, agent, lane, contact, score)
            if best is None or (lane.priority, found, -contact.place) > (
                best_priority,
                best_score,
                -best.place,
            ):
                best, best_priority, best_score = contact, lane.priority, found
    for contact in _own_waiting(floor, agent, open_mask):
        own_lane = contact.lane
        assert own_lane is not None, "a waiting contact has a lane"
        found = _points(floor, agent, own_lane, contact, score)
        if best is None or (own_lane.priority, found, -contact.place) > (
            best_priority,
            best_score,
            -best.place,
        ):
            best, best_priority, best_score = contact, own_lane.priority, found
    return best


def _points(floor: Floor, agent: Agent, lane: Lane, contact: Contact, score: Score | None) -> int:
    """Return what a contact scores with this agent; without a score the pair's weight counts."""
    wait_ms = floor.now_ms - contact.arrived_ms
    if score is None:
        return pair_score(floor, agent, lane, wait_ms)
    return score(lane, wait_ms, floor.waiting, floor.queue_shares)


def _own_waiting(floor: Floor, agent: Agent, open_mask: int) -> list[Contact]:
    """Return the contacts that wait for this agent alone and that he can take now."""
    own = agent.own
    if own is None or not own.size:
        return []
    return [
        contact
        for contact in own
        if open_mask >> contact.profile.channel.index & 1 and may_try(floor, contact, agent)
    ]


def _head_for(floor: Floor, lane: Lane, agent: Agent) -> Contact | None:
    """Return the first contact of a lane that the agent may still be offered."""
    contact = lane.first if lane.side is None else lane.head()
    while contact is not None and not may_try(floor, contact, agent):
        contact = lane.following(contact)
    return contact
