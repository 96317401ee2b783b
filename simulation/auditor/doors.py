"""Judge opening hours of queues: nobody is offered what rests, and an opening wakes it (I8, I12).

A contact rests while its queue is closed. Whether one that was in line at closing time may still
be served is left open where the queue serves the rest: only what is certain is reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from router import events as e
from router.center import AtClosing, WaitClock, WhenClosed
from simulation.auditor.ledger import Place
from simulation.auditor.opening import ALWAYS, instant_after

if TYPE_CHECKING:
    from router.center import Center, OpeningTable, Queue
    from router.decisions import OfferContact
    from simulation.auditor.findings import Findings
    from simulation.auditor.ledger import ContactAccount, Ledger

_TURNS_AWAY: Final = (WhenClosed.REFUSE, WhenClosed.DEFLECT, WhenClosed.OVERFLOW)
_EMPTIES: Final = (AtClosing.EXPIRE, AtClosing.DEFLECT)


@dataclass(slots=True, eq=False)
class Door:
    """Hold the door of one queue: shut or not, since when, until when (-1: for good)."""

    queue: Queue
    table: OpeningTable
    shut: bool = False
    since_ms: int = 0
    until_ms: int = -1


class DoorJudge:
    """Follow the doors of a centre's queues."""

    def __init__(self, ledger: Ledger, findings: Findings) -> None:
        self.ledger = ledger
        self.findings = findings
        self.doors: dict[str, Door] = {}
        self.closed_now: list[str] = []

    def open_entry(self, event: e.Event) -> None:
        """Turn what has its edge now; only time itself turns a door in the instant of its edge."""
        now_ms, self.closed_now = self.ledger.now_ms, []
        for name, door in self.doors.items():
            due_ms = door.until_ms
            if due_ms < 0 or due_ms > now_ms:
                continue
            if due_ms < now_ms or isinstance(event, e.TimeAdvanced):
                self._turn(name, door, now_ms)

    def rebuild(self, center: Center) -> None:
        """Hang the doors of a new configuration."""
        found = {}
        for name, queue in {**self.ledger.drained, **center.queues}.items():
            calendar = center.calendars.get(queue.calendar)
            if calendar is None or queue.when_closed is WhenClosed.SERVE:
                continue
            found[name] = Door(queue, calendar.table)
        self.doors = found
        for name, door in found.items():
            self._turn(name, door, self.ledger.now_ms)
        self.closed_now = []

    def _turn(self, name: str, door: Door, now_ms: int) -> None:
        table = door.table
        within = table.from_ms <= now_ms < table.to_ms
        door.shut = within and not any(a <= now_ms < b for a, b in table.open_ms)
        if door.shut:
            opens = [a for a, _ in table.open_ms if a > now_ms]
            door.until_ms = opens[0] if opens else table.to_ms
            door.since_ms = max([b for _, b in table.open_ms if b <= now_ms], default=table.from_ms)
            self.closed_now.append(name)
        else:
            edges = (table.from_ms, *(edge for stretch in table.open_ms for edge in stretch))
            door.until_ms = next(
                (
                    edge
                    for edge in edges
                    if edge > now_ms
                    and edge < table.to_ms
                    and not any(a <= edge < b for a, b in table.open_ms)
                ),
                -1,
            )
        for contact in self.ledger.contacts.values():
            if contact.place is Place.WAITING and contact.queue == name:
                contact.waiting_since_ms = max(contact.waiting_since_ms, now_ms)
                self.ledger.dirty_contacts[contact.contact_id] = None

    def is_shut(self, queue: str) -> bool:
        """Say whether a queue is closed."""
        door = self.doors.get(queue)
        return door is not None and door.shut

    def surely_rests(self, contact: ContactAccount) -> bool:
        """Say whether a contact may be offered to nobody, beyond doubt."""
        door = self.doors.get(contact.queue)
        if door is None or not door.shut:
            return False
        late = max(contact.arrived_ms, contact.born_ms) > door.since_ms
        return door.queue.at_closing is not AtClosing.SERVE or late

    def judge_offer(self, decision: OfferContact) -> None:
        """Find an offer of a contact whose queue is closed."""
        contact = self.ledger.contacts.get(decision.contact_id)
        if contact is None or not self.surely_rests(contact):
            return
        if contact.claimed_agent == decision.agent_id:
            return
        text = f"queue {contact.queue} is closed"
        self.findings.report("I8", f"{contact.contact_id} is offered while {text}")

    def close_entry(self, event: e.Event) -> None:
        """Find who was taken in by a closed queue, or left in one that empties at closing."""
        report, contacts = self.findings.report, self.ledger.contacts
        if isinstance(event, e.ContactArrived):
            contact = contacts.get(event.contact_id)
            door = self.doors.get(contact.queue) if contact else None
            if contact and door and door.shut and contact.place is Place.WAITING:
                when = door.queue.when_closed
                if when in _TURNS_AWAY and contact.arrived_ms == self.ledger.now_ms:
                    text = f"which is closed and should {when.value}"
                    report("I34", f"{contact.contact_id} waits in {contact.queue}, {text}")
        if not isinstance(event, e.TimeAdvanced):
            return
        for name in self.closed_now:
            if self.doors[name].queue.at_closing in _EMPTIES:
                for contact in contacts.values():
                    waits = contact.place is Place.WAITING and contact.queue == name
                    if waits and contact.callback_due_ms < 0:
                        report("I34", f"{contact.contact_id} waits on in {name}, which has closed")


def step_due_ms(ledger: Ledger, contact: ContactAccount, after_ms: int) -> int:
    """Return when a routing step is due by the clock of the contact's line."""
    queue, table = ledger.queue(contact.queue), None
    if ledger.center is not None and queue is not None and queue.calendar != ALWAYS:
        calendar = ledger.center.calendars.get(queue.calendar)
        if calendar is not None and queue.wait_clock is WaitClock.OPEN_HOURS:
            table = calendar.table
    return instant_after(table, contact.steps_from_ms, after_ms)
