"""Hold what must be known of one contact to count it, and of closed ones to see them come again.

`FirstContacts` decides first contact resolution: a handled contact was resolved at the first
contact unless the same customer comes again about the same category within a window.
"""

from __future__ import annotations

from collections import deque
from typing import Final, TypeAlias

from router.decisions import (
    BreachSla,
    DialCallback,
    LinkContact,
    MeetSla,
    OfferCallback,
    Reason,
    RequestFollowUp,
    RequestSurvey,
    StartSla,
    StopSla,
    WarnSla,
)
from router.events import (
    AgentReplied,
    ComplaintRaised,
    ContactArrived,
    ContactRedialled,
    ContactReopened,
    ContactResolved,
    NoteAdded,
    SurveyAnswered,
)
from router.measures_cards import Card, Day
from router.measures_formulas import TOP_SCORE
from router.measures_lines import Line, PromiseCounts
from router.measures_waits import Kind

REPEAT_WINDOW_MS: Final = 7 * 86_400_000
# Beyond so many handled contacts within the window the oldest are taken as settled.
FIRST_CONTACTS_KEPT: Final = 200_000

# A call that was dialled and did not reach its customer ends its assignment for one of these.
CALL_FAILURES: Final = (Reason.NO_ANSWER, Reason.BUSY, Reason.VOICEMAIL, Reason.UNREACHABLE)


Heard: TypeAlias = (
    AgentReplied
    | ContactResolved
    | ComplaintRaised
    | SurveyAnswered
    | ContactRedialled
    | ContactReopened
    | NoteAdded
)
"""Events that say something of a contact beside the decisions on it, whether it is open or not."""
Asked: TypeAlias = RequestSurvey | RequestFollowUp | OfferCallback | DialCallback | LinkContact
Clocked: TypeAlias = StartSla | WarnSla | BreachSla | MeetSla | StopSla
RunningClock: TypeAlias = tuple[PromiseCounts, PromiseCounts]
"""The counts in which a promise's clock started: its queue's and its day's."""


class FollowedContact:
    """Hold what must be known of one contact to count it.

    `card` is that of the line and day of its visit, `agent_card` that of the agent who has it, or
    had it last, on the same day; None before anybody had it since it came into line. `kind`,
    `found` and `predicted_ms` belong to `router.measures_waits`.
    """

    __slots__ = (
        "activity", "activity_from_ms", "agent_card", "arrived_ms", "card", "category", "channel",
        "clocks", "closed_ms", "contact_id", "customer", "day", "found", "hold_ms", "kind",
        "language", "line", "overdue", "predicted_ms", "queue", "replied", "resolved", "since_ms",
        "skills", "talk_ms", "tier", "visit_ms", "visited", "waiting", "wrap_up_ms",
    )  # fmt: skip

    def __init__(self, event: ContactArrived, tier: str, now_ms: int) -> None:
        self.contact_id = event.contact_id
        self.channel = event.channel
        self.category = event.category
        self.customer = event.customer
        self.language = event.language
        self.skills = event.skills
        self.tier = tier
        self.arrived_ms = now_ms
        self.waiting = self.visited = self.replied = self.resolved = False
        self.visit_ms = self.since_ms = now_ms
        self.activity = ""  # "", "talk", "hold", "aside" or "wrap_up"
        self.activity_from_ms = 0
        self.talk_ms = self.hold_ms = self.wrap_up_ms = 0
        self.clocks: dict[tuple[str, int], RunningClock] = {}
        self.overdue: dict[tuple[str, int], None] = {}
        self.closed_ms = 0
        self.kind: Kind
        self.found = (0, 0)
        self.predicted_ms: int | None = None
        self.agent_card: Card | None = None

    def enter(self, queue: str, line: Line, day: Day) -> None:
        """Come into a line on a day; nobody has the contact now."""
        self.queue = queue
        self.line = line
        self.day = day
        self.card = day.line(queue, self.channel, self.category, self.tier)
        self.agent_card = None

    @property
    def cards(self) -> tuple[Card, ...]:
        """Return the cards on which the contact's work is written: the line's, the agent's."""
        return (self.card,) if self.agent_card is None else (self.card, self.agent_card)

    def turn(self, activity: str, now_ms: int) -> None:
        """Close the books on what was being done with the contact and begin something else."""
        was, spent_ms = self.activity, now_ms - self.activity_from_ms
        if was == "talk":
            self.talk_ms += spent_ms
        elif was == "wrap_up":
            self.wrap_up_ms += spent_ms
        elif was == "hold":
            self.hold_ms += spent_ms
        self.activity, self.activity_from_ms = activity, now_ms

    def book_handling(self, now_ms: int) -> None:
        """Write the time of an assignment that ends, unless it was never connected."""
        if not self.activity:
            return
        self.turn("", now_ms)
        books: tuple[Line | Card, ...] = (self.line, *self.cards)
        for book in books:
            book.handled += 1
            book.talk_ms += self.talk_ms
            book.hold_ms += self.hold_ms
            book.wrap_up_ms += self.wrap_up_ms
        handled_ms = self.talk_ms + self.hold_ms + self.wrap_up_ms
        self.line.handle_times.add(handled_ms, self.contact_id)
        self.talk_ms = self.hold_ms = self.wrap_up_ms = 0

    def end_assignment(self, why: Reason, now_ms: int) -> None:
        """Write the end of an assignment, and of a call that did not reach its customer."""
        if why in CALL_FAILURES:
            for card in self.cards:
                card.callbacks_failed += 1
        self.book_handling(now_ms)

    def hear(
        self,
        event: Heard,
        now_ms: int,
    ) -> None:
        """Count what was said about the contact, open or closed."""
        if isinstance(event, AgentReplied):
            if not (self.replied or event.automatic or self.closed_ms):
                self.replied = True
                for card in self.cards:
                    card.first_replies += 1
                    card.first_reply_ms += now_ms - self.arrived_ms
            return
        if isinstance(event, ContactReopened):
            self.line.reopened += 1
        for card in self.cards:
            match event:
                case ContactResolved():
                    card.resolved += not self.resolved
                case ComplaintRaised():
                    card.complaints += 1
                case SurveyAnswered():
                    card.survey_answers += 1
                    card.score_sum += event.score
                    card.top_answers += event.score >= TOP_SCORE
                    card.said_unresolved += not event.resolved
                case ContactRedialled():
                    card.redialled += 1
                case ContactReopened():
                    card.reopened += 1
                case NoteAdded():
                    card.notes += 1
        self.resolved = self.resolved or isinstance(event, ContactResolved)

    def ask(
        self,
        decision: Asked,
    ) -> None:
        """Count what is asked of the customer, or for him, and that he comes again."""
        for card in self.cards:
            match decision:
                case RequestSurvey():
                    card.surveys += 1
                case RequestFollowUp():
                    card.follow_ups += 1
                case OfferCallback():
                    card.callbacks_offered += 1
                case DialCallback():
                    card.callbacks_dialled += 1
                case LinkContact():
                    card.redialled += decision.reason is Reason.REDIALLED
                    card.blocked_before += decision.reason is Reason.BLOCKED_BEFORE
                    card.deflection_failed += decision.reason is Reason.DEFLECTION_FAILED

    def count_promise(
        self,
        decision: Clocked,
        queues: dict[tuple[str, str], PromiseCounts],
    ) -> None:
        """Count a clock where it started, wherever the contact went since, and by its agent."""
        name = decision.policy
        clock, kind = (name, decision.cycle), decision.__class__
        running = self.clocks.get(clock)
        if running is None:
            key = (self.queue, name)
            queue = queues.get(key)
            if queue is None:
                queue = queues[key] = PromiseCounts()
            running = self.clocks[clock] = (queue, self.card.promise(name))
        agent = self.agent_card
        books: tuple[PromiseCounts, ...] = (
            running if agent is None else (*running, agent.promise(name))
        )
        if kind is StartSla:
            for book in books:
                book.started += 1
        elif kind is WarnSla:
            for book in books:
                book.warned += 1
        elif kind is BreachSla:
            for book in books:
                book.breached += 1
            self.overdue[clock] = None
        else:
            del self.clocks[clock]
            # A breach was counted at its deadline; its late stop is no other outcome.
            late = clock in self.overdue
            if late:
                del self.overdue[clock]
            if kind is MeetSla:
                for book in books:
                    book.met += 1
            elif not late:
                for book in books:
                    book.canceled += 1


class FirstContacts:
    """Remember handled contacts by customer and category until the window has passed.

    A handled contact of a known customer counts as a first contact at once, and as repeated when
    he comes again, by a new contact or by the same one reopened. So the share can only fall while
    the window is open. Memory: one place for each contact handled within the window.
    """

    __slots__ = ("_closed", "_order", "window_ms")

    def __init__(self, window_ms: int = REPEAT_WINDOW_MS) -> None:
        self.window_ms = window_ms
        self._closed: dict[tuple[str, str], list[tuple[int, tuple[Card, ...]]]] = {}
        self._order: deque[tuple[int, tuple[str, str]]] = deque()

    def __len__(self) -> int:
        """Return how many handled contacts may still be found to be repeated, at most."""
        return len(self._order)

    def handled(self, contact: FollowedContact, now_ms: int) -> None:
        """Note that a contact ended as handled; without a customer nothing can be known."""
        if not contact.customer:
            return
        for card in contact.cards:
            card.first_contacts += 1
        key = (contact.customer, contact.category)
        self._closed.setdefault(key, []).append((now_ms, contact.cards))
        self._order.append((now_ms, key))
        self._settle(now_ms)

    def came(self, customer: str, category: str, now_ms: int) -> None:
        """Note that a customer comes about a category: his handled contacts were repeated."""
        for closed_ms, cards in self._closed.pop((customer, category), ()):
            if now_ms - closed_ms <= self.window_ms:
                for card in cards:
                    card.repeated += 1

    def _settle(self, now_ms: int) -> None:
        """Forget what can no longer be repeated."""
        order, closed = self._order, self._closed
        while order and (now_ms - order[0][0] > self.window_ms or len(order) > FIRST_CONTACTS_KEPT):
            closed_ms, key = order.popleft()
            kept = closed.get(key)
            # What came again has left already, and newer ones may stand under the same key.
            if kept and kept[0][0] <= closed_ms:
                del kept[0]
                if not kept:
                    del closed[key]
