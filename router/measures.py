"""Fold the journal into every number that is shown, each defined once.

`Measures.fold(stamped, decisions)` takes one entry after the other, live, simulated or
replayed, and keeps integers: instants and durations in milliseconds. Ratios are made only by
`router.measures_formulas`, views by `router.measures_views`. Memory grows with open contacts,
signed-in agents and the lines of the plan, not with the length of the day; closed contacts are
remembered as long as the core remembers them (`duplicate_window_ms`), since they may reopen.

What counts when:

- A contact is *waiting* from being put into a line until it is answered, rings or is being
  connected included. It is *answered* when it is connected: at `AssignContact`, or, where the
  channel has a connect timeout, at `OfferConnected`. A call accepted but never connected is
  therefore never an answer, and its place in line was never left.
- The *wait* runs from when the customer began to wait: his arrival, a transfer by the agent
  who served him, his reply, the instant a callback was due, his redial. Moving to another
  line does not start it anew.
- Each visit to a line is attributed to the interval in which it began, and decided at answer
  or exit, never later (`router.measures_lines`).
- An *answer in time* is one at or before the queue's `service_level_ms`; a *short* abandonment
  one before its `short_abandon_ms`.
- A promise is met or breached once, in the queue in which its clock started; a breach counts at
  its deadline, answered or not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, ClassVar, Final, get_args

from router import decisions as d
from router import events as e
from router.center import Center, Queue
from router.decisions import Decision, Exit, Reason
from router.events import Event, Stamped
from router.measures_agents import AgentClocks
from router.measures_cards import Card, Days
from router.measures_contacts import (
    REPEAT_WINDOW_MS,
    Asked,
    Clocked,
    FirstContacts,
    FollowedContact,
    Heard,
)
from router.measures_edges import wait_edges_ms
from router.measures_lines import Line, PromiseCounts, QueueExit
from router.measures_shifts import ShiftPlan
from router.measures_waits import WaitPredictor

INTERVAL_MS: Final = 900_000
_PLAIN_QUEUE: Final = Queue()

OK: Final = "ok"
_NOT_OK: Final[dict[type[Decision], str]] = {d.RefuseEvent: "refused", d.NoteDuplicate: "duplicate"}
_FORGETTING: Final = dict.fromkeys((e.ContactArrived, e.ContactEnded, e.ContactAbandoned))
_EXIT_OF: Final = {
    Exit.HANDLED: QueueExit.DEFLECTED,
    Exit.ABANDONED: QueueExit.ABANDONED,
    Exit.DEFLECTED: QueueExit.DEFLECTED,
    Exit.EXPIRED: QueueExit.EXPIRED,
    Exit.MERGED: QueueExit.DEFLECTED,
}


class _Tally:
    """Count the decisions of a kind and reason, and know what is done with each, if anything."""

    __slots__ = ("count", "obey")

    def __init__(self, obey: Callable[[Measures, Any], None] | None) -> None:
        self.count = 0
        self.obey = obey


class Measures:
    """Keep the numbers of one centre; see the module for what counts when."""

    def __init__(
        self,
        center: Center | None = None,
        *,
        interval_ms: int = INTERVAL_MS,
        days: Days | None = None,
        plan: ShiftPlan | None = None,
        repeat_window_ms: int = REPEAT_WINDOW_MS,
    ) -> None:
        """Begin with empty books; see `router.measures_cards.Days` and `router.measures_shifts`."""
        self.interval_ms = interval_ms
        self.now_ms = 0
        self.seq = 0
        self.center = center
        self.lines: dict[tuple[str, str], Line] = {}
        self.promises: dict[tuple[str, str], PromiseCounts] = {}
        self.days = Days() if days is None else days
        self.agents = AgentClocks(self.days, plan)
        self._tallies: dict[tuple[type[Decision], Reason], _Tally] = {}
        self.accepted = 0
        self.closed: dict[Exit, int] = dict.fromkeys(Exit, 0)
        self.waits = WaitPredictor(self.agents.staff)
        self.first_contacts = FirstContacts(repeat_window_ms)
        self._contacts: dict[str, FollowedContact] = {}
        self._finished: dict[str, FollowedContact] = {}
        if center is not None:
            self._configure(center)

    @property
    def open_contacts(self) -> int:
        """Return how many accepted contacts have not ended."""
        return len(self._contacts)

    def fold(self, stamped: Stamped, decisions: Collection[Decision]) -> str:
        """Count one entry, in order of `seq`; return "ok", or "refused" or "duplicate"."""
        at_ms = stamped.at_ms
        assert at_ms >= self.now_ms, "entries come in order"
        self.now_ms, self.seq = at_ms, stamped.seq
        event = stamped.event
        kind = event.__class__
        result = OK
        for decision in decisions:
            result = _NOT_OK.get(decision.__class__, result)
        # What an event tells beside its decisions comes before them.
        if kind in self._SEEN and result is OK:
            self._SEEN[kind](self, event)
        tallies = self._tallies
        for decision in decisions:
            key = (decision.__class__, decision.reason)
            tally = tallies.get(key)
            if tally is None:
                tally = tallies[key] = _Tally(self._OBEYED.get(decision.__class__))
            tally.count += 1
            if tally.obey is not None:
                tally.obey(self, decision)
        if kind in _FORGETTING:
            self._forget()
        return result

    @property
    def decisions(self) -> dict[tuple[str, Reason], int]:
        """Return how many decisions were taken, by their kind and reason."""
        return {(kind.__name__, why): tally.count for (kind, why), tally in self._tallies.items()}

    def count_from_here(self) -> None:
        """Forget what happened, and nobody who waits or works."""
        for line in self.lines.values():
            line.count_from_here()
        for counts in self.promises.values():
            counts.clear()
        self._tallies.clear()
        self.accepted = 0
        self.closed = dict.fromkeys(Exit, 0)

    def line(self, queue: str, channel: str) -> Line:
        """Find the counts of a queue on a channel, made at the first need."""
        line = self.lines.get((queue, channel))
        if line is None:
            line = Line(self.interval_ms, wait_edges_ms(self.center, queue))
            self.lines[queue, channel] = line
        return line

    # --- events -------------------------------------------------------------------

    def _connect(self, event: e.OfferConnected) -> None:
        self._answer(event.contact_id)

    def _hold(self, event: e.ContactHeld) -> None:
        self._turn(event.contact_id, "hold", only_from="talk")

    def _resume(self, event: e.ContactResumed | d.ResumeWork) -> None:
        before = "hold" if event.__class__ is e.ContactResumed else "aside"
        self._turn(event.contact_id, "talk", only_from=before)

    def _hear(self, event: Heard) -> None:
        contact = self._find(event.contact_id)
        if contact is not None:
            contact.hear(event, self.now_ms)

    def _decline(self, event: e.OfferDeclined) -> None:
        contact = self._contacts.get(event.contact_id)
        if contact is not None:
            self._agent_book(contact, event.agent_id).offers_declined += 1
            contact.card.offers_declined += 1
            contact.line.offers_declined += 1
        self.agents.release(event.agent_id, event.contact_id, self.now_ms)

    def _sign_in(self, event: e.AgentSignedIn | e.AgentPresenceChanged) -> None:
        # Who changes his presence is signed in, or back after he was lost.
        self.agents.sign_in(event.agent_id, event.presence, self.now_ms)

    def _sign_out(self, event: e.AgentSignedOut | e.AgentLost) -> None:
        self.agents.sign_out(event.agent_id, self.now_ms)

    def _learn_skills(self, event: e.AgentSkillsChanged) -> None:
        self.agents.learn_skills(event.agent_id, event.skills, self.now_ms)

    def _change_center(self, event: e.CenterChanged) -> None:
        self._configure(event.center)

    def _configure(self, center: Center) -> None:
        self.center = center
        self.days.configure(center)
        self.agents.configure(center, self.now_ms)
        self.waits.configure(center)

    def _arrive(self, event: e.ContactArrived) -> None:
        """Open the books on a contact; its visit to a line begins with a decision."""
        plan = self.center.categories.get(event.category) if self.center else None
        queue = event.queue or (plan.queue if plan else "")
        self._finished.pop(event.contact_id, None)
        contact = FollowedContact(event, self._tier(event.tier), self.now_ms)
        contact.enter(queue, self.line(queue, event.channel), self.days.at(self.now_ms))
        self._contacts[event.contact_id] = contact
        self.accepted += 1
        if event.customer:
            self.first_contacts.came(event.customer, event.category, self.now_ms)

    def _change(self, event: e.ContactTransferred | e.ContactUpdated) -> None:
        contact = self._contacts.get(event.contact_id)
        if contact is None:
            return
        if isinstance(event, e.ContactTransferred):
            contact.line.transferred += 1
            for card in contact.cards:
                card.transferred += 1
        # What is written on cards stays there; the next visit is one of the new category.
        contact.category = event.category or contact.category
        if isinstance(event, e.ContactUpdated) and event.tier is not None:
            contact.tier = self._tier(event.tier)

    # --- decisions ----------------------------------------------------------------

    def _count_promise(self, decision: Clocked) -> None:
        contact_id = decision.contact_id
        contact = self._contacts.get(contact_id) or self._finished.get(contact_id)
        if contact is not None:
            contact.count_promise(decision, self.promises)

    def _come_into_line(self, decision: d.EnqueueContact | d.RequeueContact) -> None:
        self._enqueue(decision.contact_id, decision.queue)

    def _wrap_up(self, decision: d.StartWrapUp) -> None:
        self._turn(decision.contact_id, "wrap_up")
        self.agents.wrap_up(decision.agent_id, decision.contact_id, self.now_ms)

    def _end(self, decision: d.EndAssignment) -> None:
        if (contact := self._contacts.get(decision.contact_id)) is not None:
            contact.end_assignment(decision.reason, self.now_ms)
        self.agents.release(decision.agent_id, decision.contact_id, self.now_ms)

    def _put_aside(self, decision: d.HoldWork) -> None:
        self._turn(decision.contact_id, "aside")

    def _ask(self, decision: Asked) -> None:
        contact = self._find(decision.contact_id)
        if contact is not None:
            contact.ask(decision)

    def _overflow(self, decision: d.OverflowContact) -> None:
        self._enqueue(decision.contact_id, decision.from_queue)
        self._enqueue(decision.contact_id, decision.to_queue)

    def _open(self, decision: d.OpenContact) -> None:
        told = (decision.contact_id, decision.channel, decision.category, -1)
        # We open it, the customer does not come: nothing is said of first contacts.
        self._arrive(e.ContactArrived(*told, "", decision.tier, decision.language))

    def _deflect(self, decision: d.DeflectContact) -> None:
        self._leave(decision.contact_id, QueueExit.DEFLECTED)

    def _schedule(self, decision: d.ScheduleCallback) -> None:
        self._leave(decision.contact_id, QueueExit.CALLBACK)

    def _change_agent(self, decision: d.ChangeAgentState) -> None:
        if decision.reason is Reason.AGENT_LOST:
            self.agents.sign_out(decision.agent_id, self.now_ms)
        else:
            self.agents.sign_in(decision.agent_id, decision.presence, self.now_ms)

    def _enqueue(self, contact_id: str, queue: str) -> None:
        """Begin a visit, unless the contact already waits in this very line."""
        contact = self._find(contact_id)
        if contact is None:
            return
        if contact.closed_ms:
            del self._finished[contact_id]
            contact.closed_ms = 0
            self._contacts[contact_id] = contact
            self.accepted += 1
            if contact.customer:
                self.first_contacts.came(contact.customer, contact.category, self.now_ms)
        if contact.waiting:
            if contact.queue == queue:
                return
            self._leave(contact_id, QueueExit.OVERFLOWED)
        else:
            contact.since_ms = self.now_ms
        contact.visit_ms = self.now_ms
        contact.waiting = contact.visited = True
        line = self.line(queue, contact.channel)
        contact.enter(queue, line, self.days.at(self.now_ms))
        contact.card.counts.arrivals += 1
        self.waits.enter(contact)
        line.arrive(contact_id, self.now_ms, contact.since_ms)

    def _leave(self, contact_id: str, how: QueueExit) -> None:
        """End a visit, if there is one."""
        contact = self._contacts.get(contact_id)
        if contact is None or not contact.waiting:
            return
        contact.waiting = False
        plan = self._plan(contact.queue)
        wait_ms = self.now_ms - contact.since_ms
        if how is QueueExit.ABANDONED and wait_ms < plan.short_abandon_ms:
            how = QueueExit.SHORT_ABANDONED
        self.waits.leave(contact, self.now_ms, answered=how is QueueExit.ANSWERED)
        contact.line.leave(contact_id, how, contact.visit_ms, wait_ms, plan.service_level_ms)
        contact.card.leave(how, wait_ms, plan.service_level_ms)
        if how is QueueExit.ANSWERED and contact.agent_card is not None:
            contact.agent_card.leave(how, wait_ms, plan.service_level_ms)

    def _offer(self, decision: d.OfferContact) -> None:
        contact = self._contacts.get(decision.contact_id)
        if contact is not None:
            contact.line.offers += 1
            contact.card.offers += 1
            self._agent_book(contact, decision.agent_id).offers += 1
        self.agents.ring(decision.agent_id, decision.contact_id, self.now_ms)

    def _agent_book(self, contact: FollowedContact, agent_id: str) -> Card:
        return self.agents.card(contact.day, agent_id)

    def _withdraw(self, decision: d.WithdrawOffer) -> None:
        contact = self._find(decision.contact_id)
        if contact is not None:
            expired = decision.reason is Reason.EXPIRED
            agent = self._agent_book(contact, decision.agent_id)
            for book in (contact.line, contact.card, agent):
                book.offers_expired += expired
                book.offers_withdrawn += not expired
        self.agents.release(decision.agent_id, decision.contact_id, self.now_ms)

    def _assign(self, decision: d.AssignContact) -> None:
        accept_ms = self.agents.handle(decision.agent_id, decision.contact_id, self.now_ms)
        contact = self._contacts.get(decision.contact_id)
        if contact is None:
            return
        contact.line.assignments += 1
        contact.agent_card = self._agent_book(contact, decision.agent_id)
        for card in contact.cards:
            card.assignments += 1
            card.accept_ms += accept_ms
            card.gross_wait_ms += decision.wait_ms
            card.net_wait_ms += decision.net_wait_ms
        channel = self.center.channels.get(contact.channel) if self.center else None
        if channel is None or not channel.connect_timeout_ms:
            self._answer(decision.contact_id)

    def _answer(self, contact_id: str) -> None:
        self._leave(contact_id, QueueExit.ANSWERED)
        self._turn(contact_id, "talk")

    def _turn(self, contact_id: str, activity: str, *, only_from: str = "") -> None:
        contact = self._contacts.get(contact_id)
        if contact is not None and (not only_from or contact.activity == only_from):
            contact.turn(activity, self.now_ms)

    def _close(self, decision: d.CloseContact) -> None:
        contact = self._contacts.get(decision.contact_id)
        if contact is None:
            return
        if not contact.visited:
            # Sent away at the door: a visit of no length, so that it stands in the line's books.
            self._enqueue(decision.contact_id, contact.queue)
        contact.book_handling(self.now_ms)
        self._leave(decision.contact_id, _EXIT_OF[decision.exit])
        self.closed[decision.exit] += 1
        contact.card.self_served += decision.reason is Reason.SELF_SERVED
        if decision.exit is Exit.HANDLED:
            self.first_contacts.handled(contact, self.now_ms)
        del self._contacts[decision.contact_id]
        contact.closed_ms = self.now_ms
        self._finished[decision.contact_id] = contact

    # --- the rest -----------------------------------------------------------------

    def _tier(self, tier: str) -> str:
        """Return a tier that the plan lists; others count as none."""
        return tier if self.center is not None and tier in self.center.tiers else ""

    def _plan(self, queue: str) -> Queue:
        """Return the plan of a queue; one that the plan no longer knows has the defaults."""
        return self.center.queues.get(queue, _PLAIN_QUEUE) if self.center else _PLAIN_QUEUE

    def _find(self, contact_id: str) -> FollowedContact | None:
        contact = self._contacts.get(contact_id)
        return contact if contact is not None else self._finished.get(contact_id)

    def _forget(self) -> None:
        """Let closed contacts go, not before the core does: it forgets at the same events."""
        center, finished, kept_ms = self.center, self._finished, 0
        if center is not None:
            kept_ms = max(center.limits.duplicate_window_ms, center.surveys.answer_within_ms)
        while finished:
            contact_id = next(iter(finished))
            if finished[contact_id].closed_ms + kept_ms >= self.now_ms:
                return
            del finished[contact_id]

    # --- who hears what; the others say nothing beside their count ----------------

    _SEEN: ClassVar[dict[type[Event], Callable[[Measures, Any], None]]] = {
        e.ContactArrived: _arrive,
        e.OfferConnected: _connect,
        e.ContactHeld: _hold,
        e.ContactResumed: _resume,
        **dict.fromkeys(get_args(Heard), _hear),
        e.ContactTransferred: _change,
        e.ContactUpdated: _change,
        e.OfferDeclined: _decline,
        e.AgentSignedIn: _sign_in,
        e.AgentPresenceChanged: _sign_in,
        e.AgentSignedOut: _sign_out,
        e.AgentLost: _sign_out,
        e.AgentSkillsChanged: _learn_skills,
        e.CenterChanged: _change_center,
    }
    _OBEYED: ClassVar[dict[type[Decision], Callable[[Measures, Any], None]]] = {
        **dict.fromkeys(get_args(Clocked), _count_promise),
        d.EnqueueContact: _come_into_line,
        d.RequeueContact: _come_into_line,
        d.OfferContact: _offer,
        d.AssignContact: _assign,
        d.StartWrapUp: _wrap_up,
        d.EndAssignment: _end,
        d.HoldWork: _put_aside,
        d.ResumeWork: _resume,
        d.CloseContact: _close,
        **dict.fromkeys(get_args(Asked), _ask),
        d.WithdrawOffer: _withdraw,
        d.OverflowContact: _overflow,
        d.OpenContact: _open,
        d.DeflectContact: _deflect,
        d.ScheduleCallback: _schedule,
        d.ChangeAgentState: _change_agent,
    }
