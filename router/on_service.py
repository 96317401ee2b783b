"""Follow what is said of a contact's service: answers to surveys, complaints, notes.

What they call for is a contact of its own, which the router opens itself: so no follow-up can get
lost between two systems. Its id is derived from that of the contact it follows from, its customer,
tier and language are the same.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from router import states, whys
from router.affinity import seek_affinity
from router.callbacks import next_call_ms, postpone
from router.clocks import ARRIVED, COMPLAINT_RAISED, send_signal
from router.decisions import OpenContact, Reason, RequestFollowUp
from router.events import ComplaintRaised, NoteAdded, SurveyAnswered
from router.records import Contact
from router.refusals import note_duplicate, refuse
from router.sla import SPOKEN_CHANNELS
from router.waiting import callback_due, enqueue

if TYPE_CHECKING:
    from router.floor import Floor

_ID_MAX: Final = 64
_STEM_MAX: Final = 36
FOLLOW_UP: Final = "f"
COMPLAINT: Final = "c"


def on_survey_answered(floor: Floor, contact: Contact, event: SurveyAnswered) -> None:
    """Follow up when the customer is unhappy or the matter is not settled."""
    ending = contact.ending
    assert ending is not None, "an ended contact has an ending"
    assert floor.center is not None, "a centre comes before contacts"
    rules = floor.center.surveys
    if ending.surveyed:
        note_duplicate(floor, contact.contact_id)
        return
    if rules.answer_within_ms and floor.now_ms > ending.closed_ms + rules.answer_within_ms:
        refuse(floor, whys.STALE, contact.contact_id)
        return
    ending.surveyed = True
    if event.score > rules.unhappy_score and event.resolved:
        return
    category = floor.center.categories.get(contact.profile.category_name)
    follow_up_id = ""
    if category is not None and category.follow_up.category:
        rule = category.follow_up
        agent = floor.more_of(contact).last_agent if rule.same_agent else ""
        agent = agent or (floor.last_agents.get(contact.customer, "") if rule.same_agent else "")
        opened = make_contact(floor, contact, FOLLOW_UP, rule.category, rule.channel)
        if isinstance(opened, Contact):
            follow_up_id = opened.contact_id
            floor.out.append(RequestFollowUp(contact.contact_id, whys.UNHAPPY_ANSWER, follow_up_id))
            open_contact(floor, opened, whys.UNHAPPY_ANSWER, agent)
            return
    floor.out.append(RequestFollowUp(contact.contact_id, whys.UNHAPPY_ANSWER))


def on_complaint_raised(floor: Floor, contact: Contact, event: ComplaintRaised) -> None:
    """Let the complaint clocks start, of the contact itself or of one opened for the complaint."""
    assert floor.center is not None, "a centre comes before contacts"
    rules = floor.center.complaints
    own = rules.always and contact.profile.category_name != rules.category
    if contact.state != states.ENDED and not own:
        send_signal(floor, contact, COMPLAINT_RAISED)
        return
    if not rules.category:
        refuse(floor, whys.CONTACT_CLOSED, contact.contact_id)
        return
    more = floor.more_of(contact)
    if more.complaint_id in floor.contacts:
        note_duplicate(floor, contact.contact_id)
        return
    opened = make_contact(floor, contact, COMPLAINT, rules.category, rules.channel)
    if isinstance(opened, Reason):
        refuse(floor, opened, contact.contact_id)
        return
    more.complaint_id = opened.contact_id
    open_contact(floor, opened, whys.COMPLAINT_RAISED, "")


def on_note_added(floor: Floor, contact: Contact, event: NoteAdded) -> None:
    """Keep a note in the journal; no clock hears it and nothing follows from it."""


# --- contacts that the router opens itself --------------------------------------------------------


def make_contact(
    floor: Floor, origin: Contact, mark: str, category: str, channel: str
) -> Contact | Reason:
    """Return the contact that is to follow from another one, or why there can be none."""
    assert floor.center is not None, "a centre comes before contacts"
    if floor.open_contacts >= floor.center.limits.open_contacts:
        return whys.LIMIT_REACHED
    old = origin.profile.key
    tier = old[2] if old[2] in floor.center.tiers else ""
    profile = floor.profile((channel or old[0], category, tier, old[3], -1, "", ()))
    if isinstance(profile, Reason):
        return profile
    contact = Contact(derive_id(floor, origin, mark), origin.customer, profile, 0)
    floor.more_of(contact).origin_id = origin.contact_id
    return contact


def derive_id(floor: Floor, origin: Contact, mark: str) -> str:
    """Return a free id made of the origin's; a long one is cut, with its hash in the place."""
    more = floor.more_of(origin)
    stem = origin.contact_id
    if len(stem) > _ID_MAX - 8:
        digest = hashlib.blake2b(stem.encode(), digest_size=8).hexdigest()
        stem = f"{stem[:_STEM_MAX]}-{digest}"
    while True:
        more.opened += 1
        contact_id = f"{stem}.{mark}{more.opened}"
        if contact_id not in floor.contacts and contact_id not in floor.tombstones:
            return contact_id


def open_contact(floor: Floor, contact: Contact, reason: Reason, preferred_agent: str) -> None:
    """Let a contact live that nobody announced; limits of queues do not keep it out.

    Nobody is on the line: on a spoken channel its customer is called back, within the hours for
    callbacks.
    """
    key, more = contact.profile.key, floor.more_of(contact)
    more.preferred_agent = preferred_agent
    contact.place = floor.take_place()
    contact.lane = floor.home_lane(contact)
    floor.contacts[contact.contact_id] = contact
    floor.open_contacts += 1
    floor.out.append(
        OpenContact(
            contact.contact_id,
            more.origin_id,
            key[0],
            key[1],
            reason,
            contact.customer,
            key[2],
            key[3],
            preferred_agent,
        )
    )
    send_signal(floor, contact, ARRIVED)
    if reason is whys.COMPLAINT_RAISED:
        send_signal(floor, contact, COMPLAINT_RAISED)
    if key[0] in SPOKEN_CHANNELS:
        due_ms = next_call_ms(floor, contact, floor.now_ms)
        postpone(floor, contact, due_ms, reason)
        if due_ms == floor.now_ms:
            callback_due(floor, contact)
        return
    floor.set_alarm(contact)
    seek_affinity(floor, contact)
    enqueue(floor, contact, whys.UNROUTABLE if contact.profile.unroutable else whys.ARRIVED)
