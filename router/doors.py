"""Keep the doors of queues that close: open or shut, and when that changes.

All queues of one calendar share a door. A door is a timer, never asked whether it is time yet: it
turns at its next edge. What happens in the very instant of an edge finds the queue as it was
before, as an answer in the instant of a deadline is in time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from router.center import ALWAYS, AtClosing, WaitClock, WhenClosed
from router.deadlines import NEVER, Timer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from router.calendars import OpeningHours
    from router.plan import QueuePlan
    from router.records import Contact

CLOSES: Final = tuple(when for when in WhenClosed if when is not WhenClosed.SERVE)


class Door(Timer):
    """The opening hours of queues that close by one calendar; as a timer it is their next edge.

    `closed_ms` is the last closing, `turns_ms` the next edge (`NEVER`: none comes any more).
    """

    __slots__ = ("closed_ms", "hours", "is_open", "queues", "turns_ms")

    def __init__(self, hours: OpeningHours) -> None:
        super().__init__()
        self.hours = hours
        self.queues: list[QueuePlan] = []
        self.is_open = True
        self.closed_ms = 0
        self.turns_ms = NEVER

    def turn(self, at_ms: int) -> None:
        """Be as the calendar says for an instant, and know the next edge after it."""
        hours = self.hours
        self.is_open = hours.is_open(at_ms)
        self.closed_ms = hours.last_closing_ms(at_ms)
        if self.is_open:
            closes_ms = hours.next_closing_ms(at_ms)
            self.turns_ms = NEVER if closes_ms is None else closes_ms
        else:
            self.turns_ms = hours.next_opening_ms(at_ms)
        for queue in self.queues:
            queue.shut = not self.is_open


def hang_doors(
    queues: Iterable[QueuePlan], hours: dict[str, OpeningHours], at_ms: int
) -> list[Door]:
    """Give every queue that closes its door, as it is at an instant; not yet armed.

    A queue that drains while the new configuration no longer knows its calendar stays open.
    """
    doors: dict[str, Door] = {}
    for queue in queues:
        spec = queue.spec
        own = None if spec.calendar == ALWAYS else hours.get(spec.calendar)
        queue.hours = own if spec.wait_clock is WaitClock.OPEN_HOURS else None
        queue.door, queue.shut = None, False
        if own is None or spec.when_closed is WhenClosed.SERVE:
            continue
        door = doors.get(spec.calendar)
        if door is None:
            door = doors[spec.calendar] = Door(own)
        door.queues.append(queue)
        queue.door = door
    for door in doors.values():
        door.turn(at_ms)
    return list(doors.values())


def rests(queue: QueuePlan, contact: Contact) -> bool:
    """Say whether a contact in line must wait until its queue opens."""
    door = queue.door
    if door is None or door.is_open:
        return False
    if queue.spec.at_closing is not AtClosing.SERVE:
        return True
    more = contact.more
    entered_ms = more.entered_ms if more is not None and more.entered_ms else contact.arrived_ms
    return entered_ms > door.closed_ms


def due_by(hours: OpeningHours | None, from_ms: int, duration_ms: int) -> int:
    """Return when so much time has passed by a queue's clock."""
    return from_ms + duration_ms if hours is None else hours.add_ms(from_ms, duration_ms)
