"""Let contacts wait: enter a line, return to it, widen the search, leave it for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router import states, whys
from router.affinity import seek_affinity
from router.assignments import release, take_from_agent, withdraw_all
from router.callbacks import is_outside_window, next_call_ms, postpone, wait_for_window
from router.center import LimitAction
from router.clocks import CALLBACK_DUE, end_clocks, send_signal
from router.decisions import (
    CloseContact,
    DeflectContact,
    EnqueueContact,
    Exit,
    OfferCallback,
    OverflowContact,
    Reason,
    RelaxContact,
    RequeueContact,
)
from router.doors import rests
from router.guards import note_loss
from router.matching import seek_agent
from router.ordered import Ordered
from router.records import Agent, Assignment, Contact, Ending, Offer
from router.returns import ABANDONED, DEFLECTED, remember
from router.surveys import ask

if TYPE_CHECKING:
    from router.floor import Floor
    from router.plan import QueuePlan


def enqueue(floor: Floor, contact: Contact, reason: Reason) -> None:
    """Let a contact begin to wait at its place, and look for an agent."""
    contact.state = states.WAITING
    lane = floor.home_lane(contact)
    contact.lane = lane
    demand = lane.demand
    shut = demand.queue.shut and rests(demand.queue, contact)
    if shut and contact.more is not None and reason is not whys.TRANSFERRED:
        # Only who is passed on to one agent by another may go to him now.
        contact.more.affinity = None
    if reason is whys.ARRIVED and (shut or not demand.staffed):
        reason = whys.QUEUE_CLOSED if shut else whys.NO_ELIGIBLE_AGENT
    floor.out.append(
        EnqueueContact(contact.contact_id, demand.queue.name, reason, lane.priority, contact.step)
    )
    more = contact.more
    if more is None and demand.bench.size and not shut and floor.guards is None:
        # Somebody idle may serve it: it need not stand in line first.
        contact.state = states.OFFERED
        if not contact.profile.plain:
            floor.set_alarm(contact)
        seek_agent(floor, contact)
        return
    if more is not None and more.affinity is not None:
        wait_alone(floor, contact, more.affinity)
    else:
        floor.wait_in(contact, lane)
        if not demand.staffed:
            skip_steps(floor, contact)
    if contact.state == states.WAITING:
        seek_agent(floor, contact)
    if contact.state == states.WAITING and (more is not None or not contact.profile.plain):
        floor.set_alarm(contact)


def wait_alone(floor: Floor, contact: Contact, agent: Agent) -> None:
    """Let a contact wait for one agent alone; it still counts in its queue."""
    lane = contact.lane
    assert lane is not None, "a waiting contact has a lane"
    lane.demand.queue.waiting += 1
    floor.waiting += 1
    if agent.own is None:
        agent.own = Ordered()
    agent.own.add(contact.place, 0, contact)


def pull_out(floor: Floor, contact: Contact, reason: Reason) -> None:
    """Take a contact from where it is so that it can start anew elsewhere; its age stays."""
    more = floor.more_of(contact)
    if contact.state == states.WAITING:
        floor.stop_waiting(contact)
    elif isinstance(contact.work, Offer):
        withdraw_all(floor, contact, reason)
    elif contact.work is not None:
        take_from_agent(floor, contact, reason)
    else:
        more.absent_ms += floor.now_ms - more.absent_since_ms
        more.absent_since_ms = 0
    more.affinity = None
    more.callback_due_ms = -1
    if more.ring is not None:
        floor.timers.cancel(more.ring)


def start_anew(floor: Floor, contact: Contact) -> None:
    """Let the routing steps and the queue's limit of a contact count from now."""
    more = floor.more_of(contact)
    more.step = 0
    more.queue = None
    more.steps_from_ms = floor.now_ms
    more.entered_ms = floor.now_ms
    more.tried = {}


def change_lane(floor: Floor, contact: Contact) -> None:
    """Move a contact to the lane where it now belongs."""
    if contact.state != states.WAITING:
        contact.lane = floor.home_lane(contact)
        return
    more = contact.more
    if more is not None and more.affinity is not None:
        lane = floor.home_lane(contact)
        old = contact.lane
        assert old is not None, "a waiting contact has a lane"
        moved = lane.demand.queue is not old.demand.queue
        if moved or not floor.may_serve(more.affinity, lane.demand):
            floor.stop_waiting(contact)
            more.affinity = None
            floor.wait_in(contact, lane)
            name = lane.demand.queue.name
            floor.out.append(
                RequeueContact(contact.contact_id, name, whys.AFFINITY_ENDED, lane.priority)
            )
            return
        old.demand.queue.waiting -= 1
        lane.demand.queue.waiting += 1
        contact.lane = lane
        return
    floor.stop_waiting(contact)
    floor.wait_in(contact, floor.home_lane(contact))


def skip_steps(floor: Floor, contact: Contact) -> None:
    """Go at once to a wider search if nobody staffed could serve the present one."""
    lane = contact.lane
    assert lane is not None, "a waiting contact has a lane"
    steps = contact.profile.category.steps
    if lane.demand.staffed or contact.step >= len(steps):
        return
    if lane.demand.queue.shut and rests(lane.demand.queue, contact):
        # At night nobody is there, and nobody has to be.
        return
    for target in range(contact.step + 1, len(steps) + 1):
        if _is_staffed_at(floor, contact, target):
            while contact.state == states.WAITING and contact.step < target:
                take_step(floor, contact, whys.NO_STAFFED_AGENT)
            return


def look_ahead(floor: Floor, contact: Contact) -> None:
    """Know the demands of a contact's later steps, so that whoever signs in has a seat there.

    `skip_steps` has looked ahead for every contact that waits where nobody is staffed; a restored
    floor has to do so anew.
    """
    lane = contact.lane
    if contact.state == states.WAITING and lane is not None and not lane.demand.staffed:
        for target in range(contact.step + 1, len(contact.profile.category.steps) + 1):
            _is_staffed_at(floor, contact, target)


def _is_staffed_at(floor: Floor, contact: Contact, target: int) -> bool:
    """Say whether step `target` widens the search to somebody who is staffed."""
    profile, more = contact.profile, contact.more
    step = profile.category.steps[target - 1]
    queue = profile.queue if more is None or more.queue is None else more.queue
    if step.overflow_to:
        queue = floor.queues[step.overflow_to]
        if queue.shut:
            return False
    elif not (step.lower or step.drop or step.add_teams):
        return False
    demand = floor.demand(
        queue, profile.needs_at(target), profile.teams_at(queue, target), profile.channel
    )
    return demand.staffed > 0


def take_step(floor: Floor, contact: Contact, reason: Reason) -> None:
    """Take the next routing step of a waiting contact."""
    step = contact.profile.category.steps[contact.step]
    floor.more_of(contact).step += 1
    floor.out.append(RelaxContact(contact.contact_id, contact.step, reason))
    if step.deflect:
        deflect(floor, contact, reason)
        return
    if step.offer_callback:
        floor.out.append(OfferCallback(contact.contact_id, reason))
    if step.overflow_to and has_room(floor.queues[step.overflow_to]):
        overflow(floor, contact, floor.queues[step.overflow_to], reason)
    else:
        change_lane(floor, contact)
    if contact.state == states.WAITING:
        skip_steps(floor, contact)
    if contact.state == states.WAITING:
        seek_agent(floor, contact)
    if contact.state == states.WAITING:
        floor.set_alarm(contact)


def is_full(queue: QueuePlan) -> bool:
    """Say whether a queue takes no further contact."""
    return 0 < queue.spec.length_max <= queue.waiting


def has_room(queue: QueuePlan) -> bool:
    """Say whether contacts may be moved to a queue: it is open and not full."""
    return not queue.shut and not is_full(queue)


def overflow(floor: Floor, contact: Contact, queue: QueuePlan, reason: Reason) -> None:
    """Move a waiting contact to a queue at its old place; it may stand there already."""
    lane = contact.lane
    assert lane is not None, "a waiting contact has a lane"
    from_queue = lane.demand.queue
    if from_queue is not queue:
        send_elsewhere(floor, contact, from_queue, queue, reason)
    change_lane(floor, contact)


def send_elsewhere(
    floor: Floor, contact: Contact, from_queue: QueuePlan, queue: QueuePlan, reason: Reason
) -> None:
    """Let another queue be the contact's from now on."""
    more = floor.more_of(contact)
    more.queue = queue
    more.entered_ms = floor.now_ms
    floor.out.append(OverflowContact(contact.contact_id, from_queue.name, queue.name, reason))


def deflect(floor: Floor, contact: Contact, reason: Reason) -> None:
    """Send a contact away to another way of being served."""
    floor.out.append(DeflectContact(contact.contact_id, reason))
    end_contact(floor, contact, Exit.DEFLECTED, reason)


def reach_queue_limit(floor: Floor, contact: Contact) -> None:
    """Do with a contact that waited too long for its queue what the queue says."""
    lane = contact.lane
    assert lane is not None, "a waiting contact has a lane"
    spec = lane.demand.queue.spec
    if spec.when_late is LimitAction.OVERFLOW:
        target = floor.queues[spec.overflow_to]
        # Where there is no room it waits another round: a limit loses nobody.
        floor.more_of(contact).entered_ms = floor.now_ms
        if has_room(target):
            overflow(floor, contact, target, whys.QUEUE_WAIT_LIMIT)
            skip_steps(floor, contact)
            if contact.state == states.WAITING:
                seek_agent(floor, contact)
        if contact.state == states.WAITING:
            floor.set_alarm(contact)
    elif spec.when_late is LimitAction.DEFLECT:
        deflect(floor, contact, whys.QUEUE_WAIT_LIMIT)
    else:
        end_contact(floor, contact, Exit.EXPIRED, whys.QUEUE_WAIT_LIMIT)


def fire_contact(floor: Floor, contact: Contact) -> None:
    """Do the earliest thing that time alone does to a contact, then arm it for the next."""
    now_ms = floor.now_ms
    more = contact.more
    born_ms = contact.arrived_ms if more is None or not more.reopened_ms else more.reopened_ms
    if now_ms >= born_ms + floor.life_ms:
        end_contact(floor, contact, Exit.EXPIRED, whys.LIFE_LIMIT)
    elif contact.state == states.SCHEDULED:
        callback_due(floor, contact)
    elif contact.state == states.WAITING:
        if more is not None and more.affinity is not None and now_ms >= more.affinity_until_ms:
            end_affinity(floor, contact)
        elif is_outside_window(floor, contact):
            floor.stop_waiting(contact)
            wait_for_window(floor, contact)
        elif now_ms >= floor.queue_limit_ms(contact):
            reach_queue_limit(floor, contact)
        elif now_ms >= floor.next_step_ms(contact):
            take_step(floor, contact, whys.STEP_DUE)
        else:
            floor.set_alarm(contact)
    else:
        floor.set_alarm(contact)


def end_affinity(floor: Floor, contact: Contact) -> None:
    """Let a contact that waited for one agent wait for anyone, at its place."""
    more = contact.more
    if more is None or more.affinity is None or contact.state != states.WAITING:
        return
    floor.stop_waiting(contact)
    more.affinity = None
    return_to_line(floor, contact, whys.AFFINITY_ENDED)


def detach(floor: Floor, contact: Contact, reason: Reason, offer_reason: Reason) -> None:
    """Take a contact from wherever it is: line, offers, agent, callback list."""
    if contact.state == states.WAITING:
        floor.stop_waiting(contact)
    elif isinstance(contact.work, Offer):
        withdraw_all(floor, contact, offer_reason)
    elif isinstance(contact.work, Assignment):
        release(floor, contact.work, reason)
    more = contact.more
    if more is not None:
        more.affinity = None
        if more.ring is not None:
            floor.timers.cancel(more.ring)


def end_contact(floor: Floor, contact: Contact, exit_: Exit, reason: Reason) -> None:
    """End a contact wherever it is."""
    absent_from_ms = 0
    if isinstance(contact.work, Assignment):
        absent_from_ms = contact.work.assigned_ms
    elif contact.more is not None:
        absent_from_ms = contact.more.absent_since_ms
    if floor.guards is not None:
        note_loss(floor, contact, exit_)
    detach(floor, contact, reason, whys.CONTACT_GONE)
    close_contact(floor, contact, exit_, reason, absent_from_ms)


def close_contact(
    floor: Floor, contact: Contact, exit_: Exit, reason: Reason, absent_from_ms: int = 0
) -> None:
    """End a contact that is nowhere any more; it is remembered for repeats.

    `absent_from_ms` is since when it was not waiting, 0 if it waited to the last.
    """
    end_clocks(floor, contact, handled=exit_ is Exit.HANDLED or reason is whys.SELF_SERVED)
    floor.timers.cancel(contact)
    if contact.more is not None:
        contact.more.affinity = None
    contact.state = states.ENDED
    contact.lane = None
    ending = Ending(contact, exit_, floor.now_ms, absent_from_ms or floor.now_ms)
    contact.work = ending
    floor.closed.append(ending)
    floor.open_contacts -= 1
    floor.out.append(CloseContact(contact.contact_id, exit_, reason))
    if exit_ is Exit.HANDLED:
        category = contact.profile.category
        if category.survey_every or category.survey_percent:
            ask(floor, contact, ending)
    elif exit_ is Exit.ABANDONED or exit_ is Exit.DEFLECTED:
        note_leaving(floor, contact, exit_)


def note_leaving(floor: Floor, contact: Contact, exit_: Exit) -> None:
    """Remember how a customer left unserved, should he come again."""
    attempts = 1 if contact.more is None else contact.more.attempt
    category = contact.profile.category_name
    reason = ABANDONED if exit_ is Exit.ABANDONED else DEFLECTED
    remember(floor, contact.customer, category, contact.contact_id, reason, attempts)


# --- callbacks ------------------------------------------------------------------------------------


def end_dial(floor: Floor, contact: Contact, reason: Reason) -> None:
    """Call a customer who was not reached again later, or give up after the last attempt."""
    assert floor.center is not None, "a centre comes before contacts"
    rules, more = floor.center.callbacks, floor.more_of(contact)
    if rules.attempts_max and more.dials >= rules.attempts_max:
        close_contact(floor, contact, Exit.EXPIRED, whys.ATTEMPTS_SPENT)
        return
    spacing_ms = rules.busy_spacing_ms if reason is whys.BUSY else rules.spacing_ms
    due_ms = next_call_ms(floor, contact, floor.now_ms + max(spacing_ms, 1))
    postpone(floor, contact, due_ms, reason)


def callback_due(floor: Floor, contact: Contact) -> None:
    """Put a scheduled callback into line at its old place."""
    more = floor.more_of(contact)
    more.absent_ms += floor.now_ms - more.absent_since_ms
    more.absent_since_ms = 0
    send_signal(floor, contact, CALLBACK_DUE)
    if more.origin_id:
        # One that the router opened begins to wait only now.
        more.steps_from_ms = more.steps_from_ms or floor.now_ms
        seek_affinity(floor, contact)
    enqueue(floor, contact, whys.CALLBACK_DUE)


def return_to_line(floor: Floor, contact: Contact, reason: Reason) -> None:
    """Put a contact that nobody holds any more back at its old place."""
    more = contact.more
    if more is not None:
        more.affinity = None
        if more.ring is not None:
            floor.timers.cancel(more.ring)
    if is_outside_window(floor, contact):
        wait_for_window(floor, contact)
    else:
        requeue(floor, contact, reason)


def requeue(floor: Floor, contact: Contact, reason: Reason) -> None:
    """Let a contact wait at its old place in the line where it now belongs."""
    contact.state = states.WAITING
    lane = floor.home_lane(contact)
    floor.wait_in(contact, lane)
    floor.out.append(
        RequeueContact(contact.contact_id, lane.demand.queue.name, reason, lane.priority)
    )
    skip_steps(floor, contact)
    if contact.state == states.WAITING:
        seek_agent(floor, contact)
    if contact.state == states.WAITING:
        floor.set_alarm(contact)


def raise_priority(floor: Floor, contact: Contact, points: int, reason: Reason) -> None:
    """Add to the priority of an open contact; it keeps its place among its new equals."""
    more = floor.more_of(contact)
    more.raised += points
    if contact.state == states.ENDED:
        # If it comes back, it comes back with it.
        return
    if contact.state == states.WAITING and more.affinity is None:
        floor.stop_waiting(contact)
        requeue(floor, contact, reason)
    else:
        change_lane(floor, contact)


def take_next_step(floor: Floor, contact: Contact, reason: Reason) -> None:
    """Take the next routing step before its time, if there is one and the contact waits."""
    if contact.state == states.WAITING and contact.step < len(contact.profile.category.steps):
        take_step(floor, contact, reason)
