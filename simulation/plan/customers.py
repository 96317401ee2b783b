"""Play the customers of a day: they come, wait, give up, come back."""

from __future__ import annotations

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
from simulation.plan.counting import (
    ABANDONED,
    ABANDONED_IN_TIME,
    ANSWERED,
    ARRIVED,
    BALKED,
    BLOCKED,
    BOT,
    CALLBACKS,
    CARRIED,
    CARRIED_LATE,
    CARRIED_WAIT_MS,
    CLEARED,
    DEFLECTED,
    DELAYED,
    DIALLED,
    EXPIRED,
    FIRST_ANSWERED,
    FRESH,
    IN_TIME,
    LEFT,
    QUEUED_MS,
    REDIALS,
    REPEATS,
    SHORT,
    WAIT_ANSWERED_MS,
    WAIT_MS,
    interval_of,
    spread,
)
from simulation.plan.laws import duration_ms, law_at
from simulation.plan.phases import CALLBACK, CLOSED, LOOSE, WAITING
from simulation.plan.tallies import Count

if TYPE_CHECKING:
    from simulation.plan.day import Day
    from simulation.plan.desks import Desk
    from simulation.plan.prepared import Source


# Callbacks of each demand have lots of their own, whatever else comes to the same line.
_CALLED_BACK: Final = 10_000


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
        self.category = source.category
        self.phase = LOOSE
        self.answered = False
        self.balked = False
        self.carried = False
        self.cleared = False
        self.entered = False
        self.held = False
        self.replied = False
        self.desk: Desk | None = None
        self.began_ms = now
        self.wait_ms = now
        self.left = 0.0
        self.speed = 0.0
        self.since_ms = 0
        self.token = 0
        self.offers = 0
        self.visit = 0
        self.earlier_ms = 0


class Customers:
    """Play all customers of one day; `waiting` counts those whom closing does not send away."""

    def __init__(self, day: Day) -> None:
        self.day = day
        self.clock = day.clockwork
        self.start_ms = day.start_ms
        prepared = day.prepared
        self.rows: list[list[list[int]]] = [
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
        lots = self.day.lots
        instants = lots.arrivals[index]
        if number + 1 < len(instants):
            self.clock.call_at(self.start_ms + instants[number + 1], self._arrive, source)
        row = self._row(source)
        row[FRESH] += 1
        if source.bot and lots.uniform(source, "bot", number, 0) < source.bot:
            row[BOT] += 1
            return
        self._come(source, number, 0, f"{source.name}-{number}")

    def dialled(self, source: Source) -> None:
        """Count a number that is tried."""
        self._row(source)[DIALLED] += 1

    def reached(self, source: Source, number: int) -> None:
        """Let in a customer who was dialled and answers."""
        self._come(source, number, 0, f"{source.name}-{number}")

    def _row(self, source: Source) -> list[int]:
        rows = self.rows[source.index]
        now = self.clock.now_ms - self.start_ms
        return rows[interval_of(now, self.day.interval_ms, len(rows))]

    def _come(
        self,
        source: Source,
        number: int,
        attempt: int,
        contact_id: str,
        earlier_ms: int = 0,
    ) -> None:
        row = self._row(source)
        row[ARRIVED] += 1
        call = Call(contact_id, source, number, attempt, row, self.clock.now_ms - self.start_ms)
        call.earlier_ms = earlier_ms
        self.calls[contact_id] = call
        tier = language = ""
        if source.tiers or source.languages:
            tier, language = self.day.lots.kind(call)
        call.phase = WAITING
        if source.is_awaited:
            self._count_waiting(1)
        self.clock.feed(
            ContactArrived(
                contact_id,
                source.channel,
                source.category,
                source.priority,
                f"{source.name}-{number}",
                tier,
                language,
            )
        )
        if call.phase == WAITING:
            self._wait(call)

    def _wait(self, call: Call) -> None:
        """Begin to wait: balk, or give up when patience ends."""
        source, lots = call.source, self.day.lots
        if not call.offers:
            call.row[DELAYED] += 1
            if source.balking and lots.lot(call, "balk") < source.balking:
                call.balked = True
                self.clock.feed(ContactAbandoned(call.id))
                return
            if source.callback_from and self._is_long(call):
                self.callback_offered(call)
                if call.phase != WAITING or call.answered:
                    return
        if source.is_impatient:
            call.token += 1
            patience_ms = lots.patience_ms(call)
            self.clock.call_in(patience_ms, self._lose_patience, (call, call.token))

    def _is_long(self, call: Call) -> bool:
        """Say whether so many wait before a contact that the announcement offers a callback."""
        floor = self.day.driver.router.floor
        queue = self.day.prepared.center.categories[call.category].queue
        return floor.queues[queue].waiting > call.source.callback_from

    def _lose_patience(self, subject: tuple[Call, int]) -> None:
        call, token = subject
        if call.token == token and call.phase == WAITING:
            self.clock.feed(ContactAbandoned(call.id))

    def _count_waiting(self, change: int) -> None:
        """Count those who are served after closing as well; who stays for them may go home then."""
        self.waiting += change
        if change < 0:
            self.day.desks.late.hear()

    # --- what decisions tell --------------------------------------------------------------

    def answered(self, call: Call) -> None:
        """Hear that the contact is connected with an agent."""
        source = call.source
        if call.phase == WAITING and source.is_awaited:
            self._count_waiting(-1)
        if call.answered:
            return
        call.answered = True
        row = call.row
        wait_ms = self.clock.now_ms - self.start_ms - call.wait_ms
        row[ANSWERED] += 1
        row[WAIT_MS] += wait_ms
        row[WAIT_ANSWERED_MS] += wait_ms
        if wait_ms + call.earlier_ms <= source.within_ms:
            row[IN_TIME] += 1
        # The backlog is nobody's fresh contact.
        if not call.attempt and call.number >= 0:
            row[FIRST_ANSWERED] += 1
        if wait_ms:
            self._count_queued(call)
        self.waits[source.index].append(wait_ms)

    def _count_queued(self, call: Call) -> None:
        """Count a wait that is over in the intervals of the clock in which it was spent."""
        rows, now = self.rows[call.source.index], self.clock.now_ms - self.start_ms
        spread(rows, QUEUED_MS, max(call.wait_ms, 0), now, self.day.interval_ms)

    def back_in_line(self, call: Call) -> None:
        """Hear that a contact waits again; who was served before waits with a patience anew."""
        call.entered = True
        if call.phase == WAITING:
            return
        called_back = call.phase == CALLBACK
        call.phase = WAITING
        source = call.source
        if source.is_awaited:
            self._count_waiting(1)
        if call.answered and not called_back and source.is_impatient:
            call.token += 1
            patience_ms = self.day.lots.patience_ms(call)
            self.clock.call_in(patience_ms, self._lose_patience, (call, call.token))

    def callback_offered(self, call: Call) -> None:
        """Take the offered callback, or leave it."""
        source = call.source
        share = source.demand.takes_callback
        if not share or self.day.lots.lot(call, "callback") >= share:
            return
        if source.called_back < 0:
            self.clock.feed(CallbackRequested(call.id))
            return
        self.callback_taken(call)
        self.clock.feed(ContactEnded(call.id))
        # The offer may have been a decision that is still being heard.
        self.clock.call_in(0, self._call_back, call)

    def _call_back(self, call: Call) -> None:
        """Let who has hung up wait as a contact of the demand that is called back."""
        source = call.source
        further = self.day.prepared.sources[source.called_back]
        attempt = _CALLED_BACK * (1 + source.index) + call.attempt
        self._come(further, call.number, attempt, f"{call.id}.callback")

    def callback_taken(self, call: Call) -> None:
        """Hear that nobody is on the line any more: the place is kept."""
        if call.phase == WAITING and not call.answered:
            call.answered = True
            call.row[CALLBACKS] += 1
            call.row[WAIT_MS] += self.day.now() - call.wait_ms
            self._count_queued(call)
            if call.source.is_awaited:
                self._count_waiting(-1)
        call.token += 1
        call.phase = CALLBACK

    def refused(self, contact_id: str) -> None:
        """Hear that an event was not followed: before the contact was in line, its arrival."""
        call = self.calls.get(contact_id)
        if call is None or call.entered:
            return
        if call.source.is_awaited:
            self._count_waiting(-1)
        call.phase = CLOSED
        call.row[BLOCKED] += 1
        del self.calls[contact_id]
        self._redial(call)

    def closed(self, call: Call, decision: CloseContact) -> None:
        """Hear the end."""
        source = call.source
        waited = call.phase == WAITING
        call.phase = CLOSED
        call.token += 1
        self.calls.pop(call.id, None)
        if waited and source.is_awaited:
            self._count_waiting(-1)
        if not waited or call.answered:
            return
        row = call.row
        wait_ms = self.clock.now_ms - self.start_ms - call.wait_ms
        row[WAIT_MS] += wait_ms
        self._count_queued(call)
        if call.cleared:
            row[CLEARED] += 1
        elif decision.exit is Exit.DEFLECTED:
            row[DEFLECTED] += 1
        elif decision.exit is Exit.EXPIRED:
            row[EXPIRED] += 1
        else:
            row[ABANDONED] += 1
            row[ABANDONED_IN_TIME] += wait_ms + call.earlier_ms <= source.within_ms
            row[SHORT] += wait_ms < source.short_ms
            row[BALKED] += call.balked
            self._row(source)[LEFT] += 1
            self._redial(call)

    # --- coming back ----------------------------------------------------------------------

    def _redial(self, call: Call) -> None:
        again = call.source.redial
        if again is not None and again.waits_add_up:
            call.earlier_ms += self.day.now() - call.wait_ms
        self._again(call, again, "redial", REDIALS)

    def come_back(self, call: Call) -> None:
        """Return later, since the matter is not settled."""
        self._again(call, call.source.repeat, "repeat", REPEATS)

    def _again(self, call: Call, again: Again | None, purpose: str, column: int) -> None:
        if again is None or call.attempt >= again.max:
            return
        lots = self.day.lots
        if lots.lot(call, purpose) < again.share:
            law = law_at(again.after, self.day.prepared.opens_ms + self.day.now())
            delay_ms = duration_ms(law, lots.lot(call, f"{purpose}-after"))
            self.clock.call_in(delay_ms, self._return, (call, again, column))

    def _return(self, subject: tuple[Call, Again, int]) -> None:
        call, again, column = subject
        day = self.day
        if day.now() >= day.length_ms:
            return
        row = self._row(call.source)
        row[column] += 1
        attempt = call.attempt + 1
        if again.recognised and column == REDIALS:
            call.attempt = attempt
            call.row = row
            row[ARRIVED] += 1
            call.wait_ms = day.now()
            call.phase = WAITING
            call.balked = False
            if call.source.is_awaited:
                self._count_waiting(1)
            self.calls[call.id] = call
            day.feed(ContactRedialled(call.id))
            if call.phase == WAITING:
                self._wait(call)
            return
        contact_id = f"{call.source.name}-{call.number}-{attempt}"
        earlier_ms = call.earlier_ms if column == REDIALS else 0
        self._come(call.source, call.number, attempt, contact_id, earlier_ms)

    # --- closing --------------------------------------------------------------------------

    def _close(self, _: object) -> None:
        """Shut the doors: send away whom the scenario does not serve any more."""
        for call in list(self.calls.values()):
            if call.source.demand.closing is Closing.CLEARED and call.phase == WAITING:
                call.cleared = True
                self.clock.feed(ContactEnded(call.id))

    def finish_day(self) -> None:
        """Count those who still wait."""
        now = self.day.now()
        for call in self.calls.values():
            if call.phase == WAITING and not call.answered:
                wait_ms = now - call.wait_ms
                call.row[CARRIED] += 1
                call.row[CARRIED_WAIT_MS] += wait_ms
                self._count_queued(call)
                # The doors are closed: for a promise the wait stands still until tomorrow.
                until_closing_ms = self.day.length_ms - call.wait_ms
                call.row[CARRIED_LATE] += until_closing_ms > call.source.within_ms
