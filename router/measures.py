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

from collections.abc import Iterable
from typing import Final

from router import measures_formulas as formulas
from router.center import Center, Queue
from router.decisions import (
    AssignContact,
    BreachSla,
    ChangeAgentState,
    CloseContact,
    Decision,
    DeflectContact,
    EndAssignment,
    EnqueueContact,
    Exit,
    HoldWork,
    MeetSla,
    NoteDuplicate,
    OfferContact,
    OverflowContact,
    Reason,
    RefuseEvent,
    RequeueContact,
    ResumeWork,
    ScheduleCallback,
    StartSla,
    StartWrapUp,
    StopSla,
    WarnSla,
    WithdrawOffer,
)
from router.events import (
    AgentLost,
    AgentPresenceChanged,
    AgentSignedIn,
    AgentSignedOut,
    CenterChanged,
    ContactAbandoned,
    ContactArrived,
    ContactEnded,
    ContactHeld,
    ContactReopened,
    ContactResumed,
    ContactTransferred,
    Event,
    OfferConnected,
    OfferDeclined,
    Stamped,
)
from router.measures_agents import AgentClocks
from router.measures_lines import Counts, Line, PromiseCounts, QueueExit

INTERVAL_MS: Final = 900_000
_PLAIN_QUEUE: Final = Queue()

_EXIT_OF: Final = {
    Exit.HANDLED: QueueExit.DEFLECTED,
    Exit.ABANDONED: QueueExit.ABANDONED,
    Exit.DEFLECTED: QueueExit.DEFLECTED,
    Exit.EXPIRED: QueueExit.EXPIRED,
    Exit.MERGED: QueueExit.DEFLECTED,
}


class _Contact:
    """Hold what must be known of one contact to count it."""

    __slots__ = (
        "activity", "activity_from_ms", "channel", "clocks", "closed_ms", "hold_ms",
        "overdue", "queue", "since_ms", "talk_ms", "visit_ms", "visited", "waiting", "wrap_up_ms",
    )  # fmt: skip

    def __init__(self, channel: str, queue: str, now_ms: int) -> None:
        self.channel = channel
        self.queue = queue
        self.waiting = self.visited = False
        self.visit_ms = self.since_ms = now_ms
        self.activity = ""  # "", "talk", "hold", "aside" or "wrap_up"
        self.activity_from_ms = 0
        self.talk_ms = self.hold_ms = self.wrap_up_ms = 0
        self.clocks: dict[tuple[str, int], str] = {}
        self.overdue: dict[tuple[str, int], None] = {}
        self.closed_ms = 0


class Measures:
    """Keep the numbers of one centre; see the module for what counts when."""

    def __init__(self, center: Center | None = None, *, interval_ms: int = INTERVAL_MS) -> None:
        self.interval_ms = interval_ms
        self.now_ms = 0
        self.seq = 0
        self.center = center
        self.lines: dict[tuple[str, str], Line] = {}
        self.promises: dict[tuple[str, str], PromiseCounts] = {}
        self.agents = AgentClocks()
        self.decisions: dict[tuple[str, Reason], int] = {}
        self.events: dict[tuple[str, str], int] = {}
        self.accepted = 0
        self.closed: dict[Exit, int] = dict.fromkeys(Exit, 0)
        self._contacts: dict[str, _Contact] = {}
        self._finished: dict[str, _Contact] = {}
        if center is not None:
            self._configure(center)

    @property
    def open_contacts(self) -> int:
        """Return how many accepted contacts have not ended."""
        return len(self._contacts)

    def fold(self, stamped: Stamped, decisions: Iterable[Decision]) -> None:
        """Count one entry. Entries come in order of `seq`."""
        assert stamped.at_ms >= self.now_ms, "entries come in order"
        self.now_ms, self.seq = stamped.at_ms, stamped.seq
        result = "ok"
        decisions = tuple(decisions)
        for decision in decisions:
            key = (type(decision).__name__, decision.reason)
            self.decisions[key] = self.decisions.get(key, 0) + 1
            if isinstance(decision, RefuseEvent):
                result = "refused"
            elif isinstance(decision, NoteDuplicate):
                result = "duplicate"
        event = stamped.event
        kind = (type(event).__name__, result)
        self.events[kind] = self.events.get(kind, 0) + 1
        if result == "ok":
            self._see(event)
        for decision in decisions:
            self._obey(decision)
        if isinstance(event, ContactArrived | ContactEnded | ContactAbandoned):
            self._forget()

    def line(self, queue: str, channel: str) -> Line:
        """Find the counts of a queue on a channel, made at the first need."""
        line = self.lines.get((queue, channel))
        if line is None:
            line = Line(self.interval_ms, (self._plan(queue).service_level_ms,))
            self.lines[queue, channel] = line
        return line

    def summary(self) -> dict[str, int | float | None]:
        """Return the whole centre in a few numbers: counts, ms, ratios (None: nothing decided)."""
        counts = Counts()
        for line in self.lines.values():
            counts.add(line.counts)
        service = counts.service_counts()
        met = sum(promise.met for promise in self.promises.values())
        breached = sum(promise.breached for promise in self.promises.values())
        return {
            "contacts": self.accepted,
            "open": self.open_contacts,
            **{how.value: number for how, number in counts.exits.items()},
            "service_level": formulas.service_level(service),
            "average_speed_of_answer_ms": formulas.average_speed_of_answer_ms(
                counts.answered_wait_ms, service.answered
            ),
            "abandonment": formulas.abandonment(service),
            "offers_per_assignment": formulas.offers_per_assignment(
                sum(line.offers for line in self.lines.values()),
                sum(line.assignments for line in self.lines.values()),
            ),
            "sla_met": met,
            "sla_breached": breached,
            "sla_met_share": formulas.sla_met_share(met, breached),
        }

    # --- events -------------------------------------------------------------------

    def _see(self, event: Event) -> None:
        """Note what an event tells beside its decisions."""
        match event:
            case ContactArrived():
                plan = self.center.categories.get(event.category) if self.center else None
                queue = event.queue or (plan.queue if plan else "")
                self._finished.pop(event.contact_id, None)
                self._contacts[event.contact_id] = _Contact(event.channel, queue, self.now_ms)
                self.accepted += 1
            case ContactTransferred():
                self._moved(event.contact_id)
            case ContactReopened():
                finished = self._find(event.contact_id)
                if finished is not None:
                    self.line(finished.queue, finished.channel).reopened += 1
            case OfferConnected():
                self._answer(event.contact_id)
            case OfferDeclined():
                contact = self._contacts.get(event.contact_id)
                if contact is not None:
                    self.line(contact.queue, contact.channel).offers_declined += 1
                self.agents.release(event.agent_id, event.contact_id, self.now_ms)
            case ContactHeld():
                self._turn(event.contact_id, "hold", only_from="talk")
            case ContactResumed():
                self._turn(event.contact_id, "talk", only_from="hold")
            case AgentSignedIn() | AgentPresenceChanged():
                # Who changes his presence is signed in, or back after he was lost.
                self.agents.sign_in(event.agent_id, event.presence, self.now_ms)
            case AgentSignedOut() | AgentLost():
                self.agents.sign_out(event.agent_id, self.now_ms)
            case CenterChanged():
                self._configure(event.center)
            case _:
                pass

    def _configure(self, center: Center) -> None:
        self.center = center
        self.agents.configure(center, self.now_ms)

    def _moved(self, contact_id: str) -> None:
        contact = self._contacts.get(contact_id)
        if contact is not None:
            self.line(contact.queue, contact.channel).transferred += 1

    # --- decisions ----------------------------------------------------------------

    def _obey(self, decision: Decision) -> None:
        """Count one decision."""
        match decision:
            # The most frequent first: the cases are tried one after the other.
            case StartSla() | MeetSla() | WarnSla() | BreachSla() | StopSla():
                self._count_sla(decision)
            case EnqueueContact() | RequeueContact():
                self._enqueue(decision.contact_id, decision.queue)
            case OverflowContact():
                self._enqueue(decision.contact_id, decision.from_queue)
                self._enqueue(decision.contact_id, decision.to_queue)
            case OfferContact():
                contact = self._contacts.get(decision.contact_id)
                if contact is not None:
                    self.line(contact.queue, contact.channel).offers += 1
                self.agents.ring(decision.agent_id, decision.contact_id, self.now_ms)
            case WithdrawOffer():
                self._withdraw(decision)
            case AssignContact():
                self._assign(decision)
            case StartWrapUp():
                self._turn(decision.contact_id, "wrap_up")
                self.agents.wrap_up(decision.agent_id, decision.contact_id, self.now_ms)
            case EndAssignment():
                self._end_assignment(decision.contact_id)
                self.agents.release(decision.agent_id, decision.contact_id, self.now_ms)
            case HoldWork():
                self._turn(decision.contact_id, "aside")
            case ResumeWork():
                self._turn(decision.contact_id, "talk", only_from="aside")
            case DeflectContact():
                self._leave(decision.contact_id, QueueExit.DEFLECTED)
            case ScheduleCallback():
                self._leave(decision.contact_id, QueueExit.CALLBACK)
            case ChangeAgentState():
                if decision.reason is Reason.AGENT_LOST:
                    self.agents.sign_out(decision.agent_id, self.now_ms)
                else:
                    self.agents.sign_in(decision.agent_id, decision.presence, self.now_ms)
            case CloseContact():
                self._close(decision)
            case _:
                pass

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
        if contact.waiting:
            if contact.queue == queue:
                return
            self._leave(contact_id, QueueExit.OVERFLOWED)
        else:
            contact.since_ms = self.now_ms
        contact.queue, contact.visit_ms = queue, self.now_ms
        contact.waiting = contact.visited = True
        self.line(queue, contact.channel).arrive(contact_id, self.now_ms, contact.since_ms)

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
        self.line(contact.queue, contact.channel).leave(
            contact_id, how, contact.visit_ms, wait_ms, plan.service_level_ms
        )

    def _withdraw(self, decision: WithdrawOffer) -> None:
        contact = self._find(decision.contact_id)
        if contact is not None:
            line = self.line(contact.queue, contact.channel)
            if decision.reason is Reason.EXPIRED:
                line.offers_expired += 1
            else:
                line.offers_withdrawn += 1
        self.agents.release(decision.agent_id, decision.contact_id, self.now_ms)

    def _assign(self, decision: AssignContact) -> None:
        self.agents.handle(decision.agent_id, decision.contact_id, self.now_ms)
        contact = self._contacts.get(decision.contact_id)
        if contact is None:
            return
        self.line(contact.queue, contact.channel).assignments += 1
        channel = self.center.channels.get(contact.channel) if self.center else None
        if channel is None or not channel.connect_timeout_ms:
            self._answer(decision.contact_id)

    def _answer(self, contact_id: str) -> None:
        self._leave(contact_id, QueueExit.ANSWERED)
        self._turn(contact_id, "talk")

    def _turn(self, contact_id: str, activity: str, *, only_from: str = "") -> None:
        """Close the books on what was being done with a contact and begin another activity."""
        contact = self._contacts.get(contact_id)
        if contact is None or (only_from and contact.activity != only_from):
            return
        spent_ms = self.now_ms - contact.activity_from_ms
        match contact.activity:
            case "talk":
                contact.talk_ms += spent_ms
            case "hold":
                contact.hold_ms += spent_ms
            case "wrap_up":
                contact.wrap_up_ms += spent_ms
            case _:
                pass
        contact.activity, contact.activity_from_ms = activity, self.now_ms

    def _end_assignment(self, contact_id: str) -> None:
        """Book the handle time, unless the contact was never connected."""
        contact = self._contacts.get(contact_id)
        if contact is None or not contact.activity:
            return
        self._turn(contact_id, "")
        line = self.line(contact.queue, contact.channel)
        line.handled += 1
        line.talk_ms += contact.talk_ms
        line.hold_ms += contact.hold_ms
        line.wrap_up_ms += contact.wrap_up_ms
        line.handle_times.add(contact.talk_ms + contact.hold_ms + contact.wrap_up_ms)
        contact.talk_ms = contact.hold_ms = contact.wrap_up_ms = 0

    def _close(self, decision: CloseContact) -> None:
        contact = self._contacts.get(decision.contact_id)
        if contact is None:
            return
        if not contact.visited:
            # Sent away at the door: a visit of no length, so that it stands in the line's books.
            self._enqueue(decision.contact_id, contact.queue)
        self._end_assignment(decision.contact_id)
        self._leave(decision.contact_id, _EXIT_OF[decision.exit])
        self.closed[decision.exit] += 1
        del self._contacts[decision.contact_id]
        contact.closed_ms = self.now_ms
        self._finished[decision.contact_id] = contact

    # --- promises -----------------------------------------------------------------

    def _count_sla(self, decision: StartSla | WarnSla | BreachSla | MeetSla | StopSla) -> None:
        """Count a clock in the queue in which it started, wherever the contact went since."""
        contact = self._find(decision.contact_id)
        if contact is None:
            return
        clock = (decision.policy, decision.cycle)
        if isinstance(decision, StartSla):
            contact.clocks[clock] = contact.queue
        queue = contact.clocks.get(clock, contact.queue)
        counts = self.promises.setdefault((queue, decision.policy), PromiseCounts())
        match decision:
            case StartSla():
                counts.started += 1
            case WarnSla():
                counts.warned += 1
            case MeetSla():
                counts.met += 1
                contact.clocks.pop(clock, None)
            case BreachSla():
                counts.breached += 1
                contact.overdue[clock] = None
            case StopSla():
                # A breach was counted at its deadline; its late stop is no other outcome.
                counts.canceled += clock not in contact.overdue
                contact.clocks.pop(clock, None)
                contact.overdue.pop(clock, None)

    # --- the rest -----------------------------------------------------------------

    def _plan(self, queue: str) -> Queue:
        """Return the plan of a queue; one that the plan no longer knows has the defaults."""
        return self.center.queues.get(queue, _PLAIN_QUEUE) if self.center else _PLAIN_QUEUE

    def _find(self, contact_id: str) -> _Contact | None:
        contact = self._contacts.get(contact_id)
        return contact if contact is not None else self._finished.get(contact_id)

    def _forget(self) -> None:
        """Let closed contacts go, not before the core does: it forgets at the same events."""
        window_ms = self.center.limits.duplicate_window_ms if self.center else 0
        finished = self._finished
        while finished:
            contact_id = next(iter(finished))
            if finished[contact_id].closed_ms + window_ms >= self.now_ms:
                return
            del finished[contact_id]
