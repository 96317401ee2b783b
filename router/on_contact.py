"""Follow the events of contacts; the table in `router.contacts` has admitted them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router import states, whys
from router.assignments import take_from_agent
from router.center import LimitAction, OverloadClass
from router.clocks import (
    AGENT_REPLIED,
    ARRIVED,
    CALLBACK_SCHEDULED,
    COMPLAINT_RAISED,
    CUSTOMER_AWAITED,
    CUSTOMER_REPLIED,
    CUSTOMER_WAIT_ENDED,
    HELD,
    RESUMED,
    TRANSFERRED,
    reopen_clocks,
    retarget_clocks,
    send_signal,
)
from router.decisions import (
    DeflectContact,
    Exit,
    NoteDuplicate,
    Reason,
    RefuseEvent,
    RequestFollowUp,
    ScheduleCallback,
)
from router.events import (
    AgentReplied,
    CallbackRequested,
    ComplaintRaised,
    ContactArrived,
    ContactHeld,
    ContactMerged,
    ContactRedialled,
    ContactReopened,
    ContactResumed,
    ContactTransferred,
    ContactUpdated,
    CustomerAwaited,
    CustomerReplied,
    CustomerWaitEnded,
    SurveyAnswered,
)
from router.matching import first_choice
from router.plan import Profile, ProfileKey, QueuePlan
from router.records import Agent, Contact
from router.waiting import (
    callback_due,
    change_lane,
    close_contact,
    end_contact,
    enqueue,
    is_full,
    pull_out,
    requeue,
    send_elsewhere,
    start_anew,
)

if TYPE_CHECKING:
    from router.floor import Floor

# A transfer to one agent waits this long for him if the category does not say.
TRANSFER_WAIT_MS = 60_000
UNHAPPY_SCORE = 2


def refuse(floor: Floor, reason: Reason, subject: str) -> None:
    """Answer that an event is not followed; nothing changes."""
    floor.out.append(RefuseEvent(reason, subject))


def note_duplicate(floor: Floor, subject: str) -> None:
    """Answer that an event told nothing new; nothing changes."""
    floor.out.append(NoteDuplicate(whys.DUPLICATE, subject))


# --- arrival --------------------------------------------------------------------------------------


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
    if isinstance(profile, Reason):
        refuse(floor, profile, contact_id)
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
    contact = Contact(contact_id, event.customer, profile, floor.take_place())
    if event.preferred_agent:
        floor.more_of(contact).preferred_agent = event.preferred_agent
    admit(floor, contact, deflected=shed is OverloadClass.DEFLECT)


def admit(floor: Floor, contact: Contact, *, deflected: bool) -> None:
    """Let a new contact live: clocks, then the line (or the way out at a limit)."""
    contact_id = contact.contact_id
    contact.lane = floor.home_lane(contact)
    seek_affinity(floor, contact)
    queue, action = find_room(floor, contact)
    if action is LimitAction.REFUSE:
        refuse(floor, whys.QUEUE_FULL, contact_id)
        return
    floor.contacts[contact_id] = contact
    floor.open_contacts += 1
    if contact_id in floor.tombstones:
        del floor.tombstones[contact_id]
        close_contact(floor, contact, Exit.ABANDONED, whys.ENDED_BEFORE_ARRIVAL)
        return
    send_signal(floor, contact, ARRIVED)
    reason = whys.OVERLOAD if deflected else whys.QUEUE_FULL
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
        send_elsewhere(floor, contact, contact.profile.queue, queue, whys.QUEUE_FULL)
    enqueue(
        floor, contact, whys.UNROUTABLE if contact.profile.unroutable else whys.ARRIVED
    )


def find_room(floor: Floor, contact: Contact) -> tuple[QueuePlan, LimitAction | None]:
    """Return the queue that takes an arriving contact, or what to do as none does."""
    queue = contact.profile.queue
    if not is_full(floor, queue) or could_start(floor, contact):
        return queue, None
    for _ in floor.queues:
        if queue.spec.when_full is not LimitAction.OVERFLOW:
            return queue, queue.spec.when_full
        queue = floor.queues[queue.spec.overflow_to]
        if not is_full(floor, queue):
            return queue, None
    return queue, LimitAction.REFUSE


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
        if agent is not None and set_affinity(
            floor, contact, agent, category.preferred_wait_ms, 0
        ):
            return
    if category.last_agent_wait_ms:
        last = more.last_agent if more is not None and more.last_agent else ""
        if not last and contact.customer:
            last = floor.last_agents.get(contact.customer, "")
        agent = floor.agents.get(last) if last else None
        if agent is not None:
            set_affinity(floor, contact, agent, category.last_agent_wait_ms, 1)


def set_affinity(
    floor: Floor, contact: Contact, agent: Agent, wait_ms: int, reason: int
) -> bool:
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


# --- changes --------------------------------------------------------------------------------------


def on_updated(floor: Floor, contact: Contact, event: ContactUpdated) -> None:
    """Take new facts of a contact in: its line, its clocks."""
    assert floor.center is not None, "a centre comes before contacts"
    old = contact.profile.key
    tier = old[2]
    if event.tier is not None:
        tier = event.tier if event.tier in floor.center.tiers else ""
    key: ProfileKey = (
        old[0],
        old[1] if event.category is None else event.category,
        tier,
        old[3] if event.language is None else event.language,
        old[4] if event.priority is None else event.priority,
        old[5] if event.category is None else "",
        old[6] if event.skills is None else tuple(sorted(event.skills.items())),
    )
    if key == old:
        note_duplicate(floor, contact.contact_id)
        return
    profile = floor.profile(key)
    if isinstance(profile, Reason):
        refuse(floor, profile, contact.contact_id)
        return
    new_category = profile.category_name != contact.profile.category_name
    set_profile(floor, contact, profile)
    if contact.state == states.WAITING:
        floor.stop_waiting(contact)
        floor.more_of(contact).affinity = None
        if new_category:
            start_anew(floor, contact)
            enqueue(floor, contact, whys.UPDATED)
        else:
            requeue(floor, contact, whys.UPDATED)
    elif new_category:
        start_anew(floor, contact)
        change_lane(floor, contact)
    else:
        change_lane(floor, contact)


def set_profile(floor: Floor, contact: Contact, profile: Profile) -> None:
    """Give a contact new facts; its clocks follow."""
    more = floor.more_of(contact)
    if more.first_key is None:
        more.first_key = contact.profile.key
    old, new = contact.profile.key, profile.key
    contact.profile = profile
    contact.step = min(contact.step, len(profile.category.steps))
    if old[1] != new[1] or old[2] != new[2]:
        # Promises are made by category, channel and tier.
        retarget_clocks(floor, contact)


def on_transferred(floor: Floor, contact: Contact, event: ContactTransferred) -> None:
    """Pass a contact on to a queue, a category or an agent; it keeps its age."""
    targets = (event.queue != "") + (event.category != "") + (event.agent_id != "")
    if targets != 1:
        refuse(floor, whys.BAD_TARGET, contact.contact_id)
        return
    old = contact.profile.key
    profile: Profile | Reason = contact.profile
    agent: Agent | None = None
    if event.queue:
        profile = floor.profile((old[0], old[1], old[2], old[3], old[4], event.queue, old[6]))
    elif event.category:
        profile = floor.profile((old[0], event.category, old[2], old[3], old[4], "", old[6]))
    else:
        agent = floor.agents.get(event.agent_id)
        if agent is None:
            profile = whys.UNKNOWN_AGENT
        elif agent.state not in (states.READY, states.AWAY):
            profile = whys.SIGNED_OUT
        elif not floor.may_serve(agent, floor.home_lane(contact).demand):
            profile = whys.BAD_TARGET
    if isinstance(profile, Reason):
        refuse(floor, profile, contact.contact_id)
        return
    pull_out(floor, contact, whys.TRANSFERRED)
    queue = floor.more_of(contact).queue
    start_anew(floor, contact)
    if profile is not contact.profile:
        set_profile(floor, contact, profile)
    send_signal(floor, contact, TRANSFERRED)
    if agent is not None:
        floor.more_of(contact).queue = queue
        wait_ms = contact.profile.category.preferred_wait_ms or TRANSFER_WAIT_MS
        set_affinity(floor, contact, agent, wait_ms, 0)
    enqueue(floor, contact, whys.TRANSFERRED)


def on_held(floor: Floor, contact: Contact, event: ContactHeld) -> None:
    """Note that the customer is on hold."""
    more = floor.more_of(contact)
    if more.held:
        note_duplicate(floor, contact.contact_id)
        return
    more.held = True
    send_signal(floor, contact, HELD)


def on_resumed(floor: Floor, contact: Contact, event: ContactResumed) -> None:
    """Note that the customer is off hold."""
    more = floor.more_of(contact)
    if not more.held:
        note_duplicate(floor, contact.contact_id)
        return
    more.held = False
    send_signal(floor, contact, RESUMED)


# --- conversation ---------------------------------------------------------------------------------


def on_agent_replied(floor: Floor, contact: Contact, event: AgentReplied) -> None:
    """Let the response clocks hear of an answer; an automatic one answers nothing."""
    if not event.automatic:
        send_signal(floor, contact, AGENT_REPLIED)


def on_customer_replied(floor: Floor, contact: Contact, event: CustomerReplied) -> None:
    """Take a message of the customer in; one that waited for it goes back into line."""
    if contact.state == states.ENDED:
        if contact.ending is None or contact.ending.exit is not Exit.HANDLED:
            refuse(floor, whys.CONTACT_CLOSED, contact.contact_id)
            return
        reopen(floor, contact, whys.CUSTOMER_REPLIED)
        return
    send_signal(floor, contact, CUSTOMER_REPLIED)
    if contact.state == states.AWAITING_CUSTOMER:
        come_back(floor, contact, whys.CUSTOMER_REPLIED)


def on_customer_awaited(floor: Floor, contact: Contact, event: CustomerAwaited) -> None:
    """Free the agent while the contact waits on its customer."""
    send_signal(floor, contact, CUSTOMER_AWAITED)
    take_from_agent(floor, contact, whys.WAITING_ON_CUSTOMER)
    contact.state = states.AWAITING_CUSTOMER
    floor.more_of(contact).absent_since_ms = floor.now_ms
    floor.set_alarm(contact)


def on_customer_wait_ended(floor: Floor, contact: Contact, event: CustomerWaitEnded) -> None:
    """Put the contact back into line without a message of the customer."""
    send_signal(floor, contact, CUSTOMER_WAIT_ENDED)
    come_back(floor, contact, whys.WAITING_ENDED)


def come_back(floor: Floor, contact: Contact, reason: Reason) -> None:
    """Put a contact that waited on its customer back into line, first for its last agent."""
    pull_out(floor, contact, reason)
    start_anew(floor, contact)
    seek_affinity(floor, contact)
    enqueue(floor, contact, reason)


def on_reopened(floor: Floor, contact: Contact, event: ContactReopened) -> None:
    """Bring a handled contact back to life."""
    if contact.state == states.AWAITING_CUSTOMER:
        send_signal(floor, contact, CUSTOMER_WAIT_ENDED)
        come_back(floor, contact, whys.REOPENED)
    elif contact.ending is None or contact.ending.exit is not Exit.HANDLED:
        refuse(floor, whys.CONTACT_CLOSED, contact.contact_id)
    else:
        reopen(floor, contact, whys.REOPENED)


def on_redialled(floor: Floor, contact: Contact, event: ContactRedialled) -> None:
    """Let a customer who had abandoned take his old place again."""
    if contact.ending is None or contact.ending.exit is not Exit.ABANDONED:
        refuse(floor, whys.WRONG_STATE, contact.contact_id)
    else:
        reopen(floor, contact, whys.REDIALLED)


def reopen(floor: Floor, contact: Contact, reason: Reason) -> None:
    """Begin another life of an ended contact; it keeps its age."""
    assert floor.center is not None and contact.ending is not None, "it ended in this centre"
    if floor.open_contacts >= floor.center.limits.open_contacts:
        refuse(floor, whys.LIMIT_REACHED, contact.contact_id)
        return
    # The configuration may have changed since it ended.
    profile = floor.profile(contact.profile.key)
    if isinstance(profile, Reason):
        refuse(floor, profile, contact.contact_id)
        return
    contact.profile = profile
    more = floor.more_of(contact)
    more.absent_ms += floor.now_ms - contact.ending.absent_from_ms
    more.reopened_ms = floor.now_ms
    contact.ending = None
    floor.open_contacts += 1
    contact.state = states.WAITING
    start_anew(floor, contact)
    contact.lane = floor.home_lane(contact)
    reopen_clocks(floor, contact)
    if reason is whys.CUSTOMER_REPLIED:
        send_signal(floor, contact, CUSTOMER_REPLIED)
    floor.set_alarm(contact)
    seek_affinity(floor, contact)
    enqueue(floor, contact, reason)


def on_callback_requested(floor: Floor, contact: Contact, event: CallbackRequested) -> None:
    """Keep the place of a customer who hangs up to be called."""
    due_ms = max(event.due_at_ms, floor.now_ms)
    if due_ms >= contact.arrived_ms + floor.life_ms:
        refuse(floor, whys.BAD_TIMESTAMP, contact.contact_id)
        return
    pull_out(floor, contact, whys.CALLBACK_REQUESTED)
    more = floor.more_of(contact)
    more.callback_due_ms = due_ms
    more.absent_since_ms = floor.now_ms
    contact.state = states.SCHEDULED
    floor.out.append(
        ScheduleCallback(contact.contact_id, due_ms, whys.CALLBACK_REQUESTED)
    )
    send_signal(floor, contact, CALLBACK_SCHEDULED)
    if due_ms == floor.now_ms:
        callback_due(floor, contact)
    else:
        floor.set_alarm(contact)


def on_merged(floor: Floor, contact: Contact, event: ContactMerged) -> None:
    """Close a contact that goes on as another one."""
    other = floor.contacts.get(event.into_contact_id)
    if other is contact:
        refuse(floor, whys.BAD_TARGET, contact.contact_id)
    elif other is None:
        refuse(floor, whys.UNKNOWN_CONTACT, event.into_contact_id)
    else:
        end_contact(floor, contact, Exit.MERGED, whys.MERGED)


def on_complaint_raised(floor: Floor, contact: Contact, event: ComplaintRaised) -> None:
    """Let the complaint clocks start."""
    send_signal(floor, contact, COMPLAINT_RAISED)


def on_survey_answered(floor: Floor, contact: Contact, event: SurveyAnswered) -> None:
    """Ask for a follow-up when the customer is unhappy or the matter is not settled."""
    ending = contact.ending
    assert ending is not None, "an ended contact has an ending"
    if ending.surveyed:
        note_duplicate(floor, contact.contact_id)
        return
    ending.surveyed = True
    if event.score <= UNHAPPY_SCORE or not event.resolved:
        floor.out.append(RequestFollowUp(contact.contact_id, whys.UNHAPPY_ANSWER))
