"""Take contacts in: facts, limits, the agent they would rather have, the line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router import states, whys
from router.affinity import seek_affinity
from router.center import LimitAction, OverloadClass, WhenClosed
from router.clocks import ARRIVED, SELF_SERVED, send_signal
from router.decisions import DeflectContact, Exit, LinkContact, OfferCallback, Reason
from router.doors import rests
from router.events import ContactArrived, ContactHandedOver
from router.matching import first_choice
from router.plan import Profile, ProfileKey, QueuePlan
from router.records import PLACE_BITS, Contact
from router.refusals import note_duplicate, refuse
from router.returns import ABANDONED, BLOCKED, CALLBACK, remember, trace_of
from router.waiting import (
    close_contact,
    deflect,
    end_contact,
    enqueue,
    is_full,
    pull_out,
    send_elsewhere,
    start_anew,
)

if TYPE_CHECKING:
    from router.floor import Floor


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
        turn_away(floor, event, whys.LIMIT_REACHED)
        return
    shed = profile.category.overload
    if shed is not OverloadClass.SERVE:
        shed = OverloadClass.SERVE if event.bot else find_class(floor, profile)
    if shed is OverloadClass.REFUSE:
        turn_away(floor, event, whys.OVERLOAD)
        return
    # Its own place comes with its entry; until then it is as old as this instant.
    contact = Contact(contact_id, event.customer, profile, floor.now_ms << PLACE_BITS)
    if event.preferred_agent:
        floor.more_of(contact).preferred_agent = event.preferred_agent
    if event.bot:
        begin_with_bot(floor, contact)
    else:
        admit(floor, contact, event, shed)


def turn_away(floor: Floor, event: ContactArrived, reason: Reason) -> None:
    """Refuse a contact for want of room; that its customer tried is remembered."""
    refuse(floor, reason, event.contact_id)
    remember(floor, event.customer, event.category, event.contact_id, BLOCKED, 1)


def find_class(floor: Floor, profile: Profile) -> OverloadClass:
    """Return what becomes of a contact that comes now: overload is a matter of the centre's state.

    It begins with the operator's switch, with too many contacts in the centre, or with too many in
    the queue.
    """
    assert floor.center is not None, "a centre comes before contacts"
    most, longest = floor.center.limits.overload_open_contacts, profile.queue.spec.overload_length
    if (
        floor.overload
        or (most and floor.open_contacts >= most)
        or (longest and profile.queue.waiting >= longest)
    ):
        return profile.category.overload
    return OverloadClass.SERVE


def admit(floor: Floor, contact: Contact, event: ContactArrived, shed: OverloadClass) -> None:
    """Let a new contact live: clocks, then the line (or the way out at a limit)."""
    contact.lane = floor.home_lane(contact)
    seek_affinity(floor, contact)
    queue, action, limit = find_room(floor, contact, shed)
    if action is LimitAction.REFUSE:
        turn_away(floor, event, limit)
        return
    if not let_in(floor, contact):
        return
    if floor.traces:
        recognise(floor, contact)
    send_signal(floor, contact, ARRIVED)
    go_in(floor, contact, queue, action, limit, shed)


def let_in(floor: Floor, contact: Contact) -> bool:
    """Put a contact on the books; one whose end was told before ends at once."""
    contact_id = contact.contact_id
    contact.place = floor.take_place()
    floor.contacts[contact_id] = contact
    floor.open_contacts += 1
    if contact_id in floor.tombstones:
        del floor.tombstones[contact_id]
        close_contact(floor, contact, Exit.ABANDONED, whys.ENDED_BEFORE_ARRIVAL)
        return False
    return True


def go_in(
    floor: Floor,
    contact: Contact,
    queue: QueuePlan,
    action: LimitAction | None,
    limit: Reason,
    shed: OverloadClass,
) -> None:
    """Lead a contact into its line, or out at a limit."""
    if action is not None or shed is OverloadClass.DEFLECT:
        _go_out(floor, contact, action, limit, shed)
        return
    profile = contact.profile
    floor.set_alarm(contact)
    if queue is not profile.queue:
        floor.more_of(contact).affinity = None
        send_elsewhere(floor, contact, profile.queue, queue, limit)
    if profile.unroutable:
        reason = whys.UNROUTABLE
    elif contact.state == states.SELF_SERVICE:
        reason = whys.HANDED_OVER
    else:
        reason = whys.ARRIVED
    enqueue(floor, contact, reason)
    if queue.shut and queue.spec.when_closed is WhenClosed.CALLBACK and rests(queue, contact):
        floor.out.append(OfferCallback(contact.contact_id, whys.QUEUE_CLOSED))


def _go_out(
    floor: Floor,
    contact: Contact,
    action: LimitAction | None,
    limit: Reason,
    shed: OverloadClass,
) -> None:
    """End a contact at a limit: overload deflects before a full or closed queue does its part."""
    deflected = shed is OverloadClass.DEFLECT
    reason = whys.OVERLOAD if deflected else limit
    if deflected or action is LimitAction.DEFLECT:
        floor.out.append(DeflectContact(contact.contact_id, reason))
        close_contact(floor, contact, Exit.DEFLECTED, reason)
        return
    assert action is LimitAction.EXPIRE, "refused ones were turned away, overflow found its queue"
    close_contact(floor, contact, Exit.EXPIRED, reason)


# --- bots -----------------------------------------------------------------------------------------


def begin_with_bot(floor: Floor, contact: Contact) -> None:
    """Let a bot have a new contact; it waits for nobody."""
    contact.state = states.SELF_SERVICE
    contact.lane = floor.home_lane(contact)
    if not let_in(floor, contact):
        return
    floor.more_of(contact).absent_since_ms = floor.now_ms
    if floor.traces:
        recognise(floor, contact)
    send_signal(floor, contact, SELF_SERVED)
    floor.set_alarm(contact)


def on_handed_over(floor: Floor, contact: Contact, event: ContactHandedOver) -> None:
    """Take over from a bot: the contact keeps its age, and arrives for people only now.

    It is in already, so where a new one would be refused it is deflected.
    """
    if event.category and event.category != contact.profile.category_name:
        old = contact.profile.key
        profile = floor.profile((old[0], event.category, old[2], old[3], old[4], "", old[6]))
        if isinstance(profile, Reason) or profile.queue.draining:
            reason = profile if isinstance(profile, Reason) else whys.UNKNOWN_QUEUE
            refuse(floor, reason, contact.contact_id)
            return
        more = floor.more_of(contact)
        more.first_key = more.first_key or old
        contact.profile = profile
    pull_out(floor, contact, whys.HANDED_OVER)
    start_anew(floor, contact)
    contact.lane = floor.home_lane(contact)
    shed = find_class(floor, contact.profile)
    seek_affinity(floor, contact)
    queue, action, limit = find_room(floor, contact, shed)
    send_signal(floor, contact, ARRIVED)
    if shed is OverloadClass.REFUSE:
        deflect(floor, contact, whys.OVERLOAD)
    elif action is LimitAction.REFUSE:
        deflect(floor, contact, limit)
    else:
        go_in(floor, contact, queue, action, limit, shed)


# --- customers who come again ---------------------------------------------------------------------


def recognise(floor: Floor, contact: Contact) -> None:
    """Know a customer who comes again about the same matter; say so.

    One who abandoned keeps the age of then, and one who was to be called back that of his
    callback, which is over: he is here.
    """
    trace = trace_of(floor, contact.customer, contact.profile.category_name)
    if trace is None:
        return
    earlier = floor.contacts.get(trace.contact_id)
    since_ms = 0
    if trace.reason is ABANDONED or trace.reason is CALLBACK:
        if earlier is None or not _gives_way(earlier, contact, trace.reason):
            return
        since_ms = earlier.arrived_ms
    attempt = trace.attempts + 1
    floor.more_of(contact).attempt = attempt
    floor.traces.pop((contact.customer, contact.profile.category_name), None)
    floor.out.append(
        LinkContact(contact.contact_id, trace.contact_id, trace.reason, attempt, since_ms)
    )
    if earlier is not None and since_ms:
        inherit(floor, contact, earlier)
        if trace.reason is CALLBACK:
            end_contact(floor, earlier, Exit.MERGED, whys.CALLED_MEANWHILE)


def _gives_way(earlier: Contact, contact: Contact, reason: Reason) -> bool:
    """Say whether an earlier contact gives its place to its customer's next one."""
    if earlier.profile.category_name != contact.profile.category_name:
        # It has become about something else since it left its trace.
        return False
    if reason is ABANDONED:
        return earlier.ending is not None and earlier.ending.exit is Exit.ABANDONED
    return (
        earlier.state in (states.SCHEDULED, states.WAITING, states.OFFERED)
        and earlier.more is not None
        and earlier.more.callback_due_ms >= 0
    )


def inherit(floor: Floor, contact: Contact, earlier: Contact) -> None:
    """Give a contact the place and the age of an earlier one, which never takes it again."""
    more = floor.more_of(contact)
    old = floor.more_of(earlier)
    absent_from_ms = floor.now_ms
    if earlier.ending is not None:
        absent_from_ms = earlier.ending.absent_from_ms
    elif old.absent_since_ms:
        absent_from_ms = old.absent_since_ms
    more.absent_ms = old.absent_ms + floor.now_ms - absent_from_ms
    more.reopened_ms = floor.now_ms
    more.steps_from_ms = floor.now_ms
    more.entered_ms = floor.now_ms
    contact.place = earlier.place
    old.succeeded = True


# --- room -----------------------------------------------------------------------------------------


def find_room(
    floor: Floor, contact: Contact, shed: OverloadClass
) -> tuple[QueuePlan, LimitAction | None, Reason]:
    """Return the queue that takes an arriving contact, or what to do as none does, and why.

    Under overload a class that overflows goes on to the next queue while that has room.
    """
    home = queue = contact.profile.queue
    if shed is not OverloadClass.OVERFLOW and not queue.shut and not is_full(queue):
        return queue, None, whys.QUEUE_FULL
    if shed is OverloadClass.OVERFLOW and queue.spec.overflow_to:
        further = floor.queues[queue.spec.overflow_to]
        if not further.shut and not is_full(further):
            return further, None, whys.OVERLOAD
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
