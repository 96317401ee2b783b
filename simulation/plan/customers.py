"""Play the customers of a day: they come, wait, give up, come back."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from configs.planning import Again, Closing
from router.decisions import CloseContact, Exit
from router.events import (
    CallbackRequested,
    ContactAbandoned,
    ContactArrived,
    ContactEnded,
    ContactRedialled,
)
from simulation.plan.laws import duration_ms, law_at
from simulation.plan.tallies import Count, spread

if TYPE_CHECKING:
    from simulation.plan.day import Day
    from simulation.plan.desks import Desk
    from simulation.plan.prepared import Source


# Callbacks of each demand have lots of their own, whatever else comes to the same line.
_CALLED_BACK: Final = 10_000


class Phase(Enum):
    """Say where a contact is, as far as decisions told."""

    WAITING = "waiting"
    SERVED = "served"
    WRAP_UP = "wrap_up"
    LOOSE = "loose"
    CALLBACK = "callback"
    CLOSED = "closed"


class Call:
    """One contact; `number` and `attempt` address its lots, `row` is where it is counted.

    `left` is what is left of the work (ms at full speed), done at `speed` since `since_ms`;
    `earlier_ms` are the waits of earlier attempts, where they count.
    """

    __slots__ = (
        "answered", "attempt", "balked", "began_ms", "carried", "category", "cleared", "desk",
        "earlier_ms", "entered", "held", "id", "left", "number", "offers", "phase", "replied",
        "row", "since_ms", "source", "speed", "token", "visit", "wait_ms",
    )  # fmt: skip

    def __init__(
        self, contact_id: str, source: Source, number: int, attempt: int, row: list[int], now: int
    ) -> None:
        self.id = contact_id
        self.source = source
        self.number = number
        self.attempt = attempt
        self.row = row
        self.category = source.demand.category
        self.phase = Phase.LOOSE
        self.answered = self.balked = self.carried = self.cleared = False
        self.entered = self.held = self.replied = False
        self.desk: Desk | None = None
        self.began_ms = self.wait_ms = now
        self.left = self.speed = 0.0
        self.since_ms = self.token = self.offers = self.visit = self.earlier_ms = 0


class Customers:
    """Play all customers of one day; `waiting` counts those whom closing does not send away."""

    def __init__(self, day: Day) -> None:
        self.day = day
        prepared = day.prepared
        self.rows = [
            [[0] * len(Count) for _ in range(prepared.intervals)] for _ in prepared.sources
        ]
        self.waits: list[list[int]] = [[] for _ in prepared.sources]
        self.waiting = 0
        self.calls: dict[str, Call] = {}
        self._next = [0] * len(prepared.sources)

    def start(self) -> None:
        """Let the backlog in and plan the first arrival of each source."""
        day = self.day
        for source in day.prepared.sources:
            for number in range(source.demand.backlog):
                day.call_at(0, self._backlog, (source, -1 - number))
            if day.lots.arrivals[source.index]:
                day.call_at(day.lots.arrivals[source.index][0], self._arrive, source)
        day.call_at(day.length_ms, self._close, None)

    def _backlog(self, subject: tuple[Source, int]) -> None:
        source, number = subject
        self._come(source, number, 0, f"{source.name}-b{-number}")

    def _arrive(self, source: Source) -> None:
        """Let one contact in, and put the next one down."""
        index = source.index
        number = self._next[index]
        self._next[index] = number + 1
        instants = self.day.lots.arrivals[index]
        if number + 1 < len(instants):
            self.day.call_at(instants[number + 1], self._arrive, source)
        row = self._row(source)
        row[Count.FRESH] += 1
        if source.demand.bot and self.day.lots.uniform(source, "bot", number) < source.demand.bot:
            row[Count.BOT] += 1
            return
        self._come(source, number, 0, f"{source.name}-{number}")

    def dialled(self, source: Source) -> None:
        """Count a number that is tried."""
        self._row(source)[Count.DIALLED] += 1

    def reached(self, source: Source, number: int) -> None:
        """Let in a customer who was dialled and answers."""
        self._come(source, number, 0, f"{source.name}-{number}")

    def _row(self, source: Source) -> list[int]:
        day = self.day
        rows = self.rows[source.index]
        return rows[min(max(day.now() // day.interval_ms, 0), len(rows) - 1)]

    def _come(
        self, source: Source, number: int, attempt: int, contact_id: str, earlier_ms: int = 0
    ) -> None:
        day = self.day
        row = self._row(source)
        row[Count.ARRIVED] += 1
        call = Call(contact_id, source, number, attempt, row, day.now())
        call.earlier_ms = earlier_ms
        self.calls[contact_id] = call
        tier, language = day.lots.kind(call)
        demand = source.demand
        call.phase = Phase.WAITING
        self._count_waiting(call, 1)
        day.feed(
            ContactArrived(
                contact_id,
                demand.channel,
                demand.category,
                demand.priority,
                f"{source.name}-{number}",
                tier,
                language,
            )
        )
        if call.phase is Phase.WAITING:
            self._wait(call)

    def _wait(self, call: Call) -> None:
        """Begin to wait: balk, or give up when patience ends."""
        day, demand = self.day, call.source.demand
        if not call.offers:
            call.row[Count.DELAYED] += 1
            if demand.balking and day.lots.lot(call, "balk") < demand.balking:
                call.balked = True
                day.feed(ContactAbandoned(call.id))
                return
            if demand.callback_from and self._is_long(call):
                self.callback_offered(call)
                if call.phase is not Phase.WAITING or call.answered:
                    return
        if demand.patience is not None:
            call.token += 1
            patience_ms = day.lots.patience_ms(call)
            day.call_at(day.now() + patience_ms, self._lose_patience, (call, call.token))

    def _is_long(self, call: Call) -> bool:
        """Say whether so many wait before a contact that the announcement offers a callback."""
        floor = self.day.driver.router.floor
        queue = self.day.prepared.center.categories[call.category].queue
        return floor.queues[queue].waiting > call.source.demand.callback_from

    def _lose_patience(self, subject: tuple[Call, int]) -> None:
        call, token = subject
        if call.token == token and call.phase is Phase.WAITING:
            self.day.feed(ContactAbandoned(call.id))

    def _count_waiting(self, call: Call, change: int) -> None:
        if call.source.demand.closing is Closing.SERVED:
            self.waiting += change
            if not self.waiting and self.day.now() >= self.day.length_ms:
                self.day.call_in(0, self.day.desks.line_empty, None)

    # --- what decisions tell --------------------------------------------------------------

    def answered(self, call: Call) -> None:
        """Hear that the contact is connected with an agent."""
        if call.phase is Phase.WAITING:
            self._count_waiting(call, -1)
        if call.answered:
            return
        call.answered = True
        row, now = call.row, self.day.now()
        wait_ms = now - call.wait_ms
        row[Count.ANSWERED] += 1
        row[Count.WAIT_MS] += wait_ms
        row[Count.WAIT_ANSWERED_MS] += wait_ms
        row[Count.IN_TIME] += wait_ms + call.earlier_ms <= call.source.within_ms
        row[Count.FIRST_ANSWERED] += not call.attempt
        if wait_ms:
            self._count_queued(call, now)
        self.waits[call.source.index].append(wait_ms)

    def _count_queued(self, call: Call, now: int) -> None:
        """Count a wait that is over in the intervals of the clock in which it was spent."""
        rows = self.rows[call.source.index]
        spread(rows, Count.QUEUED_MS, max(call.wait_ms, 0), now, self.day.interval_ms)

    def back_in_line(self, call: Call) -> None:
        """Hear that a contact waits again; who was served before waits with a patience anew."""
        call.entered = True
        if call.phase is Phase.WAITING:
            return
        called_back = call.phase is Phase.CALLBACK
        call.phase = Phase.WAITING
        self._count_waiting(call, 1)
        if call.answered and not called_back and call.source.demand.patience is not None:
            call.token += 1
            patience_ms = self.day.lots.patience_ms(call)
            self.day.call_in(patience_ms, self._lose_patience, (call, call.token))

    def callback_offered(self, call: Call) -> None:
        """Take the offered callback, or leave it."""
        source = call.source
        share = source.demand.takes_callback
        if not share or self.day.lots.lot(call, "callback") >= share:
            return
        if source.called_back < 0:
            self.day.feed(CallbackRequested(call.id))
            return
        self.callback_taken(call)
        self.day.feed(ContactEnded(call.id))
        # The offer may have been a decision that is still being heard.
        self.day.call_in(0, self._call_back, call)

    def _call_back(self, call: Call) -> None:
        """Let who has hung up wait as a contact of the demand that is called back."""
        source = call.source
        further = self.day.prepared.sources[source.called_back]
        attempt = _CALLED_BACK * (1 + source.index) + call.attempt
        self._come(further, call.number, attempt, f"{call.id}.callback")

    def callback_taken(self, call: Call) -> None:
        """Hear that nobody is on the line any more: the place is kept."""
        if call.phase is Phase.WAITING and not call.answered:
            call.answered = True
            call.row[Count.CALLBACKS] += 1
            call.row[Count.WAIT_MS] += self.day.now() - call.wait_ms
            self._count_queued(call, self.day.now())
            self._count_waiting(call, -1)
        call.token += 1
        call.phase = Phase.CALLBACK

    def refused(self, contact_id: str) -> None:
        """Hear that an event was not followed: before the contact was in line, its arrival."""
        call = self.calls.get(contact_id)
        if call is None or call.entered:
            return
        self._count_waiting(call, -1)
        call.phase = Phase.CLOSED
        call.row[Count.BLOCKED] += 1
        del self.calls[contact_id]
        self._redial(call)

    def closed(self, call: Call, decision: CloseContact) -> None:
        """Hear the end."""
        waited = call.phase is Phase.WAITING
        call.phase = Phase.CLOSED
        call.token += 1
        self.calls.pop(call.id, None)
        if waited:
            self._count_waiting(call, -1)
        if not waited or call.answered:
            return
        row, source = call.row, call.source
        wait_ms = self.day.now() - call.wait_ms
        row[Count.WAIT_MS] += wait_ms
        self._count_queued(call, self.day.now())
        if call.cleared:
            row[Count.CLEARED] += 1
        elif decision.exit is Exit.DEFLECTED:
            row[Count.DEFLECTED] += 1
        elif decision.exit is Exit.EXPIRED:
            row[Count.EXPIRED] += 1
        else:
            row[Count.ABANDONED] += 1
            row[Count.ABANDONED_IN_TIME] += wait_ms + call.earlier_ms <= source.within_ms
            row[Count.SHORT] += wait_ms < source.short_ms
            row[Count.BALKED] += call.balked
            self._row(source)[Count.LEFT] += 1
            self._redial(call)

    # --- coming back ----------------------------------------------------------------------

    def _redial(self, call: Call) -> None:
        again = call.source.demand.redial
        if again is not None and again.waits_add_up:
            call.earlier_ms += self.day.now() - call.wait_ms
        self._again(call, again, "redial", Count.REDIALS)

    def come_back(self, call: Call) -> None:
        """Return later, since the matter is not settled."""
        self._again(call, call.source.demand.repeat, "repeat", Count.REPEATS)

    def _again(self, call: Call, again: Again | None, purpose: str, count: Count) -> None:
        if again is None or call.attempt >= again.max:
            return
        lots = self.day.lots
        if lots.lot(call, purpose) < again.share:
            law = law_at(again.after, self.day.prepared.opens_ms + self.day.now())
            delay_ms = duration_ms(law, lots.lot(call, f"{purpose}-after"))
            self.day.call_in(delay_ms, self._return, (call, again, count))

    def _return(self, subject: tuple[Call, Again, Count]) -> None:
        call, again, count = subject
        day = self.day
        if day.now() >= day.length_ms:
            return
        self._row(call.source)[count] += 1
        attempt = call.attempt + 1
        if again.recognised and count is Count.REDIALS:
            call.attempt = attempt
            call.row = self._row(call.source)
            call.row[Count.ARRIVED] += 1
            call.wait_ms = day.now()
            call.phase = Phase.WAITING
            call.balked = False
            self._count_waiting(call, 1)
            self.calls[call.id] = call
            day.feed(ContactRedialled(call.id))
            if call.phase is Phase.WAITING:
                self._wait(call)
            return
        contact_id = f"{call.source.name}-{call.number}-{attempt}"
        earlier_ms = call.earlier_ms if count is Count.REDIALS else 0
        self._come(call.source, call.number, attempt, contact_id, earlier_ms)

    # --- closing --------------------------------------------------------------------------

    def _close(self, _: object) -> None:
        """Shut the doors: send away whom the scenario does not serve any more."""
        for call in list(self.calls.values()):
            if call.source.demand.closing is Closing.CLEARED and call.phase is Phase.WAITING:
                call.cleared = True
                self.day.feed(ContactEnded(call.id))

    def finish_day(self) -> None:
        """Count those who still wait."""
        now = self.day.now()
        for call in self.calls.values():
            if call.phase is Phase.WAITING and not call.answered:
                wait_ms = now - call.wait_ms
                call.row[Count.CARRIED] += 1
                call.row[Count.CARRIED_WAIT_MS] += wait_ms
                self._count_queued(call, now)
                # The doors are closed: for a promise the wait stands still until tomorrow.
                until_closing_ms = self.day.length_ms - call.wait_ms
                call.row[Count.CARRIED_LATE] += until_closing_ms > call.source.within_ms
