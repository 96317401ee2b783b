"""Forget what is over, exactly when its time has come."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from router.floor import Floor
    from router.records import Ending


def purge(floor: Floor) -> None:
    """Forget what lies further back than the window in which repeats are recognised.

    A contact whose customer was asked how it was is kept for as long as his answer counts.
    """
    limit_ms = floor.now_ms - floor.window_ms
    closed, asked = floor.closed, floor.asked
    answer_ms = 0 if floor.center is None else floor.center.surveys.answer_within_ms
    longer_ms = max(answer_ms - floor.window_ms, 0)
    while closed and closed[0].closed_ms < limit_ms:
        ending = closed.popleft()
        if longer_ms and ending.asked:
            asked.append(ending)
        else:
            _forget(floor, ending)
    while asked and asked[0].closed_ms + longer_ms < limit_ms:
        _forget(floor, asked.popleft())
    while floor.tombstone_order and floor.tombstone_order[0][0] < limit_ms:
        floor.tombstones.pop(floor.tombstone_order.popleft()[1], None)
    while floor.event_order and floor.event_order[0][0] < limit_ms:
        floor.event_ids.pop(floor.event_order.popleft()[1], None)
    floor.oldest_ms = min(
        closed[0].closed_ms if closed else floor.now_ms,
        asked[0].closed_ms + longer_ms if asked else floor.now_ms,
        floor.tombstone_order[0][0] if floor.tombstone_order else floor.now_ms,
        floor.event_order[0][0] if floor.event_order else floor.now_ms,
    )


def _forget(floor: Floor, ending: Ending) -> None:
    """Let an ended contact go, unless it lives again."""
    contact = ending.contact
    if contact.ending is ending:
        del floor.contacts[contact.contact_id]
        contact.clocks = None
        contact.work = None
