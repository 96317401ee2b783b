"""Open and close queues at the edges of their hours, and ask who may serve whom then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router import states, whys
from router.affinity import seek_affinity
from router.center import AtClosing
from router.deadlines import NEVER
from router.decisions import Exit, RequeueContact
from router.lines import place_of
from router.matching import seek_agent
from router.waiting import deflect, end_contact, has_room, overflow, skip_steps, wait_alone

if TYPE_CHECKING:
    from router.floor import Floor
    from router.plan import QueuePlan
    from router.records import Agent, Contact


def turn_doors(floor: Floor) -> None:
    """Turn every door whose edge has come: all at once, then let close what closes, and open."""
    turned = [door for door in floor.doors if door.turns_ms <= floor.now_ms]
    for door in turned:
        floor.timers.cancel(door)
        door.turn(floor.now_ms)
        if door.turns_ms != NEVER:
            floor.timers.arm_odd(door, door.turns_ms)
    for door in turned:
        for queue in door.queues:
            if not door.is_open:
                close_queue(floor, queue)
    for door in turned:
        for queue in door.queues:
            if door.is_open:
                open_queue(floor, queue)


def open_queue(floor: Floor, queue: QueuePlan) -> None:
    """Put those who rest into line at their places; every free agent then looks for a contact."""
    resting = sorted(queue.resting.values(), key=place_of)
    if not resting:
        return
    # All of them: which demands are known, and so who sits where, is no fact of the journal.
    seated = [agent for agent in floor.agents.values() if agent.open_mask]
    for agent in sorted(seated, key=_turn_of):
        floor.stand_up(agent)
        floor.freed.append(agent)
    for contact in resting:
        floor.stop_waiting(contact)
        lane = floor.home_lane(contact)
        contact.lane = lane
        name = lane.demand.queue.name
        floor.out.append(RequeueContact(contact.contact_id, name, whys.QUEUE_OPENED, lane.priority))
        seek_affinity(floor, contact)
        more = contact.more
        if more is not None and more.affinity is not None:
            wait_alone(floor, contact, more.affinity)
        else:
            floor.wait_in(contact, lane)
            skip_steps(floor, contact)
        if contact.state == states.WAITING:
            floor.set_alarm(contact)


def _turn_of(agent: Agent) -> int:
    return agent.turn


def close_queue(floor: Floor, queue: QueuePlan) -> None:
    """Do with those who wait in a queue what it says for its closing; offers made go on."""
    for contact in _waiting_in(floor, queue):
        if contact.state != states.WAITING or contact.contact_id in queue.resting:
            continue
        action, more = queue.spec.at_closing, contact.more
        if more is not None and more.callback_due_ms >= 0:
            # Whoever was promised a call gets it.
            action = AtClosing.KEEP
        target = floor.queues.get(queue.spec.overflow_to)
        if action is AtClosing.DEFLECT:
            deflect(floor, contact, whys.QUEUE_CLOSED)
        elif action is AtClosing.EXPIRE:
            end_contact(floor, contact, Exit.EXPIRED, whys.QUEUE_CLOSED)
        elif action is AtClosing.OVERFLOW and target is not None and has_room(target):
            overflow(floor, contact, target, whys.QUEUE_CLOSED)
            _look_there(floor, contact)
        elif action is not AtClosing.SERVE:
            floor.stop_waiting(contact)
            if more is not None:
                more.affinity = None
            floor.wait_in(contact, floor.home_lane(contact))
            floor.set_alarm(contact)


def _look_there(floor: Floor, contact: Contact) -> None:
    """Look for an agent in the queue that a contact was moved to."""
    if contact.state == states.WAITING:
        skip_steps(floor, contact)
    if contact.state == states.WAITING:
        seek_agent(floor, contact)
    if contact.state == states.WAITING:
        floor.set_alarm(contact)


def _waiting_in(floor: Floor, queue: QueuePlan) -> list[Contact]:
    """Return those who wait in a queue's lines, or for one agent, oldest place first."""
    found = [
        contact
        for demand in floor.demand_list
        if demand.queue is queue
        for lane in demand.lanes
        for contact in lane.contacts()
    ]
    for agent in floor.agents.values():
        if agent.own is not None:
            for contact in agent.own:
                lane = contact.lane
                if lane is not None and lane.demand.queue is queue:
                    found.append(contact)
    return sorted(found, key=place_of)
