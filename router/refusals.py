"""Answer events that are not followed: refused with a reason, or noted as telling nothing new."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router import whys
from router.decisions import NoteDuplicate, Reason, RefuseEvent

if TYPE_CHECKING:
    from router.floor import Floor


def refuse(floor: Floor, reason: Reason, subject: str) -> None:
    """Answer that an event is not followed; nothing changes."""
    floor.out.append(RefuseEvent(reason, subject))


def note_duplicate(floor: Floor, subject: str) -> None:
    """Answer that an event told nothing new; nothing changes."""
    floor.out.append(NoteDuplicate(whys.DUPLICATE, subject))


def purge(floor: Floor) -> None:
    """Forget what lies further back than the window in which repeats are recognised."""
    limit_ms = floor.now_ms - floor.window_ms
    closed = floor.closed
    while closed and closed[0].closed_ms < limit_ms:
        ending = closed.popleft()
        contact = ending.contact
        if contact.ending is ending:
            del floor.contacts[contact.contact_id]
            contact.clocks = None
            contact.work = None
    while floor.tombstone_order and floor.tombstone_order[0][0] < limit_ms:
        floor.tombstones.pop(floor.tombstone_order.popleft()[1], None)
    while floor.event_order and floor.event_order[0][0] < limit_ms:
        floor.event_ids.pop(floor.event_order.popleft()[1], None)
    floor.oldest_ms = min(
        closed[0].closed_ms if closed else floor.now_ms,
        floor.tombstone_order[0][0] if floor.tombstone_order else floor.now_ms,
        floor.event_order[0][0] if floor.event_order else floor.now_ms,
    )
