"""Look at the contacts through the eyes of one agent: which he may take, and which comes first.

For explanations only; the choice itself is made in `router.matching`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.candidates import say_duration
from router.center import ContactPolicy, PairWeight
from router.guards import holds_back, idle_ms, pair_score, weight_of
from router.policies.contact_selection import (
    BY_DEADLINE,
    NO_PROMISE_MS,
    POLICIES,
    POLICY_ORDER,
    due_ms,
)
from router.records import Agent, Contact

if TYPE_CHECKING:
    from router.floor import Floor
    from router.lines import Lane


class Rival:
    """A contact that an agent may take: the key by which his policy orders it, and why in words."""

    __slots__ = ("contact_id", "key", "queue", "words")

    def __init__(self, contact: Contact, lane: Lane, key: tuple[int, int, int], words: str) -> None:
        self.contact_id = contact.contact_id
        self.queue = lane.demand.queue.name
        self.key = key
        self.words = words


def rivals_for(floor: Floor, agent: Agent, now_ms: int) -> list[Rival]:
    """Return the contact of each lane that an agent would take from it at `now_ms`, best first."""
    found: list[Rival] = []
    for demand in floor.demand_list:
        if not demand.waiting or not floor.may_serve(agent, demand):
            continue
        if floor.guards is not None and holds_back(floor, agent, demand):
            continue
        for lane in demand.lanes:
            contact = _first_of(floor, agent, lane)
            if contact is not None:
                found.append(weigh(floor, agent, lane, contact, now_ms))
    found.sort(key=_key_of)
    return found


def _key_of(rival: Rival) -> tuple[int, int, int]:
    return rival.key


def _first_of(floor: Floor, agent: Agent, lane: Lane) -> Contact | None:
    if not lane.size:
        return None
    if floor.policy_of(agent) == BY_DEADLINE:
        return min(lane.contacts(), key=due_ms)
    return lane.head()


def weigh(floor: Floor, agent: Agent, lane: Lane, contact: Contact, now_ms: int) -> Rival:
    """Return what an agent's policy makes of a contact at `now_ms`."""
    policy = floor.policy_of(agent)
    place = contact.place
    wait_ms = now_ms - contact.arrived_ms
    waited = f"waiting for {say_duration(wait_ms)}"
    if policy == BY_DEADLINE:
        at_ms = due_ms(contact)
        return Rival(contact, lane, (0, at_ms, place), _say_due(contact, at_ms, now_ms))
    score = POLICIES[POLICY_ORDER[policy]][3]
    if POLICY_ORDER[policy] is ContactPolicy.WEIGHTED_PAIRS:
        weight = pair_score(floor, agent, lane, wait_ms)
        words = f"priority {lane.priority}, {_say_pair(floor, agent, lane, wait_ms)}"
        return Rival(contact, lane, (-lane.priority, -weight, place), words)
    if score is None:
        tier, offset = lane.ranks[policy]
        words = f"priority {lane.priority}, {waited}"
        return Rival(contact, lane, (tier, place + offset, place), words)
    found = score(lane, wait_ms, floor.waiting, floor.queue_shares)
    words = f"priority {lane.priority}, {_say_score(floor, lane, POLICY_ORDER[policy], wait_ms)}"
    return Rival(contact, lane, (-lane.priority, -found, place), words)


def _say_due(contact: Contact, at_ms: int, now_ms: int) -> str:
    if at_ms == contact.arrived_ms + NO_PROMISE_MS:
        return f"no clock runs, waiting for {say_duration(now_ms - contact.arrived_ms)}"
    if at_ms < now_ms:
        return f"overdue for {say_duration(now_ms - at_ms)}"
    return f"due in {say_duration(at_ms - now_ms)}"


def _say_pair(floor: Floor, agent: Agent, lane: Lane, wait_ms: int) -> str:
    weight = weight_of(floor, agent, lane.demand) or PairWeight()
    whole = say_duration(pair_score(floor, agent, lane, wait_ms))
    parts = [
        f"base {say_duration(weight.base_ms)}",
        f"{weight.wait} x waiting for {say_duration(wait_ms)}",
    ]
    if weight.idle:
        parts.append(f"{weight.idle} x idle for {say_duration(idle_ms(floor, agent))}")
    return f"weight {whole} ({', '.join(parts)})"


def _say_score(floor: Floor, lane: Lane, policy: ContactPolicy, wait_ms: int) -> str:
    if policy is ContactPolicy.LONGEST_WEIGHTED_WAIT:
        return _say_weighted_wait(lane, wait_ms)
    if policy is ContactPolicy.GENERALIZED_C_MU:
        return _say_cost(lane, wait_ms)
    return _say_ratio(floor, lane)


def _say_weighted_wait(lane: Lane, wait_ms: int) -> str:
    weight = lane.demand.queue.spec.wait_weight
    product = say_duration(wait_ms * weight)
    return f"waiting for {say_duration(wait_ms)}, times weight {weight} is {product}"


def _say_cost(lane: Lane, wait_ms: int) -> str:
    spec = lane.demand.queue.spec
    promised_ms = lane.lead_ms or spec.service_level_ms
    used = f"{wait_ms * 100 // promised_ms} % of {say_duration(promised_ms)} used"
    late = f", late counts {spec.late_weight + 1} times" if wait_ms > promised_ms else ""
    takes = say_duration(spec.handle_time_ms)
    return f"{used}{late}, cost {spec.wait_weight}, takes {takes} to handle"


def _say_ratio(floor: Floor, lane: Lane) -> str:
    queue = lane.demand.queue
    share = queue.spec.queue_share * 100 // max(1, floor.queue_shares)
    return (
        f"{queue.waiting} of {floor.waiting} who wait stand in {queue.name}, its share is {share} %"
    )
