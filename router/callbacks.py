"""Keep callbacks for their time: nobody is on the line until the customer is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router import states, whys
from router.clocks import CALLBACK_SCHEDULED, send_signal
from router.decisions import Reason, ScheduleCallback

if TYPE_CHECKING:
    from router.floor import Floor
    from router.records import Contact


def postpone(floor: Floor, contact: Contact, due_ms: int, reason: Reason) -> None:
    """Let a contact that nobody holds be called at an instant; until then nobody is on the line."""
    more = floor.more_of(contact)
    more.affinity = None
    more.callback_due_ms = due_ms
    more.absent_since_ms = floor.now_ms
    contact.state = states.SCHEDULED
    floor.out.append(ScheduleCallback(contact.contact_id, due_ms, reason))
    send_signal(floor, contact, CALLBACK_SCHEDULED)
    if due_ms > floor.now_ms:
        floor.set_alarm(contact)


def next_call_ms(floor: Floor, contact: Contact, at_ms: int) -> int:
    """Return the first instant at or after `at_ms` at which the customer may be called."""
    return floor.calls.next_ms(contact.profile.queue.spec.calendar, at_ms)


def is_outside_window(floor: Floor, contact: Contact) -> bool:
    """Say whether a callback that is due may not be called now."""
    more = contact.more
    if more is None or more.callback_due_ms < 0:
        return False
    calendar = contact.profile.queue.spec.calendar
    return floor.calls.closing_ms(calendar, floor.now_ms) == floor.now_ms


def wait_for_window(floor: Floor, contact: Contact) -> None:
    """Put a callback that nobody holds off to the next opening."""
    due_ms = next_call_ms(floor, contact, floor.now_ms + 1)
    postpone(floor, contact, due_ms, whys.OUTSIDE_WINDOW)
