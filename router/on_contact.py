"""Follow the events of contacts; the table in `router.contacts` has admitted them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router import states, whys
from router.affinity import seek_affinity, set_affinity
from router.assignments import take_from_agent
from router.callbacks import next_call_ms, postpone
from router.clocks import (
    AGENT_REPLIED,
    CUSTOMER_AWAITED,
    CUSTOMER_REPLIED,
    CUSTOMER_WAIT_ENDED,
    HELD,
    RESUMED,
    TRANSFERRED,
    send_signal,
)
from router.decisions import (
    Exit,
    Reason,
)
from router.events import (
    AgentReplied,
    CallbackFailed,
    CallbackRequested,
    CallFailure,
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
)
from router.plan import Profile, ProfileKey
from router.records import Agent, Assignment, Contact
from router.refusals import note_duplicate, refuse
from router.retargeting import reopen_clocks, retarget_clocks
from router.returns import CALLBACK, remember
from router.waiting import (
    callback_due,
    change_lane,
    end_contact,
    end_dial,
    enqueue,
    pull_out,
    requeue,
    start_anew,
)

if TYPE_CHECKING:
    from router.floor import Floor

# A transfer to one agent waits this long for him if the category does not say.
TRANSFER_WAIT_MS = 60_000


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
    if len(key[6]) > floor.center.limits.skills_per_contact:
        refuse(floor, whys.LIMIT_REACHED, contact.contact_id)
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
    more.step = min(more.step, len(profile.category.steps))
    if old[1:3] != new[1:3] or (old[4] != new[4] and floor.promises_by_priority):
        # Promises are made by category, channel and tier; by priority where one says so.
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
    if not isinstance(profile, Reason) and event.queue and profile.queue.draining:
        profile = whys.UNKNOWN_QUEUE
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
    more = contact.more
    if more is not None and more.held:
        note_duplicate(floor, contact.contact_id)
        return
    floor.more_of(contact).held = True
    send_signal(floor, contact, HELD)


def on_resumed(floor: Floor, contact: Contact, event: ContactResumed) -> None:
    """Note that the customer is off hold."""
    more = contact.more
    if more is None or not more.held:
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
    elif contact.more is not None and contact.more.succeeded:
        # The new call has its place: he is here already.
        note_duplicate(floor, contact.contact_id)
    else:
        reopen(floor, contact, whys.REDIALLED)


def reopen(floor: Floor, contact: Contact, reason: Reason) -> None:
    """Begin another life of an ended contact; it keeps its age."""
    assert floor.center is not None, "a centre comes before contacts"
    assert contact.ending is not None, "it ended in this centre"
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
    more.absent_since_ms = 0
    more.reopened_ms = floor.now_ms
    more.callback_due_ms = -1
    contact.work = None
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
    due_ms = next_call_ms(floor, contact, max(event.due_at_ms, floor.now_ms))
    if due_ms >= contact.arrived_ms + floor.life_ms:
        refuse(floor, whys.BAD_TIMESTAMP, contact.contact_id)
        return
    pull_out(floor, contact, whys.CALLBACK_REQUESTED)
    floor.more_of(contact).dials = 0
    postpone(floor, contact, due_ms, whys.CALLBACK_REQUESTED)
    attempt = floor.more_of(contact).attempt
    category = contact.profile.category_name
    remember(floor, contact.customer, category, contact.contact_id, CALLBACK, attempt)
    if due_ms == floor.now_ms:
        callback_due(floor, contact)


FAILURES: dict[CallFailure, Reason] = {
    CallFailure.NO_ANSWER: whys.NO_ANSWER,
    CallFailure.BUSY: whys.BUSY,
    CallFailure.VOICEMAIL: whys.VOICEMAIL,
    CallFailure.UNREACHABLE: whys.UNREACHABLE,
}


def on_callback_failed(floor: Floor, contact: Contact, event: CallbackFailed) -> None:
    """Free the agent whose call reached nobody, and call again later."""
    work, more = contact.work, contact.more
    assert isinstance(work, Assignment), "the table admits contacts with an agent only"
    if more is None or not more.dialling:
        refuse(floor, whys.WRONG_STATE, contact.contact_id)
    elif event.agent_id and event.agent_id != work.agent.agent_id:
        refuse(floor, whys.WRONG_AGENT, event.agent_id)
    else:
        before = more.last_agent
        reason = FAILURES[event.cause]
        take_from_agent(floor, contact, reason)
        more.last_agent = before
        end_dial(floor, contact, reason)


def on_merged(floor: Floor, contact: Contact, event: ContactMerged) -> None:
    """Close a contact that goes on as another one."""
    other = floor.contacts.get(event.into_contact_id)
    if other is contact:
        refuse(floor, whys.BAD_TARGET, contact.contact_id)
    elif other is None:
        refuse(floor, whys.UNKNOWN_CONTACT, event.into_contact_id)
    else:
        end_contact(floor, contact, Exit.MERGED, whys.MERGED)
