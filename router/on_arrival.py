"""Take contacts in: facts, limits, the agent they would rather have, the line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router import states, whys
from router.center import LimitAction, OverloadClass, WhenClosed
from router.clocks import (
    ARRIVED,
    send_signal,
)
from router.decisions import (
    DeflectContact,
    Exit,
    OfferCallback,
    Reason,
)
from router.doors import rests
from router.events import (
    ContactArrived,
)
from router.matching import first_choice
from router.plan import ProfileKey, QueuePlan
from router.records import Agent, Contact
from router.refusals import note_duplicate, refuse
from router.waiting import (
    close_contact,
    enqueue,
    is_full,
    send_elsewhere,
)

if TYPE_CHECKING:
    from router.floor import Floor

# A transfer to one agent waits this long for him if the category does not say.
TRANSFER_WAIT_MS = 60_000
UNHAPPY_SCORE = 2


def key_of(floor: Floor, event: ContactArrived) -> ProfileKey:
    """Return the facts of an arriving contact; a tier that the centre does not know is none."""
    assert floor.center is not None, "a centre comes before contacts"
    tier = event.tier if event.tier in floor.center.tiers else ""
    skills = tuple(sorted(event.skills.items())) if event.skills else ()
    return (
        event.channel,
        event.category,
        tier,
        event.language,
        event.priority,
        event.queue,
        skills,
    )


def on_arrived(floor: Floor, event: ContactArrived, occurred_ms: int) -> None:
    """Take a contact in, or say why not."""
    contact_id = event.contact_id
    center = floor.center
    assert center is not None, "a centre comes before contacts"
    if occurred_ms and occurred_ms < floor.now_ms - floor.window_ms:
        refuse(floor, whys.STALE, contact_id)
        return
    if len(event.skills) > center.limits.skills_per_contact:
        refuse(floor, whys.LIMIT_REACHED, contact_id)
        return
    profile = floor.profile(key_of(floor, event))
    if isinstance(profile, Reason) or profile.queue.draining:
        reason = profile if isinstance(profile, Reason) else whys.UNKNOWN_QUEUE
        refuse(floor, reason, contact_id)
        return
    if floor.open_contacts >= center.limits.open_contacts:
        refuse(floor, whys.LIMIT_REACHED, contact_id)
        return
    most = center.limits.overload_open_contacts
    shed = OverloadClass.SERVE
    if floor.overload or (most and floor.open_contacts >= most):
        shed = profile.category.overload
    if shed is OverloadClass.REFUSE:
        refuse(floor, whys.OVERLOAD, contact_id)
        return
    contact = Contact(contact_id, event.customer, profile, 0)
    if event.preferred_agent:
        floor.more_of(contact).preferred_agent = event.preferred_agent
    admit(floor, contact, deflected=shed is OverloadClass.DEFLECT)


def admit(floor: Floor, contact: Contact, *, deflected: bool) -> None:
    """Let a new contact live: clocks, then the line (or the way out at a limit)."""
    contact_id = contact.contact_id
    contact.lane = floor.home_lane(contact)
    seek_affinity(floor, contact)
    queue, action, limit = find_room(floor, contact)
    if action is LimitAction.REFUSE:
        refuse(floor, limit, contact_id)
        return
    contact.place = floor.take_place()
    floor.contacts[contact_id] = contact
    floor.open_contacts += 1
    if contact_id in floor.tombstones:
        del floor.tombstones[contact_id]
        close_contact(floor, contact, Exit.ABANDONED, whys.ENDED_BEFORE_ARRIVAL)
        return
    send_signal(floor, contact, ARRIVED)
    reason = whys.OVERLOAD if deflected else limit
    if deflected or action is LimitAction.DEFLECT:
        floor.out.append(DeflectContact(contact_id, reason))
        close_contact(floor, contact, Exit.DEFLECTED, reason)
        return
    if action is LimitAction.EXPIRE:
        close_contact(floor, contact, Exit.EXPIRED, reason)
        return
    floor.set_alarm(contact)
    if queue is not contact.profile.queue:
        floor.more_of(contact).affinity = None
        send_elsewhere(floor, contact, contact.profile.queue, queue, limit)
    enqueue(floor, contact, whys.UNROUTABLE if contact.profile.unroutable else whys.ARRIVED)
    if queue.shut and queue.spec.when_closed is WhenClosed.CALLBACK and rests(queue, contact):
        floor.out.append(OfferCallback(contact_id, whys.QUEUE_CLOSED))


def find_room(floor: Floor, contact: Contact) -> tuple[QueuePlan, LimitAction | None, Reason]:
    """Return the queue that takes an arriving contact, or what to do as none does, and why."""
    home = queue = contact.profile.queue
    reason = whys.QUEUE_FULL
    for _ in range(len(floor.queues) + 1):
        action = CLOSED_ACTIONS.get(queue.spec.when_closed) if queue.shut else None
        if action is not None:
            reason = whys.QUEUE_CLOSED
        elif is_full(queue) and (
            queue is not home or queue.shut or not could_start(floor, contact)
        ):
            action, reason = queue.spec.when_full, whys.QUEUE_FULL
        if action is not LimitAction.OVERFLOW:
            return queue, action, reason
        queue = floor.queues[queue.spec.overflow_to]
    return queue, LimitAction.REFUSE, reason


# What a closed queue does with who arrives; one that is not named here lets wait.
CLOSED_ACTIONS = {
    WhenClosed.REFUSE: LimitAction.REFUSE,
    WhenClosed.DEFLECT: LimitAction.DEFLECT,
    WhenClosed.OVERFLOW: LimitAction.OVERFLOW,
}


def could_start(floor: Floor, contact: Contact) -> bool:
    """Say whether an agent could be offered the contact at once, so that it need not wait."""
    lane = contact.lane
    assert lane is not None, "a contact about to wait has a lane"
    more = contact.more
    if more is not None and more.affinity is not None:
        return more.affinity.open_mask >> contact.profile.channel.index & 1 == 1
    return first_choice(floor, lane.demand, contact) is not None


def seek_affinity(floor: Floor, contact: Contact) -> None:
    """Let a contact wait, for a bounded time, for the agent it prefers or had last.

    Never for one who is signed out, or who could not serve it.
    """
    category = contact.profile.category
    more = contact.more
    preferred = "" if more is None else more.preferred_agent
    if preferred and category.preferred_wait_ms:
        agent = floor.agents.get(preferred)
        if agent is not None and set_affinity(floor, contact, agent, category.preferred_wait_ms, 0):
            return
    if category.last_agent_wait_ms:
        last = more.last_agent if more is not None and more.last_agent else ""
        if not last and contact.customer:
            last = floor.last_agents.get(contact.customer, "")
        agent = floor.agents.get(last) if last else None
        if agent is not None:
            set_affinity(floor, contact, agent, category.last_agent_wait_ms, 1)


def set_affinity(floor: Floor, contact: Contact, agent: Agent, wait_ms: int, reason: int) -> bool:
    """Bind a contact to one agent for a while, if he is there and can serve it."""
    if agent.state not in (states.READY, states.AWAY):
        return False
    if not floor.may_serve(agent, floor.home_lane(contact).demand):
        return False
    more = floor.more_of(contact)
    more.affinity = agent
    more.affinity_until_ms = floor.now_ms + wait_ms
    more.affinity_reason = reason
    return True


def on_known_arrival(floor: Floor, contact: Contact, event: ContactArrived) -> None:
    """Tell a repeated arrival from another contact under the same id."""
    more = contact.more
    key = contact.profile.key
    preferred = ""
    if more is not None:
        key = more.first_key or key
        preferred = more.preferred_agent
    same = (
        key_of(floor, event) == key
        and event.customer == contact.customer
        and event.preferred_agent == preferred
    )
    if same:
        note_duplicate(floor, event.contact_id)
    else:
        refuse(floor, whys.ID_CONFLICT, event.contact_id)


def on_unknown_end(floor: Floor, contact_id: str) -> None:
    """Remember the end of a contact that has not arrived yet."""
    assert floor.center is not None, "a centre comes before contacts"
    if contact_id in floor.tombstones:
        note_duplicate(floor, contact_id)
    elif len(floor.tombstones) >= floor.center.limits.event_ids:
        refuse(floor, whys.LIMIT_REACHED, contact_id)
    else:
        floor.tombstones[contact_id] = floor.now_ms
        floor.tombstone_order.append((floor.now_ms, contact_id))
